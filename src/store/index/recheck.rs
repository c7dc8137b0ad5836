//! Whether the events before the last one are still those that were indexed: looked at here and there, since a
//! store may be replaced, restored or rewritten while it is open.

use crate::{
    store::{EventStore, KeyRange, ScanRow, StoreResult, index::Index},
    work::Work,
};

/// So many runs of events are looked at, from the first to the last.
const RUNS: u64 = 32;

/// So many events follow each other in a run: about as many as lie on a page.
const RUN: u64 = 8;

impl Index {
    /// The first of some events that the store does not have any more as they were indexed; `None` if it has all
    /// of these. Says quickly that a store was not only added to; that it was, only a scan can say.
    pub fn first_changed(&self, store: &dyn EventStore, work: &Work) -> StoreResult<Option<u32>> {
        if !self.keys_rise {
            // A run of them is no range of the store's.
            return Ok(None);
        }
        for first in starts(self.len() as u64) {
            let end = (u64::from(first) + RUN).min(self.len() as u64) as u32;
            let range = KeyRange {
                after: first.checked_sub(1).and_then(|before| self.key(before)),
                until: self.key(end - 1),
            };
            let mut next = first;
            let mut is_same = true;
            store.scan(work, &range, &mut |row| {
                is_same = is_same && next < end && self.is_as_indexed(next, row);
                next += u32::from(is_same);
            })?;
            if !is_same || next < end {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    fn is_as_indexed(&self, ordinal: u32, found: &ScanRow<'_>) -> bool {
        let Some(row) = self.row(ordinal) else { return false };
        let is_of_stream = self.stream(row.stream).is_some_and(|info| {
            let name = &info.name;
            name.category.as_deref() == found.category
                && *name.id == *found.id
                && name.stored.as_deref() == found.stored
        });
        is_of_stream
            && (row.version, row.time) == (found.version, found.time)
            && row.position == found.position
            && self.type_name(row.event_type).is_some_and(|name| **name == *found.event_type)
            && self.key(ordinal).is_some_and(|key| found.key.with_parts(|parts| *key.0 == *parts))
    }
}

/// Where the runs begin: at the first event, so that the last one ends with the last event, and in each part between
/// somewhere else as the store grows.
fn starts(events: u64) -> Vec<u32> {
    let part = (events / RUNS).max(RUN);
    let spread = events.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let between = (1..RUNS).map(|number| number * part + spread % (part - RUN + 1));
    let last = events.saturating_sub(RUN);
    let mut starts: Vec<u32> = std::iter::once(0)
        .chain(between)
        .filter(|start| *start < last)
        .chain((events > 0).then_some(last))
        .filter_map(|start| u32::try_from(start).ok())
        .collect();
    starts.dedup();
    starts
}

#[cfg(test)]
mod tests {
    use super::{RUN, starts};

    /// How many runs there are, and whether they begin and end where the events do.
    fn check(events: u64, expected: usize) {
        let starts = starts(events);
        assert_eq!(starts.len(), expected, "{events}: {starts:?}");
        assert!(starts.is_sorted() && starts.first().is_none_or(|first| *first == 0));
        let end = starts.last().map_or(0, |last| (u64::from(*last) + RUN).min(events));
        assert_eq!(end, events);
    }

    #[test]
    fn runs_go_from_the_first_event_to_the_last() {
        check(0, 0);
        check(1, 1);
        check(8, 1);
        check(9, 2);
        check(100, 13);
        check(10_000_000, 33);
    }
}
