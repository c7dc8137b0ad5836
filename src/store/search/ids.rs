//! Looking for the events that carry an id beside their payload.

use std::{fmt, sync::Arc};

use crate::{
    store::{
        EventStore, KeyRange, StoreResult,
        layout::Role,
        read::{Body, EventRow, Onward, Wanted},
        search::{Field, Found, Newest, SearchHit, order::hits_in_ranges},
    },
    work::Work,
};

/// An id that other events name, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoughtId {
    /// What it says of an event.
    pub kind: IdKind,
    /// The id.
    pub id: Arc<str>,
}

/// What an id says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// What the event belongs together with.
    Correlation,
    /// What caused the event.
    Causation,
}

impl IdKind {
    /// The role of it.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Correlation => Role::CorrelationId,
            Self::Causation => Role::CausationId,
        }
    }

    fn of<'a>(self, row: &EventRow<'a>) -> Option<&'a str> {
        match self {
            Self::Correlation => row.correlation_id,
            Self::Causation => row.causation_id,
        }
    }
}

impl fmt::Display for SoughtId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            IdKind::Correlation => write!(f, "correlation id {}", self.id),
            IdKind::Causation => write!(f, "causation id {}", self.id),
        }
    }
}

/// Reads these ranges, which are given in the order of their hits, on the lanes of `work`, for events that carry
/// an id. The excerpt of a hit is where its data begins.
///
/// Returns at most `limit` hits of each range, those that come first in the order, and the troubles in words.
pub fn search_ids(
    store: &dyn EventStore,
    work: &Work,
    sought: &SoughtId,
    ranges: &[KeyRange],
    order: (Newest, usize),
) -> StoreResult<(Vec<SearchHit>, Vec<String>)> {
    hits_in_ranges(work, ranges, order, &|range, take| {
        store.read(work, range, Wanted::All, &mut |row| {
            if sought.kind.of(row) != Some(&*sought.id) {
                return Onward::On;
            }
            let text = match row.data {
                Body::Json(text) | Body::Unreadable(text) => text,
                Body::Absent => "",
            };
            take(Found { head: row.head.clone(), field: Field::Data, text, at: 0..0 }.to_hit())
        })
    })
}
