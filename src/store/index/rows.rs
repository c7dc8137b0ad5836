//! The columns themselves, filled row by row from a scan of one range.

#[expect(clippy::disallowed_types, reason = "looked into for every event and never iterated")]
use std::collections::HashMap;
use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::{EventKey, StreamName, Timestamp},
    store::{
        EventStore, KeyRange, ScanRow, StoreResult,
        index::{
            column::{Digits, IntColumn, MISSING},
            keys::{Keys, Positions},
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
    pub(crate) versions: IntColumn,
    /// Numbers of event types.
    pub(crate) types: Vec<u32>,
    /// Nanoseconds since 1970; [`MISSING`] where there is no time.
    pub(crate) times: Vec<i64>,
    pub(crate) digits: Digits,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }

    pub(crate) fn time(&self, row: usize) -> Option<Timestamp> {
        let nanos = self.times.get(row).copied().filter(|nanos| *nanos != MISSING)?;
        Some(Timestamp::from_nanos(nanos, self.digits.get(row)))
    }

    /// Puts other rows behind these.
    pub(crate) fn append(&mut self, other: Self) {
        self.digits.append(self.len(), &other.digits, other.len());
        self.positions.append(&self.keys, other.positions, &other.keys);
        self.keys.append(other.keys);
        self.versions.append(other.versions);
        append(&mut self.streams, other.streams);
        append(&mut self.types, other.types);
        append(&mut self.times, other.times);
    }

    /// Gives back what growing reserved.
    pub(crate) fn shrink(&mut self) {
        self.keys.shrink();
        self.positions.shrink();
        self.streams.shrink_to_fit();
        self.versions.shrink();
        self.types.shrink_to_fit();
        self.times.shrink_to_fit();
        self.digits.shrink();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.keys.bytes()
            + self.positions.bytes()
            + (self.streams.capacity() + self.types.capacity()) * size_of::<u32>()
            + self.versions.bytes()
            + self.times.capacity() * size_of::<i64>()
            + self.digits.bytes()
    }
}

fn append<T>(own: &mut Vec<T>, other: Vec<T>) {
    if own.is_empty() {
        *own = other;
    } else {
        own.extend(other);
    }
}

/// What the scan of one range found; streams and types are numbered as they came.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    pub(crate) rows: Rows,
    pub(crate) streams: Vec<Arc<StreamName>>,
    pub(crate) types: Vec<Arc<str>>,
    pub(crate) troubles: Vec<String>,
    /// The key of the first and the last row.
    pub(crate) ends: Option<(EventKey, EventKey)>,
    /// Whether each key was greater than the one before.
    pub(crate) is_in_order: bool,
}

/// Scans one range into columns.
pub(crate) fn scan(store: &dyn EventStore, work: &Work, range: &KeyRange) -> StoreResult<Scanned> {
    let mut scanned = Scanned { is_in_order: true, ..Scanned::default() };
    let mut names = Names::default();
    let troubles = store.scan(work, range, &mut |row| scanned.take(row, &mut names))?;
    scanned.troubles = troubles;
    scanned.streams = names.streams;
    scanned.types = names.types;
    Ok(scanned)
}

impl Scanned {
    fn take(&mut self, row: &ScanRow<'_>, names: &mut Names) {
        let stream = names.stream(row);
        let event_type = names.event_type(row.event_type);
        let rows = &mut self.rows;
        rows.digits.push(row.time.map(Timestamp::digits), rows.len());
        rows.positions.push(row.position.clone(), &row.key, &rows.keys);
        rows.keys.push(&row.key);
        rows.streams.push(stream);
        rows.versions.push(row.version.map(|version| version.0));
        rows.types.push(event_type);
        rows.times.push(row.time.map_or(MISSING, Timestamp::nanos));
        match &mut self.ends {
            Some((_, last)) => {
                self.is_in_order &= *last < row.key;
                *last = row.key.clone();
            }
            None => self.ends = Some((row.key.clone(), row.key.clone())),
        }
    }
}

/// Numbers for the names that a scan meets.
#[derive(Debug, Default)]
#[expect(clippy::disallowed_types, reason = "looked into for every event and never iterated")]
struct Names {
    /// By the three texts of a stream's name, joined by bytes that no text holds.
    known_streams: HashMap<Box<[u8]>, u32>,
    streams: Vec<Arc<StreamName>>,
    known_types: HashMap<Box<str>, u32>,
    types: Vec<Arc<str>>,
    categories: BTreeMap<Box<str>, Arc<str>>,
    joined: Vec<u8>,
    /// The row before, which most often has the same stream or type.
    last_stream: (Vec<u8>, u32),
    last_type: u32,
}

impl Names {
    fn stream(&mut self, row: &ScanRow<'_>) -> u32 {
        self.joined.clear();
        if let Some(category) = row.category {
            self.joined.extend_from_slice(category.as_bytes());
            self.joined.push(0xff);
        }
        self.joined.push(0xfe);
        self.joined.extend_from_slice(row.id.as_bytes());
        if let Some(stored) = row.stored {
            self.joined.push(0xff);
            self.joined.extend_from_slice(stored.as_bytes());
        }
        if !self.streams.is_empty() && self.last_stream.0 == self.joined {
            return self.last_stream.1;
        }
        let number = match self.known_streams.get(&*self.joined) {
            Some(number) => *number,
            None => self.new_stream(row),
        };
        std::mem::swap(&mut self.last_stream.0, &mut self.joined);
        self.last_stream.1 = number;
        number
    }

    fn new_stream(&mut self, row: &ScanRow<'_>) -> u32 {
        let category = row.category.map(|category| match self.categories.get(category) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = category.into();
                self.categories.insert(category.into(), Arc::clone(&new));
                new
            }
        });
        let id: Arc<str> = row.id.into();
        let stored =
            row.stored.map(|stored| if stored == row.id { Arc::clone(&id) } else { Arc::from(stored) });
        let number = self.streams.len() as u32;
        self.streams.push(Arc::new(StreamName { category, id, stored }));
        self.known_streams.insert(self.joined.as_slice().into(), number);
        number
    }

    fn event_type(&mut self, name: &str) -> u32 {
        if self.types.get(self.last_type as usize).is_some_and(|last| **last == *name) {
            return self.last_type;
        }
        self.last_type = match self.known_types.get(name) {
            Some(number) => *number,
            None => {
                let number = self.types.len() as u32;
                self.types.push(name.into());
                self.known_types.insert(name.into(), number);
                number
            }
        };
        self.last_type
    }
}
