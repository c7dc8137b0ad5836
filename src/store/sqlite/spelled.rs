//! The names that the rows of a scan spell again and again: each is checked, taken apart and numbered once.

use crate::store::{
    decode::Value,
    index::names::{Seed, Table},
    layout::Role,
    sqlite::{
        plan::{Select, Take},
        rows::{Fields, Named},
    },
};

/// So many names are kept at most; then they are met anew. Few streams are long, and those come soon.
const MOST_NAMES: u32 = 1 << 16;

/// Names of so many bytes are kept, and one more.
const MOST_BYTES: usize = 64 << 20;

/// Names of one kind, by the bytes that spell them.
///
/// What a look-up compares lies close together, and apart from what it finds: most of it stays in the cache then,
/// which is what a look-up costs.
#[derive(Debug)]
pub(super) struct Spelled {
    seed: Seed,
    /// Where the record of each name begins.
    table: Table,
    /// A record is a head and the bytes that spell the name, the name itself first.
    records: Vec<u8>,
    meanings: Vec<Meaning>,
    text: String,
    /// The number of the first name; those before were given up.
    first: u32,
}

/// What a row spells a name with: the column of the name itself, and the column of its category if there is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spelling<'v> {
    own: &'v [u8],
    category: Option<&'v [u8]>,
}

/// Bytes of the head of a record: three numbers of four bytes.
const HEAD: usize = 12;

/// What a record begins with.
#[derive(Debug, Clone, Copy)]
struct Head {
    /// The number of the name, from 0.
    number: u32,
    /// Bytes of the name itself.
    own: u32,
    /// Bytes of the category, and one; 0 without a category.
    category: u32,
}

impl Head {
    fn of(spelling: Spelling<'_>, number: u32) -> Self {
        let category = spelling.category.map_or(0, |category| category.len() as u32 + 1);
        Self { number, own: spelling.own.len() as u32, category }
    }

    #[inline]
    fn read(bytes: &[u8; HEAD]) -> Self {
        let (fields, _) = bytes.as_chunks::<4>();
        let field = |at: usize| fields.get(at).map_or(0, |field| u32::from_le_bytes(*field));
        Self { number: field(0), own: field(1), category: field(2) }
    }

    fn bytes(self) -> impl Iterator<Item = u8> {
        [self.number, self.own, self.category].into_iter().flat_map(u32::to_le_bytes)
    }
}

/// Where the parts of a name lie in the text, one behind the other. Lengths in bytes.
#[derive(Debug)]
struct Meaning {
    start: usize,
    category: Option<u32>,
    id: u32,
    stored: Option<u32>,
}

/// A name as it was taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) category: Option<&'a str>,
    pub(super) id: &'a str,
    pub(super) stored: Option<&'a str>,
}

impl<'v> Spelling<'v> {
    /// How a row spells its stream; nothing where that takes more than a text or two.
    #[inline]
    pub(super) fn of_stream(fields: &'v Fields<'_>, select: &Select) -> Option<Self> {
        let Some(Take::Column { at, .. }) = select.of(Role::Stream) else { return None };
        let Value::Text(own) = fields.column(*at) else { return None };
        let category = match select.of(Role::Category) {
            None | Some(Take::Prefix(_)) => None,
            Some(Take::Column { at, .. }) => match fields.column(*at) {
                Value::Text(bytes) => Some(bytes),
                Value::Null => None,
                Value::Integer(_) | Value::Real(_) | Value::Blob(_) => return None,
            },
            Some(Take::Json { .. } | Take::Class | Take::Tag(_)) => return None,
        };
        Some(Self { own, category })
    }

    /// How a row spells its event type.
    #[inline]
    pub(super) fn of_type(fields: &'v Fields<'_>, select: &Select) -> Option<Self> {
        let Some(Take::Column { at, .. }) = select.of(Role::EventType) else { return None };
        let Value::Text(own) = fields.column(*at) else { return None };
        Some(Self { own, category: None })
    }

    fn hash(self, seed: Seed) -> u64 {
        let hash = self.category.map_or(0, |category| seed.mix(1, category));
        seed.mix(hash, self.own)
    }

    /// Whether the record that begins here is of this spelling.
    #[inline]
    fn is_at(self, record: &[u8]) -> bool {
        let Some((head, bytes)) = record.split_first_chunk() else { return false };
        let Head { own, category, .. } = Head::read(head);
        own as usize == self.own.len()
            && category as usize == self.category.map_or(0, |category| category.len() + 1)
            && bytes.starts_with(self.own)
            && self.category.is_none_or(|category| {
                bytes.get(own as usize..).is_some_and(|behind| behind.starts_with(category))
            })
    }
}

impl Spelled {
    pub(super) fn new(seed: Seed) -> Self {
        Self {
            seed,
            table: Table::default(),
            records: Vec::new(),
            meanings: Vec::new(),
            text: String::new(),
            first: 0,
        }
    }

    /// The number of a name that was met before.
    #[inline]
    pub(super) fn find(&self, spelling: Spelling<'_>) -> Option<u32> {
        let record = |at: u32| self.records.get(at as usize..).unwrap_or_default();
        let at = self.table.find(spelling.hash(self.seed), |at| spelling.is_at(record(at)))?;
        let head = record(at).first_chunk()?;
        Some(self.first + Head::read(head).number)
    }

    /// Keeps a name that is as it should be; nothing where its spelling is no text.
    #[cold]
    pub(super) fn add(&mut self, spelling: Spelling<'_>, named: &Named<'_>) -> Option<u32> {
        let is_text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
        if !is_text(spelling.own) || !spelling.category.is_none_or(is_text) {
            return None;
        }
        let number = self.meanings.len() as u32;
        if number == MOST_NAMES || self.records.len() > MOST_BYTES {
            let first = self.first.checked_add(number)?;
            *self = Self { first, ..Self::new(self.seed) };
        }
        let number = self.meanings.len() as u32;
        self.table.add(spelling.hash(self.seed), self.records.len() as u32);
        self.records.extend(Head::of(spelling, number).bytes());
        self.records.extend(spelling.own);
        self.records.extend(spelling.category.unwrap_or_default());
        let len = |text: &str| text.len() as u32;
        let parts = [named.category.as_deref(), Some(&*named.id), named.stored.as_deref()];
        self.meanings.push(Meaning {
            start: self.text.len(),
            category: named.category.as_deref().map(len),
            id: len(&named.id),
            stored: named.stored.as_deref().map(len),
        });
        parts.into_iter().flatten().for_each(|part| self.text.push_str(part));
        Some(self.first + number)
    }

    /// What a name that was met before means.
    #[inline]
    pub(super) fn parts(&self, number: u32) -> Option<Parts<'_>> {
        let name = self.meanings.get(number.checked_sub(self.first)? as usize)?;
        let mut start = name.start;
        let mut next = |len: u32| {
            let text = self.text.get(start..start + len as usize).unwrap_or_default();
            start += len as usize;
            text
        };
        Some(Parts {
            category: name.category.map(&mut next),
            id: next(name.id),
            stored: name.stored.map(&mut next),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spelled: &mut Spelled, spelling: Spelling<'_>, named: &Named<'_>, number: u32) {
        assert_eq!(spelled.find(spelling).or_else(|| spelled.add(spelling, named)), Some(number));
        let parts = spelled.parts(number).map(|parts| (parts.category, parts.id, parts.stored));
        let expected = (named.category.as_deref(), &*named.id, named.stored.as_deref());
        assert_eq!(parts, Some(expected), "{spelling:?}");
    }

    #[test]
    fn names_are_numbered_by_all_that_spells_them() {
        let mut spelled = Spelled::new(Seed::random());
        let named = |category: Option<&'static str>, id: &'static str, stored: Option<&'static str>| Named {
            category: category.map(Into::into),
            id: id.into(),
            stored: stored.map(Into::into),
        };
        let spelling = |own: &'static str, category: Option<&'static str>| Spelling {
            own: own.as_bytes(),
            category: category.map(str::as_bytes),
        };
        for _ in 0..2 {
            check(&mut spelled, spelling("ab", None), &named(None, "ab", Some("ab")), 0);
            check(&mut spelled, spelling("a", Some("b")), &named(Some("b"), "a", None), 1);
            check(&mut spelled, spelling("ab", Some("")), &named(Some(""), "ab", None), 2);
            check(&mut spelled, spelling("", Some("ab")), &named(Some("ab"), "", None), 3);
            check(&mut spelled, spelling("x-1", None), &named(Some("x"), "1", Some("x-1")), 4);
        }
        assert_eq!(
            spelled.add(Spelling { own: &[0xff], category: None }, &named(None, "\u{fffd}", None)),
            None
        );
    }

    #[test]
    fn names_that_were_given_up_get_new_numbers() {
        let mut spelled = Spelled::new(Seed::random());
        let named = Named { category: None, id: "same".into(), stored: None };
        for number in 0..MOST_NAMES + 2 {
            let text = number.to_string();
            let spelling = Spelling { own: text.as_bytes(), category: None };
            assert_eq!(spelled.add(spelling, &named), Some(number));
        }
        assert_eq!(spelled.find(Spelling { own: b"7", category: None }), None);
        assert!(spelled.parts(7).is_none());
        let last = MOST_NAMES;
        assert_eq!(spelled.find(Spelling { own: last.to_string().as_bytes(), category: None }), Some(last));
        assert_eq!(spelled.parts(last).map(|parts| parts.id), Some("same"));
    }
}
