//! The columns as a scan fills them, row by row, before they are packed.

use std::sync::Arc;

use crate::{
    model::{EventKey, KeyPart, StreamName, Timestamp},
    store::{
        EventStore, KeyRange, ScanRow, StoreResult,
        index::{
            chunk::CHUNK,
            ints::MISSING,
            keys::{Keys, Positions},
            names::{Names, Seed},
        },
    },
    work::Work,
};

/// One column a fact, one row an event, in global order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) keys: Keys,
    pub(crate) positions: Positions,
    /// Numbers of streams.
    pub(crate) streams: Vec<u32>,
    /// [`MISSING`] where there is none.
    pub(crate) versions: Vec<i64>,
    /// Numbers of event types.
    pub(crate) types: Vec<u32>,
    /// Nanoseconds since 1970; [`MISSING`] where there is no time.
    pub(crate) times: Vec<i64>,
    /// How many digits after the second each time was stored with.
    pub(crate) digits: Vec<u8>,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }

    /// Puts other rows behind these.
    pub(crate) fn append(&mut self, other: Self) {
        self.positions.append(&self.keys, other.positions, &other.keys);
        self.keys.append(other.keys);
        append(&mut self.streams, other.streams);
        append(&mut self.versions, other.versions);
        append(&mut self.types, other.types);
        append(&mut self.times, other.times);
        append(&mut self.digits, other.digits);
    }

    /// Cuts off the rows from `row` on.
    pub(crate) fn split_off(&mut self, row: usize) -> Self {
        if row >= self.len() {
            return Self::default();
        }
        Self {
            positions: self.positions.split_off(row),
            keys: self.keys.split_off(row),
            streams: self.streams.split_off(row),
            versions: self.versions.split_off(row),
            types: self.types.split_off(row),
            times: self.times.split_off(row),
            digits: self.digits.split_off(row),
        }
    }
}

fn append<T>(own: &mut Vec<T>, other: Vec<T>) {
    if own.is_empty() {
        *own = other;
    } else {
        own.extend(other);
    }
}

/// Some rows of a range, as its scan hands them on; streams and types have the numbers of its lane.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) rows: Rows,
    /// The key of the first and the last row.
    pub(crate) ends: Option<(EventKey, EventKey)>,
    /// Whether each key was greater than the one before.
    pub(crate) is_in_order: bool,
    /// The streams that the lane met here first, with their hashes, and the types.
    pub(crate) new_streams: Vec<(Arc<StreamName>, u64)>,
    pub(crate) new_types: Vec<Arc<str>>,
}

/// What the ranges share that one thread scans one after the other: they meet mostly the same
/// names, which are made only once.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) number: usize,
    names: Names,
    /// So many of its streams and types were handed on.
    told: (usize, usize),
}

impl Lane {
    pub(crate) fn new(number: usize, seed: Seed) -> Self {
        Self { number, names: Names::new(seed), told: (0, 0) }
    }

    /// Hands on what was scanned, with the names that are new in it.
    fn hand_on(&mut self, part: &mut Part, last: &[KeyPart], deliver: &mut dyn FnMut(Part)) {
        let mut part = std::mem::replace(part, Part { is_in_order: true, ..Part::default() });
        if let Some((_, end)) = &mut part.ends {
            *end = EventKey(last.into());
        }
        let hashes = self.names.known_streams.hashes().iter().copied();
        let streams = self.names.streams.iter().cloned().zip(hashes);
        part.new_streams = streams.skip(self.told.0).collect();
        part.new_types = self.names.types.iter().skip(self.told.1).cloned().collect();
        self.told = (self.names.streams.len(), self.names.types.len());
        deliver(part);
    }
}

/// Scans one range, and hands its rows on by the chunk. Returns the troubles met.
pub(crate) fn scan(
    store: &dyn EventStore,
    work: &Work,
    range: &KeyRange,
    lane: &mut Lane,
    deliver: &mut dyn FnMut(Part),
) -> StoreResult<Vec<String>> {
    let mut part = Part { is_in_order: true, ..Part::default() };
    let mut last: Vec<KeyPart> = Vec::new();
    let troubles = store.scan(work, range, &mut |row| {
        part.take(row, &mut lane.names, &mut last);
        if part.rows.len() == CHUNK {
            lane.hand_on(&mut part, &last, deliver);
        }
    })?;
    lane.hand_on(&mut part, &last, deliver);
    Ok(troubles)
}

impl Part {
    /// Takes a row; `last` is the key of the row before, and becomes this one's.
    fn take(&mut self, row: &ScanRow<'_>, names: &mut Names, last: &mut Vec<KeyPart>) {
        let stream = names.stream(row);
        let event_type = names.event_type(row.event_type);
        let rows = &mut self.rows;
        rows.positions.push(row.position.clone(), row.key, &rows.keys);
        rows.keys.push(row.key);
        rows.streams.push(stream);
        rows.versions.push(row.version.map_or(MISSING, |version| version.0));
        rows.types.push(event_type);
        rows.times.push(row.time.map_or(MISSING, Timestamp::nanos));
        rows.digits.push(row.time.map_or(0, Timestamp::digits));
        if self.ends.is_none() {
            self.ends = Some((row.key.to_key(), row.key.to_key()));
        }
        row.key.with_parts(|parts| {
            self.is_in_order &= last.as_slice() < parts;
            last.clear();
            last.extend_from_slice(parts);
        });
    }
}
