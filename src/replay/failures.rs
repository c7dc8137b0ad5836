//! The steps of a history that failed: all of them, or as many as a timeline can tell apart.

use std::collections::BTreeMap;

use crate::{model::Failure, replay::history::History};

impl History {
    /// The steps that failed, as far as the history was folded: counts, and why.
    #[must_use]
    pub fn failures(&self) -> BTreeMap<usize, Failure> {
        self.first_failures(usize::MAX)
    }

    /// The first of them.
    #[must_use]
    pub fn first_failures(&self, most: usize) -> BTreeMap<usize, Failure> {
        self.with_failures(|failures, up_to| {
            let first = failures.range(..=up_to).take(most);
            first.map(|(count, failure)| (*count, failure.clone())).collect()
        })
    }

    /// The counts of the steps that failed, as far as the history was folded, in order: the first in each of so
    /// many parts of the history. Asking takes no longer if very many failed.
    #[must_use]
    pub fn failed_counts(&self, parts: usize) -> Vec<usize> {
        let length = self.len();
        self.with_failures(|failures, up_to| {
            let next = |from: usize| {
                let (count, _) = failures.range(from..).next().filter(|(count, _)| **count <= up_to)?;
                Some(*count)
            };
            let behind = |count: usize| end_of_part(count, parts, length);
            std::iter::successors(next(0), |count| next(behind(*count))).collect()
        })
    }

    /// How many steps failed, as far as the history was folded.
    #[must_use]
    pub fn failure_count(&self) -> usize {
        self.with_failures(|failures, up_to| {
            let is_whole = failures.keys().next_back().is_none_or(|last| *last <= up_to);
            if is_whole { failures.len() } else { failures.range(..=up_to).count() }
        })
    }

    /// The failures, and up to which count they are meant: those that are still to be taken over, until they are.
    pub(super) fn with_failures<T>(&self, use_it: impl FnOnce(&BTreeMap<usize, Failure>, usize) -> T) -> T {
        match self.legacy() {
            Some((old, up_to)) => old.with_told(|told| use_it(&told.failures, up_to)),
            None => self.with_told(|told| use_it(&told.failures, usize::MAX)),
        }
    }
}

/// Behind which count the part of a history ends that a count lies in, of so many parts; the next count at least.
#[must_use]
pub fn end_of_part(count: usize, parts: usize, length: usize) -> usize {
    let (parts, length) = (parts.max(1), length.max(1));
    if length <= parts {
        return count + 1;
    }
    // A count times the parts of a timeline is far from too much.
    let part = count.saturating_mul(parts) / length;
    (part + 1).saturating_mul(length).div_ceil(parts).max(count + 1)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use super::end_of_part;
    use crate::{
        model::{Failure, Json, StreamName},
        replay::{HeldEvents, History, Merge, OnFailure},
        store::memory::event,
        work::Work,
    };

    fn history(events: i64) -> History {
        let stream = StreamName::of("order", "1");
        let data = |number: i64| Json::object([("n", Json::from(number))]);
        let events = (1..=events).map(|number| event(number, &stream, number, "Noted", data(number)));
        let merge = Arc::new(Merge::for_category(None));
        History::new(Arc::new(HeldEvents(events.collect())), merge, OnFailure::GoOn, 1 << 20)
    }

    /// The first failure of each part is told.
    fn check(events: i64, failed: impl Iterator<Item = usize>, parts: usize) {
        let history = history(events);
        let failed: Vec<usize> = failed.collect();
        for count in &failed {
            history.with_told(|told| told.failures.insert(*count, Failure::new("it failed")));
        }
        let mut expected = Vec::new();
        let mut known = BTreeSet::new();
        for count in failed {
            if known.insert(end_of_part(count, parts, history.len())) {
                expected.push(count);
            }
        }
        assert_eq!(history.failed_counts(parts), expected);
    }

    #[test]
    fn of_very_many_failures_one_in_each_part_is_told() {
        check(100, 1..=100, 10);
        check(100, (1..=100).step_by(7), 1000);
        check(97, (3..=97).filter(|count| count % 5 != 0), 13);
        check(5, 2..=3, 5);
        assert!(history(1000).failed_counts(10).is_empty());
        let (parts, length) = (7, 100);
        let ends: BTreeSet<usize> = (0..=length).map(|count| end_of_part(count, parts, length)).collect();
        assert!((7..=8).contains(&ends.len()), "{ends:?}");
        assert!((0..=length).all(|count| end_of_part(count, parts, length) > count));
    }

    #[test]
    fn what_is_to_be_taken_over_is_told_before_it_is() {
        let old = Arc::new(history(1000));
        for count in [3, 500, 900] {
            old.with_told(|told| told.failures.insert(count, Failure::new("it failed")));
        }
        old.fold_all(&Work::default()).unwrap();
        let new = history(1000);
        new.adopt(Arc::clone(&old), 600);
        let told = |history: &History| (history.failure_count(), history.failed_counts(4000));
        assert_eq!(told(&new), (2, vec![3, 500]));
        assert_eq!((new.folded(), new.figures().keyframes), (0, 0));
        new.step_at(10, &Work::default()).unwrap();
        assert_eq!(told(&new), (2, vec![3, 500]));
        assert_eq!(new.folded(), 600);
        assert_eq!(Arc::strong_count(&old), 1, "it is let go of");
    }
}
