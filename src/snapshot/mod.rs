//! Stored snapshots held against what the events make, what they save, and how a new one is written.
//!
//! A snapshot is compared with the state that its category's reducer makes at its version, through the
//! [`mapping`] that the project file gives. Where the two differ, [`parting`] says which event did it.

pub mod cost;
mod cost_words;
pub mod creation;
mod habits;
mod jsonb;
pub mod mapping;
pub mod parting;
pub mod verify;
mod written;

use std::sync::Arc;

use crate::{
    model::{Change, SnapshotHead, Stored, StoredSnapshot, StreamVersion, Timestamp},
    store::snapshots::VisitedSnapshot,
};

pub use cost::{Cost, CostLine, Loads, cost};
pub use creation::{NewSnapshot, creation_in};
pub use mapping::Mapping;
pub use parting::{Bounds, Parting, PathParting, Place, bounds, parting};
pub use verify::{Compared, Standard, Standards, Verification, Waiting, look};

/// What can be said of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The events make the same state.
    Agrees,
    /// They make another.
    Differs,
    /// It cannot be read.
    Unreadable,
    /// There is no stream that it could be a state of.
    Orphan,
    /// Its version lies behind the last event of its stream.
    Ahead,
    /// There is no reducer, and it has members that no event carries: a merge is no state to hold it against.
    NotComparable,
    /// It was not compared.
    NotChecked,
}

/// A verdict, and what differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, where the verdict alone does not say: "Python pickle: a program, never run".
    pub reason: Option<Arc<str>>,
    /// From what the events make to what is stored, in the names of the replayed state.
    pub changes: Vec<Change>,
    /// How many events of its stream lie behind the state that it was compared with.
    pub count: Option<usize>,
    /// What made that state, as the reducer is called.
    pub made_by: Option<Arc<str>>,
    /// Whether the changes were left out, since too much differed already; a comparison of this one alone
    /// tells them.
    pub is_brief: bool,
}

/// What tells a snapshot from all others of its store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotKey {
    /// The table it stands in.
    pub table: Arc<str>,
    /// Its stream, by its whole name; empty if the store does not say.
    pub stream: Arc<str>,
    /// Its version.
    pub version: Option<StreamVersion>,
    /// What tells it from others of the same stream.
    pub label: Option<Arc<str>>,
    /// When it was stored.
    pub time: Option<Timestamp>,
    /// A number made of its bytes: another state is another snapshot.
    pub content: u64,
}

impl SnapshotKey {
    /// The key of a snapshot.
    #[must_use]
    pub fn of(snapshot: &StoredSnapshot) -> Self {
        Self::made(snapshot.head(), &snapshot.state.stored)
    }

    /// The key of a snapshot that a visit meets; its state is not decoded.
    #[must_use]
    pub fn of_visited(visited: &VisitedSnapshot<'_>) -> Self {
        Self::made(visited.head.clone(), visited.stored)
    }

    fn made(head: SnapshotHead, stored: &Stored) -> Self {
        Self {
            table: head.table,
            stream: head.stream.map(|stream| stream.full()).unwrap_or_default(),
            version: head.version,
            label: head.label,
            time: head.time,
            content: content(&stored.bytes()),
        }
    }
}

/// FNV-1a, a word at a time: states may be long, and there may be many.
fn content(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let words = bytes
        .chunks(8)
        .map(|chunk| chunk.iter().rev().fold(0_u64, |word, byte| (word << 8) | u64::from(*byte)));
    let start = 0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64;
    words.fold(start, |hash, word| (hash ^ word).wrapping_mul(PRIME).rotate_left(29))
}

impl Verdict {
    /// All verdicts, in the order in which they are counted.
    pub const ALL: [Self; 7] = [
        Self::Agrees,
        Self::Differs,
        Self::Unreadable,
        Self::Orphan,
        Self::Ahead,
        Self::NotComparable,
        Self::NotChecked,
    ];

    /// As machines and people read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::Unreadable => "unreadable",
            Self::Orphan => "orphan",
            Self::Ahead => "ahead",
            Self::NotComparable => "not comparable",
            Self::NotChecked => "not checked",
        }
    }

    /// Whether the snapshot disagrees with the events. What could not be read or compared does not.
    #[must_use]
    pub fn is_disagreement(self) -> bool {
        match self {
            Self::Differs | Self::Orphan | Self::Ahead => true,
            Self::Agrees | Self::Unreadable | Self::NotComparable | Self::NotChecked => false,
        }
    }
}

impl Check {
    /// A verdict that needs no comparison.
    #[must_use]
    pub fn of(verdict: Verdict, reason: impl Into<Arc<str>>) -> Self {
        let reason = Some(reason.into()).filter(|reason: &Arc<str>| !reason.is_empty());
        Self { verdict, reason, changes: Vec::new(), count: None, made_by: None, is_brief: false }
    }

    /// For people: the verdict, and at how many paths it differs.
    #[must_use]
    pub fn words(&self) -> String {
        match self.changes.len() {
            0 => self.verdict.word().to_owned(),
            1 => format!("{} in 1 place", self.verdict.word()),
            count => format!("{} in {count} places", self.verdict.word()),
        }
    }
}

/// `41 snapshots: 40 agree, 1 differs`.
#[must_use]
pub fn summary(verdicts: impl IntoIterator<Item = Verdict>) -> String {
    let mut counts = [0_usize; Verdict::ALL.len()];
    for verdict in verdicts {
        let place = Verdict::ALL.iter().position(|known| *known == verdict);
        if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
            *count += 1;
        }
    }
    let total: usize = counts.iter().sum();
    let parts: Vec<String> = Verdict::ALL
        .into_iter()
        .zip(counts)
        .filter(|(_, count)| *count > 0)
        .map(|(verdict, count)| format!("{count} {}", plural(verdict, count)))
        .collect();
    let subject = if total == 1 { "1 snapshot".to_owned() } else { format!("{total} snapshots") };
    if parts.is_empty() { subject } else { format!("{subject}: {}", parts.join(", ")) }
}

fn plural(verdict: Verdict, count: usize) -> &'static str {
    match (verdict, count) {
        (Verdict::Agrees, 2..) => "agree",
        (Verdict::Differs, 2..) => "differ",
        (Verdict::Orphan, 2..) => "orphans",
        _ => verdict.word(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, summary};

    fn check(verdicts: &[(Verdict, usize)], expected: &str) {
        let all = verdicts.iter().flat_map(|(verdict, count)| std::iter::repeat_n(*verdict, *count));
        assert_eq!(summary(all), expected);
    }

    #[test]
    fn verdicts_are_counted_in_words() {
        check(&[], "0 snapshots");
        check(&[(Verdict::Orphan, 1)], "1 snapshot: 1 orphan");
        check(&[(Verdict::Differs, 1), (Verdict::Agrees, 40)], "41 snapshots: 40 agree, 1 differs");
        check(
            &[(Verdict::NotChecked, 2), (Verdict::Differs, 2), (Verdict::Ahead, 1), (Verdict::Orphan, 3)],
            "8 snapshots: 2 differ, 3 orphans, 1 ahead, 2 not checked",
        );
    }
}
