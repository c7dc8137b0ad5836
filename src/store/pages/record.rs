//! Records: which bytes of a payload are which column, and what they say.

use std::cell::{Cell, OnceCell};

use crate::{
    model::Stored,
    store::{
        decode::Value,
        pages::{
            Damage, PageFile,
            number::{four, signed, varint},
            shape::Shape,
        },
    },
};

/// A value that a walk is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// The row number, also where a column of its own names it.
    RowId,
    /// A column.
    Column {
        /// Its place in the record, from 0.
        at: usize,
        /// Whether it is declared as a floating-point number: whole ones are stored as integers then.
        is_real: bool,
        /// What it is in records that were written before there was such a column.
        missing: Missing,
    },
}

/// What stands for a column that a record ends before.
#[derive(Debug, Clone, PartialEq)]
pub enum Missing {
    /// This value.
    Value(Stored),
    /// Something that only SQLite can tell: such a record counts as damage.
    Unknown,
}

/// The columns that a walk is asked for, in any order.
#[derive(Debug, Clone)]
pub struct Columns {
    fields: Vec<Field>,
    /// Place in the record and in `fields`, by place in the record.
    order: Vec<(usize, usize)>,
    /// The same with whether it is declared as a floating-point number, where rows can be decoded the quick way.
    quick: Option<Vec<(usize, usize, bool)>>,
    /// Places in `fields` of the row number.
    rowids: Vec<usize>,
}

/// So many columns at most are decoded the quick way: more than an event has roles.
pub(super) const MOST_VALUES: usize = 16;

/// The values of a row that lies on its page as a whole.
pub(super) type Values<'p> = [Value<'p>; MOST_VALUES];

impl Columns {
    /// Settles which columns are wanted.
    #[must_use]
    pub fn new(fields: Vec<Field>) -> Self {
        let place = |(field, wanted): (usize, &Field)| match wanted {
            Field::RowId => None,
            Field::Column { at, .. } => Some((*at, field)),
        };
        let mut order: Vec<(usize, usize)> = fields.iter().enumerate().filter_map(place).collect();
        order.sort_unstable();
        let real = |field: usize| matches!(fields.get(field), Some(Field::Column { is_real: true, .. }));
        let is_twice = order.windows(2).any(|pair| matches!(pair, [(left, _), (right, _)] if left == right));
        let quick = order.iter().map(|(at, field)| (*at, *field, real(*field)));
        let quick = (!is_twice && fields.len() <= MOST_VALUES).then(|| quick.collect());
        let is_rowid = |(field, wanted): (usize, &Field)| (*wanted == Field::RowId).then_some(field);
        let rowids = fields.iter().enumerate().filter_map(is_rowid).collect();
        Self { fields, order, quick, rowids }
    }

    /// Decodes a record that lies on its page as a whole and is of the common form; nothing for any other, and
    /// for one that may be damaged.
    #[inline]
    pub(super) fn decode<'p>(&self, record: &'p [u8], rowid: i64, values: &mut Values<'p>) -> Option<()> {
        let quick = self.quick.as_deref()?;
        let size = usize::from(*record.first()?);
        let (header, mut content) = record.split_at_checked(size)?;
        let mut header = header.get(1..)?;
        // A size of several bytes begins with a greater one.
        if size >= 0x80 {
            return None;
        }
        let mut next = 0;
        for (at, field, is_real) in quick {
            loop {
                let (serial, rest) = varint(header)?;
                header = rest;
                next += 1;
                if next > *at {
                    let (value, rest) = value(serial, content)?;
                    content = rest;
                    *values.get_mut(*field)? = match value {
                        Value::Integer(number) if *is_real => Value::Real(number as f64),
                        value => value,
                    };
                    break;
                }
                content = content.get(meaning(serial).ok()?.1..)?;
            }
        }
        for field in &self.rowids {
            *values.get_mut(*field)? = Value::Integer(rowid);
        }
        (!header.is_empty() || content.is_empty()).then_some(())
    }

    /// Where the wanted columns of a record lie, in the order in which they are wanted, and whether each is
    /// declared as a floating-point number. Nothing where they are not wanted in the order of the record.
    pub(super) fn places(&self, record: &[u8]) -> Option<Vec<(Place, bool)>> {
        let size = usize::from(*record.first()?);
        let mut reading = Reading { rest: record.get(1..size)?, at: 0, start: size };
        let mut place = |field: &Field| match field {
            Field::Column { at, is_real, .. } if *at >= reading.at => {
                Some((reading.place(*at).ok()??, *is_real))
            }
            Field::Column { .. } | Field::RowId => None,
        };
        self.fields.iter().map(&mut place).collect()
    }

    /// The first `count` columns of an index's entries, numbers of declared floating-point columns told by
    /// `is_real`.
    #[must_use]
    pub fn of_index(is_real: &[bool]) -> Self {
        let field = |(at, is_real): (usize, &bool)| Field::Column {
            at,
            is_real: *is_real,
            missing: Missing::Unknown,
        };
        Self::new(is_real.iter().enumerate().map(field).collect())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether none is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// Where a wanted column lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    kind: Kind,
    start: u32,
    len: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Missing,
    Null,
    Zero,
    One,
    Integer,
    Real,
    Text,
    Blob,
}

/// A row as it lies on its page, or an entry of an index.
#[derive(Debug)]
pub struct PageRow<'a> {
    rowid: i64,
    source: Source<'a>,
}

/// Where the values of a row come from.
#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    /// All of them were decoded the quick way; the row lies on its page as a whole.
    Values(&'a [Value<'a>]),
    /// They lie where those of the record before lay; so does this one.
    Shaped(&'a [u8], &'a Shape),
    /// They are decoded one by one, as they are asked for.
    Located(Located<'a>),
}

/// A payload, and where its values lie.
#[derive(Debug, Clone, Copy)]
struct Located<'a> {
    payload: &'a Payload<'a>,
    columns: &'a Columns,
    places: &'a [Place],
}

impl<'a> PageRow<'a> {
    /// A row whose values are known.
    #[inline]
    pub(super) fn decoded(rowid: i64, values: &'a [Value<'a>]) -> Self {
        Self { rowid, source: Source::Values(values) }
    }

    /// An entry that looks like the one before.
    #[inline]
    pub(super) fn shaped(record: &'a [u8], shape: &'a Shape) -> Self {
        Self { rowid: 0, source: Source::Shaped(record, shape) }
    }

    pub(super) fn located(
        rowid: i64,
        payload: &'a Payload<'a>,
        columns: &'a Columns,
        places: &'a [Place],
    ) -> Self {
        Self { rowid, source: Source::Located(Located { payload, columns, places }) }
    }

    /// The row number; 0 for an entry of an index, where it is the last column.
    #[must_use]
    pub fn rowid(&self) -> i64 {
        self.rowid
    }

    /// A value by its place among the wanted columns.
    ///
    /// NULL where the pages that it continues on are damaged. The walk ends with that damage as soon as the
    /// row was visited, and what was made of this row must be thrown away.
    #[must_use]
    #[inline]
    pub fn column(&self, at: usize) -> Value<'a> {
        match self.source {
            Source::Values(values) => values.get(at).copied().unwrap_or(Value::Null),
            Source::Shaped(record, shape) => shape.column(record, at),
            Source::Located(located) => located.column(self.rowid, at),
        }
    }
}

impl<'a> Located<'a> {
    #[cold]
    fn column(&self, rowid: i64, at: usize) -> Value<'a> {
        match (self.columns.fields.get(at), self.places.get(at)) {
            (Some(Field::RowId), _) => Value::Integer(rowid),
            (Some(Field::Column { is_real, missing, .. }), Some(place)) => {
                match (self.stored(*place, missing), is_real) {
                    (Value::Integer(number), true) => Value::Real(number as f64),
                    (value, _) => value,
                }
            }
            _ => Value::Null,
        }
    }

    fn stored(&self, place: Place, missing: &'a Missing) -> Value<'a> {
        match (place.kind, missing) {
            (Kind::Missing, Missing::Value(value)) => Value::from(value),
            (Kind::Missing, Missing::Unknown) => {
                self.payload.complain("a column is missing whose default only SQLite knows");
                Value::Null
            }
            _ => {
                let bytes = self.payload.bytes(place.start as usize, place.len as usize);
                bytes.map_or(Value::Null, |bytes| place.kind.value(bytes))
            }
        }
    }
}

impl Place {
    /// The value of a record that lies here as a whole; nothing if the record ends before it.
    #[inline]
    pub(super) fn value<'p>(&self, record: &'p [u8]) -> Option<Value<'p>> {
        let (start, len) = (self.start as usize, self.len as usize);
        let end = start + len;
        // The eight bytes that end with the number: one load, whatever its length.
        if self.kind == Kind::Integer
            && let Some(from) = end.checked_sub(8)
            && let Some(eight) = record.get(from..end).and_then(<[u8]>::first_chunk)
        {
            let unused = 64 - 8 * len as u32;
            return Some(Value::Integer((i64::from_be_bytes(*eight) << unused) >> unused));
        }
        Some(self.kind.value(record.get(start..end)?))
    }
}

impl Kind {
    /// What the bytes of a value of this kind say.
    #[inline]
    fn value(self, bytes: &[u8]) -> Value<'_> {
        match self {
            Self::Missing | Self::Null => Value::Null,
            Self::Zero => Value::Integer(0),
            Self::One => Value::Integer(1),
            Self::Integer => Value::Integer(signed(bytes)),
            Self::Real => {
                let number = f64::from_bits(signed(bytes) as u64);
                // SQLite knows no other number that is none.
                if number.is_nan() { Value::Null } else { Value::Real(number) }
            }
            Self::Text => Value::Text(bytes),
            Self::Blob => Value::Blob(bytes),
        }
    }
}

/// The bytes of a record: the first of them on the page itself, the others on a chain of pages.
#[derive(Debug)]
pub(super) struct Payload<'a> {
    file: &'a PageFile,
    /// The page that it begins on.
    page: u32,
    local: &'a [u8],
    total: usize,
    /// The first page of the chain; 0 without one.
    next: u32,
    whole: OnceCell<Option<Vec<u8>>>,
    /// What went wrong while values were asked for.
    damage: Cell<Option<Damage>>,
}

impl<'a> Payload<'a> {
    pub(super) fn new(file: &'a PageFile, page: u32, (local, total): (&'a [u8], usize), next: u32) -> Self {
        Self { file, page, local, total, next, whole: OnceCell::new(), damage: Cell::new(None) }
    }

    pub(super) fn damage(&self) -> Option<Damage> {
        self.damage.get()
    }

    fn complain(&self, what: &'static str) {
        self.damage.set(Some(Damage::at(self.page, what)));
    }

    /// A part of it, wherever it lies.
    #[inline]
    fn bytes(&self, start: usize, len: usize) -> Option<&[u8]> {
        match self.local.get(start..start + len) {
            Some(bytes) => Some(bytes),
            None => self.whole()?.get(start..start + len),
        }
    }

    /// All of it, read once.
    #[cold]
    fn whole(&self) -> Option<&[u8]> {
        let read = || match self.read() {
            Ok(bytes) => Some(bytes),
            Err(damage) => {
                self.damage.set(Some(damage));
                None
            }
        };
        self.whole.get_or_init(read).as_deref()
    }

    /// Follows the chain. It is as long as the payload wants it, so that it ends even if it is a ring.
    fn read(&self) -> Result<Vec<u8>, Damage> {
        let room = self.file.usable() - 4;
        let left = self.total - self.local.len();
        if left.div_ceil(room) > self.file.pages() as usize {
            return Err(Damage::at(self.page, "the payload is longer than the file"));
        }
        let mut whole = Vec::with_capacity(self.total);
        whole.extend_from_slice(self.local);
        let (mut next, mut page) = (self.next, Vec::new());
        while whole.len() < self.total {
            let number = next;
            self.file.read(number, 1, &mut page)?;
            next = four(&page, 0).unwrap_or_default();
            let wanted = room.min(self.total - whole.len());
            let bytes = page.get(4..4 + wanted).ok_or_else(|| Damage::at(number, "it is too short"))?;
            whole.extend_from_slice(bytes);
        }
        Ok(whole)
    }

    /// Finds the wanted columns. What is not wanted is stepped over, and the pages of the chain are only read
    /// if the record's own description goes on there.
    pub(super) fn locate(&self, columns: &Columns, places: &mut Vec<Place>) -> Result<(), Damage> {
        places.clear();
        places.resize(columns.fields.len(), Place { kind: Kind::Missing, start: 0, len: 0 });
        let wrong = |what| self.damage().unwrap_or_else(|| Damage::at(self.page, what));
        let (size, _) = varint(self.local).ok_or_else(|| wrong("a record without a header"))?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > self.total {
            return Err(wrong("a record's header is longer than the record"));
        }
        let header = self.bytes(0, size).ok_or_else(|| wrong("a record's header is cut off"))?;
        let (_, rest) = varint(header).ok_or_else(|| wrong("a record without a header"))?;
        let mut reading = Reading { rest, at: 0, start: size };
        let mut last = None;
        for (at, field) in &columns.order {
            if last.is_none_or(|(known, _)| known != *at) {
                let place = reading.place(*at).map_err(wrong)?;
                last = Some((*at, place));
                if reading.start > self.total {
                    return Err(wrong("a record's values are longer than the record"));
                }
            }
            if let (Some(place), Some((_, Some(found)))) = (places.get_mut(*field), last) {
                *place = found;
            }
        }
        if reading.rest.is_empty() && reading.start != self.total {
            return Err(wrong("a record is longer than its values"));
        }
        Ok(())
    }
}

/// How far a record's header is read.
struct Reading<'h> {
    rest: &'h [u8],
    /// The column that comes next.
    at: usize,
    /// Where its value starts in the payload.
    start: usize,
}

impl Reading<'_> {
    /// Where a column lies that was not passed yet; nothing if the record ends before it.
    #[inline]
    fn place(&mut self, wanted: usize) -> Result<Option<Place>, &'static str> {
        while !self.rest.is_empty() {
            let (serial, rest) = varint(self.rest).ok_or("a record's header is cut off")?;
            self.rest = rest;
            let (kind, len) = meaning(serial)?;
            let start = self.start;
            self.start = start.checked_add(len).ok_or("impossible length of a value")?;
            self.at += 1;
            if self.at > wanted {
                return Ok(Some(Place { kind, start: start as u32, len: len as u32 }));
            }
        }
        Ok(None)
    }
}

/// The value at the beginning of some bytes, and what follows it.
#[inline]
fn value(serial: u64, content: &[u8]) -> Option<(Value<'_>, &[u8])> {
    Some(match serial {
        0 => (Value::Null, content),
        1 => {
            let (byte, rest) = content.split_first()?;
            (Value::Integer(i64::from(*byte as i8)), rest)
        }
        2 => {
            let (two, rest) = content.split_first_chunk::<2>()?;
            (Value::Integer(i64::from(i16::from_be_bytes(*two))), rest)
        }
        4 => {
            let (four, rest) = content.split_first_chunk::<4>()?;
            (Value::Integer(i64::from(i32::from_be_bytes(*four))), rest)
        }
        8 => (Value::Integer(0), content),
        9 => (Value::Integer(1), content),
        3 => {
            let (three, rest) = content.split_first_chunk::<3>()?;
            (Value::Integer(signed(three)), rest)
        }
        5 => {
            let (six, rest) = content.split_first_chunk::<6>()?;
            (Value::Integer(signed(six)), rest)
        }
        6 => {
            let (eight, rest) = content.split_first_chunk::<8>()?;
            (Value::Integer(signed(eight)), rest)
        }
        7 => {
            let (eight, rest) = content.split_first_chunk::<8>()?;
            let number = f64::from_be_bytes(*eight);
            (if number.is_nan() { Value::Null } else { Value::Real(number) }, rest)
        }
        _ => {
            let (kind, len) = meaning(serial).ok()?;
            let (bytes, rest) = content.split_at_checked(len)?;
            (if kind == Kind::Text { Value::Text(bytes) } else { Value::Blob(bytes) }, rest)
        }
    })
}

/// What a serial type says: the kind of a value and how many bytes it has.
#[inline]
fn meaning(serial: u64) -> Result<(Kind, usize), &'static str> {
    Ok(match serial {
        0 => (Kind::Null, 0),
        1..=4 => (Kind::Integer, serial as usize),
        5 => (Kind::Integer, 6),
        6 => (Kind::Integer, 8),
        7 => (Kind::Real, 8),
        8 => (Kind::Zero, 0),
        9 => (Kind::One, 0),
        10 | 11 => return Err("a value of a reserved kind"),
        _ if serial > u64::from(u32::MAX) => return Err("impossible length of a value"),
        _ if serial.is_multiple_of(2) => (Kind::Blob, (serial as usize - 12) / 2),
        _ => (Kind::Text, (serial as usize - 13) / 2),
    })
}
