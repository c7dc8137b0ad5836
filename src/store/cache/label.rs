//! What a file of the cache says it is.

use serde::{Deserialize, Serialize};

use crate::{
    model::Timestamp,
    store::{Identity, cache::Likeness},
};

/// Raised whenever a scan of the same store gives anything else than before, so that what older builds kept
/// is made anew. Releases are told apart by their version as well.
const GENERATION: u32 = 1;

/// What a file of the cache says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Label {
    /// The version of the program that wrote it.
    pub(super) program: String,
    /// [`GENERATION`] of that program.
    pub(super) generation: u32,
    /// The store before it was scanned.
    pub(super) identity: Identity,
    /// Whether the store was the same after it was scanned, and had been at rest for long enough that any
    /// later change shows in its identity.
    pub(super) is_settled: bool,
    /// When it was written, in nanoseconds since 1970, if anybody knew.
    pub(super) written: Option<i64>,
    /// How many events the index has.
    pub(super) events: u64,
}

impl Label {
    pub(super) fn of(identity: Identity, is_settled: bool, written: Option<i64>, events: u64) -> Self {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Self { program, generation: GENERATION, identity, is_settled, written, events }
    }

    /// Reads a label of a file that this very program could have written.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let label: Self = serde_json::from_slice(bytes).ok()?;
        (label.program == env!("CARGO_PKG_VERSION") && label.generation == GENERATION).then_some(label)
    }

    /// Reads a label of any version that has this form.
    pub(super) fn read_any(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Plain data with text keys: there is nothing in it that could not be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether the index is that of the store as it is now.
    pub(super) fn proves(&self, now: &Identity) -> bool {
        self.is_settled && self.identity.likeness(now) == Likeness::Same
    }

    pub(super) fn written(&self) -> Option<Timestamp> {
        Some(Timestamp::from_nanos(self.written?, 0))
    }
}
