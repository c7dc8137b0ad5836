//! The columns themselves, filled row by row from a scan of one range.

use std::sync::Arc;

use crate::{
    model::{EventKey, KeyPart, StreamInfo, StreamName, StreamVersion, Timestamp},
    store::{
        EventStore, KeyRange, ScanRow, StoreResult,
        index::{
            column::{Digits, IntColumn, MISSING},
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

/// What the scan of one range found; streams and types have the numbers of its lane.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    pub(crate) rows: Rows,
    /// Whose numbers the rows have: an index into the list of lanes.
    pub(crate) lane: usize,
    pub(crate) troubles: Vec<String>,
    /// The key of the first and the last row.
    pub(crate) ends: Option<(EventKey, EventKey)>,
    /// Whether each key was greater than the one before.
    pub(crate) is_in_order: bool,
}

/// What the ranges share that one thread scans one after the other: they meet mostly the same
/// names, which are made only once.
#[derive(Debug)]
pub(crate) struct Lane {
    number: usize,
    pub(crate) names: Names,
    /// Each of its streams, with what the lane's ranges have of it.
    pub(crate) streams: Vec<StreamInfo>,
    /// How many events of each of its types its ranges have.
    pub(crate) types: Vec<u64>,
}

/// Scans one range into columns.
pub(crate) fn scan(
    store: &dyn EventStore,
    work: &Work,
    range: &KeyRange,
    lane: &mut Lane,
) -> StoreResult<Scanned> {
    let mut scanned = Scanned { is_in_order: true, lane: lane.number, ..Scanned::default() };
    let mut last: Vec<KeyPart> = Vec::new();
    scanned.troubles = store.scan(work, range, &mut |row| scanned.take(row, &mut lane.names, &mut last))?;
    if let Some((_, end)) = &mut scanned.ends {
        *end = EventKey(last.into());
    }
    lane.count(&scanned.rows);
    Ok(scanned)
}

/// A stream of which nothing is counted yet.
pub(crate) fn unseen(name: Arc<StreamName>) -> StreamInfo {
    StreamInfo { name, events: 0, first_version: None, last_version: None, first_time: None, last_time: None }
}

/// Adds what one lane has of a stream to what others have.
pub(crate) fn add(own: &mut StreamInfo, other: &StreamInfo) {
    own.events += other.events;
    own.first_version = least(own.first_version, other.first_version);
    own.last_version = own.last_version.max(other.last_version);
    own.first_time = least(own.first_time, other.first_time);
    own.last_time = own.last_time.max(other.last_time);
}

fn least<T: Ord>(left: Option<T>, right: Option<T>) -> Option<T> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (one, other) => one.or(other),
    }
}

impl Lane {
    pub(crate) fn new(number: usize, seed: Seed) -> Self {
        Self { number, names: Names::new(seed), streams: Vec::new(), types: Vec::new() }
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Counts the events of each stream and type, while other ranges are still read.
    fn count(&mut self, rows: &Rows) {
        let seen = self.streams.len();
        self.streams.extend(self.names.streams.iter().skip(seen).cloned().map(unseen));
        self.types.resize(self.names.types.len(), 0);
        for row in 0..rows.len() {
            let event_type = rows.types.get(row).and_then(|number| self.types.get_mut(*number as usize));
            if let Some(events) = event_type {
                *events += 1;
            }
            let stream = rows.streams.get(row).and_then(|number| self.streams.get_mut(*number as usize));
            let Some(stream) = stream else { continue };
            stream.events += 1;
            let version = rows.versions.get(row).map(StreamVersion);
            stream.first_version = least(stream.first_version, version);
            stream.last_version = stream.last_version.max(version);
            let time = rows.time(row);
            stream.first_time = least(stream.first_time, time);
            stream.last_time = stream.last_time.max(time);
        }
    }
}

impl Scanned {
    /// Takes a row; `last` is the key of the row before, and becomes this one's.
    fn take(&mut self, row: &ScanRow<'_>, names: &mut Names, last: &mut Vec<KeyPart>) {
        let stream = names.stream(row);
        let event_type = names.event_type(row.event_type);
        let rows = &mut self.rows;
        rows.digits.push(row.time.map(Timestamp::digits), rows.len());
        rows.positions.push(row.position.clone(), row.key, &rows.keys);
        rows.keys.push(row.key);
        rows.streams.push(stream);
        rows.versions.push(row.version.map(|version| version.0));
        rows.types.push(event_type);
        rows.times.push(row.time.map_or(MISSING, Timestamp::nanos));
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
