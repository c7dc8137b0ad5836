//! Numbers for the names that a scan meets, one look-up an event.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use crate::{model::StreamName, store::ScanRow};

/// Numbers of streams and types, in the order in which they first came.
#[derive(Debug)]
pub(crate) struct Names {
    seed: Seed,
    pub(crate) streams: Vec<Arc<StreamName>>,
    pub(crate) stream_hashes: Vec<u64>,
    known_streams: Table,
    /// The texts of all streams, one behind the other: comparing looks into one place, not four.
    spelled: String,
    spellings: Vec<Spelling>,
    pub(crate) types: Vec<Arc<str>>,
    known_types: Table,
    categories: BTreeMap<Arc<str>, Arc<str>>,
    /// The row before, which often has the same stream or type.
    last_stream: u32,
    last_type: u32,
}

impl Names {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            seed,
            streams: Vec::new(),
            stream_hashes: Vec::new(),
            known_streams: Table::default(),
            spelled: String::new(),
            spellings: Vec::new(),
            types: Vec::new(),
            known_types: Table::default(),
            categories: BTreeMap::new(),
            last_stream: 0,
            last_type: 0,
        }
    }

    pub(crate) fn stream(&mut self, row: &ScanRow<'_>) -> u32 {
        let (spelled, spellings) = (&self.spelled, &self.spellings);
        let is_same = |number: u32| spellings.get(number as usize).is_some_and(|own| own.is_of(spelled, row));
        if is_same(self.last_stream) {
            return self.last_stream;
        }
        let lengths = row.category.map_or(0, |category| category.len() as u64 + 1);
        let hash = self.seed.mix(lengths, row.stored.or(row.category).unwrap_or_default().as_bytes());
        let hash = self.seed.mix(hash, row.id.as_bytes());
        self.last_stream = match self.known_streams.find(hash, is_same) {
            Some(number) => number,
            None => self.add_stream(row, hash),
        };
        self.last_stream
    }

    fn add_stream(&mut self, row: &ScanRow<'_>, hash: u64) -> u32 {
        let number = self.streams.len() as u32;
        let category = row.category.map(|category| match self.categories.get(category) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = category.into();
                self.categories.insert(Arc::clone(&new), Arc::clone(&new));
                new
            }
        });
        self.spellings.push(Spelling {
            start: self.spelled.len(),
            category: row.category.map(str::len),
            id: row.id.len(),
            stored: row.stored.map(str::len),
        });
        for text in [row.category, Some(row.id), row.stored].into_iter().flatten() {
            self.spelled.push_str(text);
        }
        let id: Arc<str> = row.id.into();
        let stored =
            row.stored.map(|stored| if stored == row.id { Arc::clone(&id) } else { Arc::from(stored) });
        self.streams.push(Arc::new(StreamName { category, id, stored }));
        self.stream_hashes.push(hash);
        self.known_streams.add(hash, number);
        number
    }

    pub(crate) fn event_type(&mut self, name: &str) -> u32 {
        let types = &self.types;
        let is_same = |number: u32| types.get(number as usize).is_some_and(|known| **known == *name);
        if is_same(self.last_type) {
            return self.last_type;
        }
        let hash = self.seed.mix(0, name.as_bytes());
        self.last_type = match self.known_types.find(hash, is_same) {
            Some(number) => number,
            None => {
                let number = self.types.len() as u32;
                self.types.push(name.into());
                self.known_types.add(hash, number);
                number
            }
        };
        self.last_type
    }
}

/// Where a stream's texts lie, and how long each is.
#[derive(Debug)]
struct Spelling {
    start: usize,
    category: Option<usize>,
    id: usize,
    stored: Option<usize>,
}

impl Spelling {
    /// Whether a row's stream is spelled so.
    fn is_of(&self, spelled: &str, row: &ScanRow<'_>) -> bool {
        if self.id != row.id.len()
            || self.category != row.category.map(str::len)
            || self.stored != row.stored.map(str::len)
        {
            return false;
        }
        let mut rest = spelled.as_bytes().get(self.start..).unwrap_or_default();
        [row.category, Some(row.id), row.stored].into_iter().flatten().all(|text| {
            let is_next = rest.starts_with(text.as_bytes());
            rest = rest.get(text.len()..).unwrap_or_default();
            is_next
        })
    }
}

/// What hashes begin with. Random, so that nobody can make a file in which all names collide; it
/// decides how fast a name is found, never what is found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seed(u64);

impl Seed {
    pub(crate) fn random() -> Self {
        Self(RandomState::new().hash_one(0))
    }

    /// Takes a text into a hash, eight bytes at a time. The standard hasher costs as much as
    /// reading the row.
    pub(crate) fn mix(self, hash: u64, text: &[u8]) -> u64 {
        let (words, rest) = text.as_chunks::<8>();
        let start = fold(hash ^ self.0 ^ ((text.len() as u64) << 32));
        let whole = words.iter().fold(start, |hash, word| fold(hash ^ self.0 ^ u64::from_le_bytes(*word)));
        // The last eight bytes, some of them again: quicker than byte by byte.
        let last = text.last_chunk().map(|word| u64::from_le_bytes(*word));
        fold(whole ^ last.unwrap_or_else(|| rest.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte))))
    }
}

/// Multiplies by an odd number and folds the two halves of the product together.
fn fold(value: u64) -> u64 {
    let product = u128::from(value) * 0x9e37_79b9_7f4a_7c15_u128;
    (product as u64) ^ ((product >> 64) as u64)
}

/// Finds numbers by hashes: open addressing, a quarter of it empty at least.
#[derive(Debug, Default, Clone)]
pub(crate) struct Table {
    /// As many as a power of two.
    slots: Vec<Slot>,
    len: usize,
}

/// A number, and the upper half of its hash: that chooses the slot, and a look elsewhere is only taken where all
/// of it agrees.
#[derive(Debug, Clone, Copy)]
struct Slot {
    number: u32,
    mark: u32,
}

const EMPTY: Slot = Slot { number: u32::MAX, mark: 0 };

impl Table {
    /// The number with this hash that is the same.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_same: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mark = (hash >> 32) as u32;
        let mut place = mark as usize & mask;
        loop {
            let slot = *self.slots.get(place)?;
            if slot.number == EMPTY.number {
                return None;
            }
            if slot.mark == mark && is_same(slot.number) {
                return Some(slot.number);
            }
            place = (place + 1) & mask;
        }
    }

    /// Adds a number that is not there yet.
    pub(crate) fn add(&mut self, hash: u64, number: u32) {
        self.len += 1;
        if self.len > self.slots.len() / 4 * 3 {
            let more = vec![EMPTY; (self.slots.len() * 2).max(64)];
            for slot in std::mem::replace(&mut self.slots, more) {
                if slot.number != EMPTY.number {
                    self.place(slot);
                }
            }
        }
        self.place(Slot { number, mark: (hash >> 32) as u32 });
    }

    fn place(&mut self, new: Slot) {
        let mask = self.slots.len().saturating_sub(1);
        let mut place = new.mark as usize & mask;
        while let Some(slot) = self.slots.get_mut(place) {
            if slot.number == EMPTY.number {
                *slot = new;
                return;
            }
            place = (place + 1) & mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ScanKey;

    fn check(names: &mut Names, parts: (Option<&str>, &str, Option<&str>), expected: u32) {
        let (category, id, stored) = parts;
        let key = ScanKey::Integer(1);
        let (position, version, time) = (None, None, None);
        let row = ScanRow { key, position, category, id, stored, version, event_type: "", time };
        assert_eq!(names.stream(&row), expected, "{category:?} {id} {stored:?}");
    }

    #[test]
    fn names_that_look_alike_joined_are_different() {
        let mut names = Names::new(Seed::random());
        let different = [
            (None, "ab", None),
            (None, "ab", Some("ab")),
            (None, "a", Some("b")),
            (Some("a"), "b", None),
            (Some("a"), "b", Some("ab")),
            (Some("b"), "b", Some("ab")),
            (Some(""), "ab", None),
            (Some("ab"), "", None),
        ];
        for _ in 0..2 {
            for (parts, expected) in different.into_iter().zip(0..) {
                check(&mut names, parts, expected);
            }
        }
    }

    #[test]
    fn a_table_finds_numbers_whose_hashes_collide() {
        let mut table = Table::default();
        for number in 0..1000_u32 {
            let hash = u64::from(number % 7) << 32;
            assert_eq!(table.find(hash, |other| other == number), None);
            table.add(hash, number);
        }
        for number in 0..1000_u32 {
            let hash = u64::from(number % 7) << 32;
            assert_eq!(table.find(hash, |other| other == number), Some(number));
        }
    }
}
