//! Stored snapshots, met one after the other: their states may be long, and there may be a great many.

use std::sync::Arc;

use crate::{
    model::{Payload, SnapshotHead, Stored, StoredSnapshot},
    store::{EventStore, StoreError, decode::Value},
    work::Work,
};

/// Where a stored snapshot stands, to be fetched again. Whoever changes it meanwhile does not move it; whoever
/// removes it does.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotPlace {
    /// Which of the layout's tables of snapshots it is in.
    pub(crate) table: usize,
    /// The row.
    pub(crate) row: SnapshotRowKey,
}

/// What tells a row of a table of snapshots from the others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SnapshotRowKey {
    /// Its number in the database.
    Number(i64),
    /// Its primary key.
    Key(Arc<[Stored]>),
    /// It has neither, as in a view: how many rows stand before it.
    Nth(u64),
}

/// A stored snapshot as a visit meets it, borrowed from the batch it was read in. Only its state has to be
/// decoded, for whoever asks.
pub struct VisitedSnapshot<'a> {
    /// Everything but the state.
    pub head: &'a SnapshotHead,
    /// The state's bytes.
    pub stored: &'a Stored,
    /// Where to find it again.
    pub place: SnapshotPlace,
    state: &'a dyn Fn() -> Payload,
}

/// The states of so many bytes are in memory at once, and always one.
pub const MOST_BYTES: u64 = 4 << 20;

/// Fetches snapshots, as many at a time as may be in memory together, and hands each on beside what it was asked
/// for; `None` for one that is gone. `place` tells where one stands and how many bytes it has.
pub fn each_fetched<T, E: From<StoreError>>(
    store: &dyn EventStore,
    work: &Work,
    asked: &[T],
    place: impl Fn(&T) -> (&SnapshotPlace, u64),
    mut each: impl FnMut(&T, Option<StoredSnapshot>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest = asked;
    while !rest.is_empty() {
        let fitting = fetched_at_once(rest.iter().map(|one| place(one).1));
        let (now, later) = rest.split_at_checked(fitting).unwrap_or((rest, &[]));
        let places: Vec<SnapshotPlace> = now.iter().map(|one| place(one).0.clone()).collect();
        for (one, snapshot) in now.iter().zip(store.fetch_snapshots(work, &places)?) {
            each(one, snapshot)?;
        }
        rest = later;
    }
    Ok(())
}

/// How many of the next snapshots are fetched at once, if they are so long: one at least.
fn fetched_at_once(lengths: impl IntoIterator<Item = u64>) -> usize {
    let mut sum = 0_u64;
    let fits = lengths.into_iter().take_while(|length| {
        sum = sum.saturating_add(*length);
        sum <= MOST_BYTES
    });
    fits.count().max(1)
}

impl SnapshotPlace {
    /// The place behind so many others of a store that lists its snapshots.
    #[must_use]
    pub fn nth(number: u64) -> Self {
        Self { table: 0, row: SnapshotRowKey::Nth(number) }
    }
}

impl<'a> VisitedSnapshot<'a> {
    /// A snapshot; `state` decodes its state.
    pub fn new(
        head: &'a SnapshotHead,
        stored: &'a Stored,
        place: SnapshotPlace,
        state: &'a dyn Fn() -> Payload,
    ) -> Self {
        Self { head, stored, place, state }
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self.stored {
            Stored::Integer(_) | Stored::Real(_) => self.stored.bytes().len() as u64,
            Stored::Null | Stored::Text(_) | Stored::Blob(_) => Value::from(self.stored).len() as u64,
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole snapshot, with its state decoded.
    #[must_use]
    pub fn decoded(&self) -> StoredSnapshot {
        StoredSnapshot::new(self.head.clone(), (self.state)())
    }
}

impl std::fmt::Debug for VisitedSnapshot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VisitedSnapshot").field("head", self.head).field("place", &self.place).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_BYTES, fetched_at_once};

    fn check(lengths: &[u64], expected: usize) {
        assert_eq!(fetched_at_once(lengths.iter().copied()), expected, "{lengths:?}");
    }

    #[test]
    fn a_batch_ends_before_it_is_too_long_and_holds_one_at_least() {
        check(&[1, 2, 3], 3);
        check(&[MOST_BYTES, 1], 1);
        check(&[1, MOST_BYTES, 1], 1);
        check(&[MOST_BYTES * 9, 1, 1], 1);
        check(&[u64::MAX, u64::MAX], 1);
        check(&[MOST_BYTES / 2; 5], 2);
    }
}
