//! The columns of all events at once, as a store's own indexes hold them.

use std::sync::Arc;

use crate::model::{StreamName, Timestamp};

/// What a complete index needs of every event, read from indexes instead of rows.
///
/// Events are numbered by their *ordinals*, their places in global order from 0. Streams and types are
/// numbered in the order of their first events. There is no trouble in it: whatever a scan would have to tell
/// of, it is left to a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// The key of each event, one integer; also its global position where there is one.
    pub keys: CoveredKeys,
    /// Whether the key is the global position as well.
    pub has_positions: bool,
    /// The number of the stream of each event.
    pub streams: Vec<u32>,
    /// The name of each stream.
    pub stream_names: Vec<Arc<StreamName>>,
    /// The version of each event in its stream; `None` if the store keeps none.
    pub versions: Option<Vec<i32>>,
    /// The number of the type of each event; `None` if the store keeps none.
    pub types: Option<Vec<u16>>,
    /// The name of each type.
    pub type_names: Vec<Arc<str>>,
    /// The time of each event; `None` if the store keeps none.
    pub times: Option<CoveredTimes>,
    /// The ordinals of all events, one stream after the other in the order of their numbers, and within a
    /// stream by version, the earlier of equal ones first.
    pub postings: Vec<u32>,
    /// Where each stream's ordinals end in `postings`.
    pub posting_ends: Vec<u32>,
}

/// The keys of all events in global order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoveredKeys {
    /// One integer after the other.
    Dense {
        /// The first.
        first: i64,
        /// How many.
        count: u32,
    },
    /// Integers that rise, with holes.
    Sparse {
        /// The first.
        first: i64,
        /// How far each is from the first.
        distances: Vec<u32>,
    },
}

/// The times of all events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveredTimes {
    /// Nanoseconds since 1970, UTC; [`CoveredTimes::MISSING`] where there is none.
    pub nanos: Vec<i64>,
    /// Digits after the second that each was stored with; of an event without a time they mean nothing.
    pub digits: CoveredDigits,
}

/// How many digits after the second times were stored with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoveredDigits {
    /// The same everywhere.
    Same(u8),
    /// One number for each event.
    Each(Vec<u8>),
}

impl CoveredTimes {
    /// What stands for no time.
    pub const MISSING: i64 = i64::MIN;

    /// The time of an event; nothing if it has none.
    #[must_use]
    pub fn get(&self, ordinal: u32) -> Option<Timestamp> {
        let place = ordinal as usize;
        let nanos = self.nanos.get(place).copied().filter(|nanos| *nanos != Self::MISSING)?;
        let digits = match &self.digits {
            CoveredDigits::Same(digits) => *digits,
            CoveredDigits::Each(each) => each.get(place).copied()?,
        };
        Some(Timestamp::from_nanos(nanos, digits))
    }
}

impl CoveredKeys {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Dense { count, .. } => *count as usize,
            Self::Sparse { distances, .. } => distances.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of an event.
    #[must_use]
    pub fn get(&self, ordinal: u32) -> Option<i64> {
        match self {
            Self::Dense { first, count } => (ordinal < *count).then(|| first + i64::from(ordinal)),
            Self::Sparse { first, distances } => {
                distances.get(ordinal as usize).map(|distance| first + i64::from(*distance))
            }
        }
    }
}

impl Covered {
    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }
}
