//! Long lists that arrive in parts and are shared with the view: adding to one copies no more than where its
//! parts lie.

use std::sync::Arc;

/// A list in parts. A clone shares them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces<T> {
    /// Each part that holds anything, with how many lie before it.
    parts: Arc<Vec<(usize, Arc<Vec<T>>)>>,
    len: usize,
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self { parts: Arc::default(), len: 0 }
    }
}

impl<T> Pieces<T> {
    /// Adds a part at the end.
    pub fn add(&mut self, part: Vec<T>) {
        if part.is_empty() {
            return;
        }
        let before = self.len;
        self.len += part.len();
        Arc::make_mut(&mut self.parts).push((before, Arc::new(part)));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The one at a place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&T> {
        let next = self.parts.partition_point(|(before, _)| *before <= place);
        let (before, part) = self.parts.get(next.checked_sub(1)?)?;
        part.get(place - before)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.parts.iter().flat_map(|(_, part)| part.iter())
    }

    /// How many lie before the first that does not come `before` something, in a list that is ordered so.
    #[must_use]
    pub fn partition_point(&self, before: impl Fn(&T) -> bool) -> usize {
        let is_behind = |part: &Vec<T>| part.last().is_some_and(&before);
        let place = self.parts.partition_point(|(_, part)| is_behind(part));
        match self.parts.get(place) {
            Some((start, part)) => start + part.partition_point(&before),
            None => self.len,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pieces;

    fn check(parts: &[&[u32]]) {
        let mut pieces = Pieces::default();
        for part in parts {
            let shared = pieces.clone();
            pieces.add(part.to_vec());
            assert_eq!(shared.len() + part.len(), pieces.len());
        }
        let all: Vec<u32> = parts.concat();
        assert_eq!(pieces.iter().copied().collect::<Vec<_>>(), all);
        assert_eq!((pieces.len(), pieces.is_empty()), (all.len(), all.is_empty()));
        for place in 0..=all.len() {
            assert_eq!(pieces.get(place), all.get(place));
        }
        for limit in 0..=all.last().map_or(1, |last| last + 1) {
            let before = |number: &u32| *number < limit;
            assert_eq!(pieces.partition_point(before), all.partition_point(before), "{limit}");
        }
    }

    #[test]
    fn parts_read_as_one_list() {
        check(&[]);
        check(&[&[]]);
        check(&[&[1, 3], &[], &[5], &[8, 9, 12], &[]]);
        check(&[&[], &[2], &[4, 6]]);
    }

    #[test]
    fn adding_moves_nothing_that_is_shared() {
        let mut pieces = Pieces::default();
        pieces.add(vec![1; 1000]);
        let (view, first) = (pieces.clone(), pieces.get(0).map(std::ptr::from_ref));
        pieces.add(vec![2]);
        assert_eq!(pieces.get(0).map(std::ptr::from_ref), first);
        assert_eq!((view.len(), pieces.len()), (1000, 1001));
    }
}
