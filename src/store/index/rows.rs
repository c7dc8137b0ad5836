//! The columns as a scan fills them, row by row, before they are packed.

use std::sync::Arc;

use crate::{
    model::{EventKey, KeyPart, StreamName, Timestamp},
    store::{
        EventStore, KeyRange, KnownNames, RowSink, ScanKey, ScanRow, Scanner, StoreResult,
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

    /// Forgets the rows from `row` on.
    fn truncate(&mut self, row: usize) {
        drop(self.split_off(row));
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

/// No number.
const UNKNOWN: u32 = u32::MAX;

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
pub(crate) struct Lane<'s> {
    pub(crate) number: usize,
    scanner: Box<dyn Scanner + 's>,
    called: Called,
}

impl<'s> Lane<'s> {
    pub(crate) fn new(number: usize, store: &'s dyn EventStore, seed: Seed) -> Self {
        Self { number, scanner: store.scanner(), called: Called::new(seed) }
    }

    /// Scans one range, and hands its rows on by the chunk. Returns the troubles met.
    pub(crate) fn scan(
        &mut self,
        work: &Work,
        range: &KeyRange,
        deliver: &mut dyn FnMut(Part),
    ) -> StoreResult<Vec<String>> {
        let mut gathering = Gathering::new(&mut self.called, deliver);
        let troubles = self.scanner.scan(work, range, &mut gathering)?;
        gathering.hand_on();
        Ok(troubles)
    }
}

/// What a lane calls its streams and types.
struct Called {
    names: Names,
    /// The lane's numbers by those of its scanner, or [`UNKNOWN`].
    streams: Vec<u32>,
    types: Vec<u32>,
    /// So many streams and types were handed on.
    told: (usize, usize),
}

impl Called {
    fn new(seed: Seed) -> Self {
        Self { names: Names::new(seed), streams: Vec::new(), types: Vec::new(), told: (0, 0) }
    }
}

/// The rows of a range on their way into parts.
struct Gathering<'a> {
    called: &'a mut Called,
    deliver: &'a mut dyn FnMut(Part),
    rows: Rows,
    /// The key of the first of them.
    first: Option<EventKey>,
    end: End,
    /// The end of the rows that stand. Names of rows that were taken back stay: a name without events is never
    /// asked for.
    settled: End,
}

/// How far a part has come.
#[derive(Debug, Clone)]
struct End {
    rows: usize,
    /// The key of the last row; empty before the first of the range.
    key: Vec<KeyPart>,
    is_in_order: bool,
}

impl Default for End {
    fn default() -> Self {
        Self { rows: 0, key: Vec::new(), is_in_order: true }
    }
}

impl End {
    /// Goes on to the next row.
    #[inline]
    fn advance(&mut self, key: ScanKey<'_>) {
        self.rows += 1;
        if let (ScanKey::Integer(next), [KeyPart::Integer(last)]) = (key, self.key.as_mut_slice()) {
            self.is_in_order &= *last < next;
            *last = next;
            return;
        }
        key.with_parts(|parts| {
            self.is_in_order &= self.key.as_slice() < parts;
            self.key.clear();
            self.key.extend_from_slice(parts);
        });
    }
}

impl RowSink for Gathering<'_> {
    fn push(&mut self, row: &ScanRow<'_>, known: KnownNames) {
        if self.end.rows == 0 {
            self.first = Some(row.key.to_key());
        }
        self.end.advance(row.key);
        let Called { names, streams, types, .. } = &mut *self.called;
        let stream = numbered(streams, known.stream, || names.stream(row));
        let event_type = numbered(types, known.event_type, || names.event_type(row.event_type));
        self.rows.push(row, stream, event_type);
    }

    fn knows_stream(&self, number: u32) -> bool {
        self.called.streams.get(number as usize).is_some_and(|own| *own != UNKNOWN)
    }

    fn take_back(&mut self) {
        if self.end.rows > self.settled.rows {
            self.rows.truncate(self.settled.rows);
            self.end.clone_from(&self.settled);
        }
    }

    fn settle(&mut self) {
        if self.end.rows >= CHUNK {
            self.hand_on();
        }
        self.settled.clone_from(&self.end);
    }
}

impl<'a> Gathering<'a> {
    fn new(called: &'a mut Called, deliver: &'a mut dyn FnMut(Part)) -> Self {
        Self {
            called,
            deliver,
            rows: Rows::default(),
            first: None,
            end: End::default(),
            settled: End::default(),
        }
    }

    /// Hands on what was scanned, with the names that are new in it.
    fn hand_on(&mut self) {
        let last = EventKey(self.end.key.as_slice().into());
        let Called { names, told, .. } = &mut *self.called;
        let hashes = names.stream_hashes.iter().copied();
        let part = Part {
            rows: std::mem::take(&mut self.rows),
            ends: self.first.take().filter(|_| self.end.rows > 0).map(|first| (first, last)),
            is_in_order: self.end.is_in_order,
            new_streams: names.streams.iter().cloned().zip(hashes).skip(told.0).collect(),
            new_types: names.types.iter().skip(told.1).cloned().collect(),
        };
        *told = (names.streams.len(), names.types.len());
        (self.end.rows, self.end.is_in_order) = (0, true);
        (self.deliver)(part);
    }
}

/// The lane's number for a name; it is looked up once for each number of the scanner.
#[inline]
fn numbered(numbers: &mut Vec<u32>, known: Option<u32>, look_up: impl FnOnce() -> u32) -> u32 {
    let Some(known) = known.map(|known| known as usize) else { return look_up() };
    if known >= numbers.len() {
        numbers.resize(known + 1, UNKNOWN);
    }
    match numbers.get_mut(known) {
        Some(number) if *number == UNKNOWN => {
            *number = look_up();
            *number
        }
        Some(number) => *number,
        None => look_up(),
    }
}

impl Rows {
    #[inline]
    fn push(&mut self, row: &ScanRow<'_>, stream: u32, event_type: u32) {
        self.positions.push(row.position.clone(), row.key, &self.keys);
        self.keys.push(row.key);
        self.streams.push(stream);
        self.versions.push(row.version.map_or(MISSING, |version| version.0));
        self.types.push(event_type);
        self.times.push(row.time.map_or(MISSING, Timestamp::nanos));
        self.digits.push(row.time.map_or(0, Timestamp::digits));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes rows of these numbers; each is in the stream of its number.
    fn push(gathering: &mut Gathering<'_>, numbers: &[i64]) {
        for number in numbers {
            let (key, id) = (ScanKey::Integer(*number), number.to_string());
            let (position, category, stored, version, time) = (None, None, None, None, None);
            let row = ScanRow { key, position, category, id: &id, stored, version, event_type: "", time };
            gathering.push(&row, KnownNames { stream: Some(*number as u32), event_type: None });
        }
    }

    #[test]
    fn rows_that_were_taken_back_leave_nothing() {
        let mut parts = Vec::new();
        let (mut called, mut deliver) = (Called::new(Seed::random()), |part| parts.push(part));
        let mut gathering = Gathering::new(&mut called, &mut deliver);
        gathering.take_back();
        push(&mut gathering, &[9, 3]);
        gathering.take_back();
        push(&mut gathering, &[1, 2]);
        gathering.settle();
        push(&mut gathering, &[8, 7]);
        gathering.take_back();
        let many: Vec<i64> = (3..=CHUNK as i64 + 1).collect();
        push(&mut gathering, &many);
        gathering.settle();
        push(&mut gathering, &[5]);
        gathering.take_back();
        gathering.hand_on();
        let [part, empty] = parts.as_slice() else { panic!("{} parts", parts.len()) };
        let ends = (EventKey::integer(1), EventKey::integer(CHUNK as i64 + 1));
        assert_eq!((part.rows.len(), &part.ends, part.is_in_order), (CHUNK + 1, &Some(ends), true));
        assert_eq!((empty.rows.len(), &empty.ends, empty.is_in_order), (0, &None, true));
        let name =
            |number: &u32| part.new_streams.get(*number as usize).map(|(name, _)| name.full().to_string());
        let names: Vec<String> = part.rows.streams.iter().filter_map(name).collect();
        assert_eq!(names, (1..=CHUNK + 1).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}
