//! The events that answer a query: a set of ordinals, chunk by chunk.

use std::sync::Arc;

use crate::store::index::chunk::CHUNK;

/// As many words of 64 bits as a chunk has events.
const WORDS: usize = CHUNK / 64;

/// A set of events, in global order.
///
/// At most a bit an event, whatever it holds; the event at a place and the place of an event are found by
/// counts.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    chunks: Vec<Chosen>,
    /// How many events are chosen up to the end of each chunk.
    ends: Vec<u32>,
}

/// Which events of a chunk are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chosen {
    /// The first so many: none, or all of a chunk.
    First(u32),
    /// These, rising.
    Few(Arc<[u16]>),
    /// Those whose bits are set.
    Bits(Arc<[u64]>),
}

impl Chosen {
    /// Of bits, in the form that takes the least room; `len` is the length of the chunk.
    pub(super) fn of_bits(bits: Vec<u64>, len: usize) -> Self {
        let count: u32 = bits.iter().map(|word| word.count_ones()).sum();
        if count == 0 || count as usize == len {
            return Self::First(count);
        }
        if count as usize * size_of::<u16>() < bits.len() * size_of::<u64>() {
            return Self::Few(ones(&bits).map(|row| row as u16).collect());
        }
        Self::Bits(bits.into())
    }

    /// Of rising places.
    pub(super) fn of_rows(rows: &[u32], len: usize) -> Self {
        let mut bits = vec![0_u64; WORDS];
        for row in rows {
            if let Some(word) = bits.get_mut(*row as usize / 64) {
                *word |= 1 << (row % 64);
            }
        }
        Self::of_bits(bits, len)
    }

    fn len(&self) -> u32 {
        match self {
            Self::First(count) => *count,
            Self::Few(rows) => rows.len() as u32,
            Self::Bits(bits) => bits.iter().map(|word| word.count_ones()).sum(),
        }
    }

    fn contains(&self, row: u32) -> bool {
        match self {
            Self::First(count) => row < *count,
            Self::Few(rows) => rows.binary_search(&(row as u16)).is_ok(),
            Self::Bits(bits) => bits.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1),
        }
    }

    /// The row at a place.
    fn get(&self, place: u32) -> Option<u32> {
        match self {
            Self::First(count) => (place < *count).then_some(place),
            Self::Few(rows) => rows.get(place as usize).copied().map(u32::from),
            Self::Bits(bits) => {
                let mut rest = place;
                for (number, word) in (0..).zip(bits.iter()) {
                    let count = word.count_ones();
                    if rest < count {
                        let mut word = *word;
                        for _ in 0..rest {
                            word &= word - 1;
                        }
                        return Some(number * 64 + word.trailing_zeros());
                    }
                    rest -= count;
                }
                None
            }
        }
    }

    /// How many are chosen before a row.
    fn count_before(&self, row: u32) -> u32 {
        match self {
            Self::First(count) => row.min(*count),
            Self::Few(rows) => rows.partition_point(|other| u32::from(*other) < row) as u32,
            Self::Bits(bits) => {
                let whole: u32 = bits.iter().take(row as usize / 64).map(|word| word.count_ones()).sum();
                let last = bits.get(row as usize / 64).map_or(0, |word| word & ((1 << (row % 64)) - 1));
                whole + last.count_ones()
            }
        }
    }

    fn rows(&self) -> Vec<u32> {
        match self {
            Self::First(count) => (0..*count).collect(),
            Self::Few(rows) => rows.iter().copied().map(u32::from).collect(),
            Self::Bits(bits) => ones(bits).collect(),
        }
    }
}

/// The places of all bits that are set.
fn ones(bits: &[u64]) -> impl Iterator<Item = u32> {
    (0..).zip(bits).flat_map(|(number, word)| {
        let mut rest = *word;
        std::iter::from_fn(move || {
            let place = (rest != 0).then(|| rest.trailing_zeros())?;
            rest &= rest - 1;
            Some(number * 64 + place)
        })
    })
}

impl Selection {
    /// Of what is chosen in each chunk.
    pub(super) fn of_chunks(chunks: Vec<Chosen>) -> Self {
        let mut end = 0;
        let ends = chunks.iter().map(|chosen| {
            end += chosen.len();
            end
        });
        let ends = ends.collect();
        Self { chunks, ends }
    }

    /// Of rising ordinals among so many events.
    pub(super) fn of_ordinals(ordinals: &[u32], len: usize) -> Self {
        let mut rest = ordinals;
        let chunks = (0..len.div_ceil(CHUNK)).map(|number| {
            let start = (number * CHUNK) as u32;
            let own = rest.split_off(..rest.partition_point(|ordinal| *ordinal - start < CHUNK as u32));
            let rows: Vec<u32> = own.unwrap_or_default().iter().map(|ordinal| ordinal - start).collect();
            Chosen::of_rows(&rows, CHUNK.min(len - start as usize))
        });
        Self::of_chunks(chunks.collect())
    }

    /// How many events it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or_default() as usize
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many lie before a chunk.
    fn before(&self, chunk: usize) -> u32 {
        chunk.checked_sub(1).and_then(|before| self.ends.get(before).copied()).unwrap_or_default()
    }

    /// The event at a place, as its ordinal.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<u32> {
        let place = u32::try_from(place).ok()?;
        let chunk = self.ends.partition_point(|end| *end <= place);
        let row = self.chunks.get(chunk)?.get(place - self.before(chunk))?;
        Some((chunk * CHUNK) as u32 + row)
    }

    /// Whether it holds an event.
    #[must_use]
    pub fn contains(&self, ordinal: u32) -> bool {
        let chunk = self.chunks.get(ordinal as usize / CHUNK);
        chunk.is_some_and(|chosen| chosen.contains(ordinal % CHUNK as u32))
    }

    /// How many of its events lie before an ordinal.
    #[must_use]
    pub fn count_before(&self, ordinal: u32) -> usize {
        let chunk = ordinal as usize / CHUNK;
        match self.chunks.get(chunk) {
            Some(chosen) => (self.before(chunk) + chosen.count_before(ordinal % CHUNK as u32)) as usize,
            None => self.len(),
        }
    }

    /// The place of an event, if it is there.
    #[must_use]
    pub fn place_of(&self, ordinal: u32) -> Option<usize> {
        self.contains(ordinal).then(|| self.count_before(ordinal))
    }

    /// Whether another selection is the beginning of this one, so that every event there has its place here.
    #[must_use]
    pub fn starts_with(&self, other: &Self) -> bool {
        // Only the last chunk of the other may have grown.
        let Some((last, whole)) = other.chunks.split_last() else { return true };
        self.chunks.get(..whole.len()).is_some_and(|own| own == whole)
            && self.chunks.get(whole.len()).is_some_and(|own| own.rows().starts_with(&last.rows()))
    }

    /// All events, as ordinals in global order.
    #[must_use]
    pub fn iter(&self) -> SelectionIter<'_> {
        SelectionIter { of: self, chunk: 0, rows: Vec::new().into_iter() }
    }

    /// How much memory it takes, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let of = |chosen: &Chosen| match chosen {
            Chosen::First(_) => 0,
            Chosen::Few(rows) => rows.len() * size_of::<u16>(),
            Chosen::Bits(bits) => bits.len() * size_of::<u64>(),
        };
        let entry = size_of::<Chosen>() + size_of::<u32>();
        self.chunks.iter().map(of).sum::<usize>() + self.chunks.len() * entry
    }
}

/// Goes along the events of a selection.
#[derive(Debug, Clone)]
pub struct SelectionIter<'a> {
    of: &'a Selection,
    chunk: usize,
    rows: std::vec::IntoIter<u32>,
}

impl Iterator for SelectionIter<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(((self.chunk - 1) * CHUNK) as u32 + row);
            }
            self.rows = self.of.chunks.get(self.chunk)?.rows().into_iter();
            self.chunk += 1;
        }
    }
}

impl<'a> IntoIterator for &'a Selection {
    type Item = u32;
    type IntoIter = SelectionIter<'a>;

    fn into_iter(self) -> SelectionIter<'a> {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::{CHUNK, Selection};

    /// Ordinals among so many, a share of them chosen by a rule that is dense in some chunks and not in others.
    fn chosen(len: usize, keep: [u32; 4]) -> Vec<u32> {
        let is_kept = |ordinal: &u32| match keep.get(*ordinal as usize / CHUNK) {
            Some(0) | None => false,
            Some(every) => ordinal.is_multiple_of(*every),
        };
        (0..len as u32).filter(is_kept).collect()
    }

    fn check(len: usize, keep: [u32; 4]) {
        let expected = chosen(len, keep);
        let found = Selection::of_ordinals(&expected, len);
        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        assert_eq!(found.len(), expected.len());
        let place = |ordinal: u32| expected.binary_search(&ordinal).ok();
        for ordinal in (0..len as u32 + 3).step_by(61) {
            assert_eq!(found.place_of(ordinal), place(ordinal), "{ordinal}");
            assert_eq!(found.count_before(ordinal), expected.partition_point(|other| *other < ordinal));
        }
        for at in (0..expected.len() + 2).step_by(61) {
            assert_eq!(found.get(at), expected.get(at).copied(), "{at}");
        }
        assert!(found.memory_bytes() <= len / 8 + 1024);
    }

    #[test]
    fn a_selection_answers_as_a_list_of_ordinals() {
        check(0, [1; 4]);
        check(1, [1; 4]);
        check(CHUNK, [1; 4]);
        check(CHUNK, [3; 4]);
        check(3 * CHUNK + 77, [1, 0, 3, 1]);
        check(3 * CHUNK + 77, [1000, 2, 0, 0]);
        check(4 * CHUNK, [0; 4]);
    }

    proptest! {
        #[test]
        fn a_selection_begins_with_another_as_lists_do(len in 1_usize..3000, more in 0_usize..3000, every in 1_u32..9, spoilt in proptest::option::of(0_usize..3000)) {
            let before = chosen(len, [every; 4]);
            let mut now = chosen(len + more, [every; 4]);
            if let Some(spoilt) = spoilt.filter(|spoilt| *spoilt < now.len()) {
                now.remove(spoilt);
            }
            let (old, new) = (Selection::of_ordinals(&before, len), Selection::of_ordinals(&now, len + more));
            prop_assert_eq!(new.starts_with(&old), now.starts_with(&before));
            prop_assert!(Selection::of_ordinals(&now, CHUNK + len + more).starts_with(&new));
        }
    }
}
