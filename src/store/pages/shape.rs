//! Records that look like the one before: entries of an index mostly have values of the same kinds and lengths.

use crate::store::{
    decode::Value,
    pages::record::{Columns, Place},
};

/// Headers of up to so many bytes are remembered: one number holds them.
const LONGEST: usize = size_of::<u64>();

/// Where the wanted values lay in the record before. A record with the same header has them at the same places.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The header's bytes, and which bits of a record's first bytes they are; no record fits at first.
    header: u64,
    mask: u64,
    /// How long the record is in all.
    total: usize,
    /// Where each wanted column lies, and whether it is declared as a floating-point number.
    places: Vec<(Place, bool)>,
}

impl Shape {
    /// Whether a record looks like the one before.
    #[inline]
    pub(super) fn fits(&self, record: &[u8]) -> bool {
        let first = record.first_chunk::<LONGEST>();
        record.len() == self.total
            && first.is_some_and(|first| u64::from_le_bytes(*first) & self.mask == self.header)
    }

    /// The value of a wanted column in a record that fits.
    #[inline]
    pub(super) fn column<'p>(&self, record: &'p [u8], at: usize) -> Value<'p> {
        let Some((place, is_real)) = self.places.get(at) else { return Value::Null };
        match place.value(record) {
            Some(Value::Integer(number)) if *is_real => Value::Real(number as f64),
            value => value.unwrap_or(Value::Null),
        }
    }

    /// Remembers what a record looks like that [`Columns::decode`] could read.
    #[cold]
    pub(super) fn learn(&mut self, columns: &Columns, record: &[u8]) {
        self.total = 0;
        let size = record.first().map_or(0, |size| usize::from(*size));
        let Some(first) = record.first_chunk::<LONGEST>().filter(|_| (1..=LONGEST).contains(&size)) else {
            return;
        };
        let Some(places) = columns.places(record) else { return };
        self.mask = u64::MAX >> (8 * (LONGEST - size));
        self.header = u64::from_le_bytes(*first) & self.mask;
        self.total = record.len();
        self.places = places;
    }
}
