//! A chunk: the columns of up to 65 536 events that follow each other, packed and never changed.

use crate::{
    model::{EventKey, GlobalPosition, KeyPart, Timestamp},
    store::{
        ScanKey,
        index::{
            ints::{Ints, MISSING},
            keys::{Keys, Positions, position_of, unpack_at},
            rows::Rows,
        },
    },
};

/// So many events are in each chunk but the last; in unit tests few, so that they meet the seams.
pub(crate) const CHUNK: usize = if cfg!(test) { 64 } else { 65_536 };

/// A chunk with more types than this does not count them.
const TYPES_COUNTED: usize = 4096;

/// The columns of some events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chunk {
    pub(crate) keys: ChunkKeys,
    pub(crate) positions: ChunkPositions,
    /// Numbers of streams.
    pub(crate) streams: Ints,
    pub(crate) versions: Ints,
    /// Numbers of event types.
    pub(crate) types: Ints,
    /// Nanoseconds since 1970.
    pub(crate) times: Ints,
    pub(crate) digits: Digits,
    /// What follows from the columns.
    pub(crate) sums: Sums,
}

/// What answers for a chunk as a whole, so that it need not be looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sums {
    /// How many events are of each type that occurs, by its number; nothing where they are too many.
    pub(crate) types: Option<Box<[(u32, u32)]>>,
    /// The earliest and the latest time; `None` without any.
    pub(crate) span: Option<(i64, i64)>,
    /// Whether every event has a time, and none is earlier than the one before.
    pub(crate) times_rise: bool,
}

/// How many digits after the second each time was stored with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Digits {
    /// The same everywhere.
    Same(u8),
    /// One for each row.
    Each(Box<[u8]>),
}

/// The keys of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChunkKeys {
    /// One column for each part.
    Numbers(Box<[Ints]>),
    /// Written one after the other, and where each ends.
    Packed { bytes: Box<[u8]>, ends: Box<[u64]> },
}

/// The positions of a chunk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ChunkPositions {
    /// No event has one.
    Absent,
    /// Every event's position is the first part of its key.
    OfKeys,
    /// Numbers, some of them missing.
    Numbers(Ints),
    /// Anything.
    Any(Box<[Option<GlobalPosition>]>),
}

impl Chunk {
    pub(crate) fn pack(rows: &Rows) -> Self {
        let digits = Digits::pack(&rows.digits, &rows.times);
        Self {
            keys: ChunkKeys::pack(&rows.keys),
            positions: ChunkPositions::pack(&rows.positions),
            streams: Ints::pack(&rows.streams, 1),
            versions: Ints::pack(&rows.versions, 1),
            types: Ints::pack(&rows.types, 1),
            times: Ints::pack(&rows.times, digits.step()),
            digits,
            sums: Sums::of(&rows.types, &rows.times),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }

    pub(crate) fn time(&self, row: usize) -> Option<Timestamp> {
        Some(Timestamp::from_nanos(self.times.get(row)?, self.digits.get(row)))
    }

    /// The numbers of the stream and the type of every event.
    pub(crate) fn streams_and_types(&self) -> (Vec<u32>, Vec<u32>) {
        let mut columns = (Vec::with_capacity(self.len()), Vec::with_capacity(self.len()));
        self.streams.each(|stream| columns.0.push(stream as u32));
        self.types.each(|event_type| columns.1.push(event_type as u32));
        columns
    }

    /// The rows as they were before they were packed.
    pub(crate) fn unpack(&self) -> Rows {
        let mut keys = Keys::default();
        let mut positions = Positions::default();
        for row in 0..self.len() {
            let Some(key) = self.keys.get(row) else { continue };
            let key = ScanKey::of(&key.0);
            positions.push(self.positions.get(row, &self.keys), key, &keys);
            keys.push(key);
        }
        let (streams, types) = self.streams_and_types();
        let digits = (0..self.len()).map(|row| self.digits.get(row)).collect();
        Rows {
            keys,
            positions,
            streams,
            versions: self.versions.unpack(),
            types,
            times: self.times.unpack(),
            digits,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let keys = match &self.keys {
            ChunkKeys::Numbers(parts) => parts.iter().map(|part| part.bytes() + size_of::<Ints>()).sum(),
            ChunkKeys::Packed { bytes, ends } => bytes.len() + ends.len() * size_of::<u64>(),
        };
        let positions = match &self.positions {
            ChunkPositions::Absent | ChunkPositions::OfKeys => 0,
            ChunkPositions::Numbers(numbers) => numbers.bytes(),
            ChunkPositions::Any(positions) => positions.len() * size_of::<Option<GlobalPosition>>(),
        };
        let digits = match &self.digits {
            Digits::Same(_) => 0,
            Digits::Each(each) => each.len(),
        };
        let types = self.sums.types.as_ref().map_or(0, |types| types.len() * size_of::<(u32, u32)>());
        let columns = [&self.streams, &self.versions, &self.types, &self.times];
        size_of::<Self>() + keys + positions + digits + types + columns.map(Ints::bytes).iter().sum::<usize>()
    }
}

impl Sums {
    pub(crate) fn of(types: &[u32], times: &[i64]) -> Self {
        let latest = times.iter().copied().max().unwrap_or(MISSING);
        let dated = |nanos: i64| if nanos == MISSING { i64::MAX } else { nanos };
        let earliest = times.iter().copied().map(dated).min().unwrap_or(i64::MAX);
        Self {
            types: counted(types),
            span: (latest != MISSING).then_some((earliest, latest)),
            times_rise: times.first().is_some_and(|first| *first != MISSING) && times.is_sorted(),
        }
    }
}

/// How often each number occurs.
fn counted(types: &[u32]) -> Option<Box<[(u32, u32)]>> {
    let most = types.iter().copied().max()? as usize;
    if most < 8 * TYPES_COUNTED {
        let mut counts = vec![0_u32; most + 1];
        for event_type in types {
            if let Some(count) = counts.get_mut(*event_type as usize) {
                *count += 1;
            }
        }
        let found: Box<[_]> = (0..).zip(counts).filter(|(_, count)| *count > 0).collect();
        return (found.len() <= TYPES_COUNTED).then_some(found);
    }
    let mut sorted = types.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|left, right| left == right);
    let found: Box<[_]> =
        runs.filter_map(|run| Some((*run.first()?, run.len() as u32))).take(TYPES_COUNTED + 1).collect();
    (found.len() <= TYPES_COUNTED).then_some(found)
}

impl Digits {
    /// Digits of rows without a time count for nothing.
    fn pack(digits: &[u8], times: &[i64]) -> Self {
        let mut known = digits.iter().zip(times).filter(|(_, nanos)| **nanos != MISSING);
        let Some((first, _)) = known.next() else { return Self::Same(0) };
        if known.all(|(other, _)| other == first) { Self::Same(*first) } else { Self::Each(digits.into()) }
    }

    pub(crate) fn get(&self, row: usize) -> u8 {
        match self {
            Self::Same(digits) => *digits,
            Self::Each(digits) => digits.get(row).copied().unwrap_or_default(),
        }
    }

    /// What the times are a multiple of, in nanoseconds, if they are as precise as they were stored.
    fn step(&self) -> i64 {
        let most = match self {
            Self::Same(digits) => *digits,
            Self::Each(digits) => digits.iter().copied().max().unwrap_or(9),
        };
        10_i64.pow(9 - u32::from(most.min(9)))
    }
}

impl ChunkKeys {
    pub(crate) fn pack(keys: &Keys) -> Self {
        match keys {
            Keys::Numbers { parts, numbers } => {
                let part = |part: usize| {
                    let column = numbers.iter().copied().skip(part).step_by(*parts);
                    Ints::pack(&column.collect::<Vec<_>>(), 1)
                };
                Self::Numbers((0..*parts).map(part).collect())
            }
            Keys::Packed { bytes, ends } => {
                Self::Packed { bytes: bytes.as_slice().into(), ends: ends.as_slice().into() }
            }
        }
    }

    pub(crate) fn get(&self, row: usize) -> Option<EventKey> {
        match self {
            Self::Numbers(parts) if parts.is_empty() => None,
            Self::Numbers(parts) => {
                let key: Option<_> = parts.iter().map(|part| part.get(row).map(KeyPart::Integer)).collect();
                key.map(EventKey)
            }
            Self::Packed { bytes, ends } => unpack_at(bytes, ends, row),
        }
    }
}

impl ChunkPositions {
    pub(crate) fn pack(positions: &Positions) -> Self {
        match positions {
            Positions::Absent => Self::Absent,
            Positions::OfKeys => Self::OfKeys,
            Positions::Numbers(numbers) => Self::Numbers(Ints::pack(numbers, 1)),
            Positions::Any(positions) => Self::Any(positions.as_slice().into()),
        }
    }

    pub(crate) fn get(&self, row: usize, keys: &ChunkKeys) -> Option<GlobalPosition> {
        match self {
            Self::Absent => None,
            Self::OfKeys => match keys {
                ChunkKeys::Numbers(parts) => parts.first()?.get(row).map(GlobalPosition::Number),
                ChunkKeys::Packed { .. } => position_of(ScanKey::of(&keys.get(row)?.0)),
            },
            Self::Numbers(numbers) => numbers.get(row).map(GlobalPosition::Number),
            Self::Any(positions) => positions.get(row)?.clone(),
        }
    }
}
