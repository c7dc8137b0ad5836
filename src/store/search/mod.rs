//! Looking for a text, or for a value at a path, in the payloads of a store.
//!
//! What is compared is a payload's JSON text: as it stands where it is stored as text, and its compact text
//! where it is stored in any other way.

mod ids;
mod order;
mod sieve;

use std::{ops::Range, sync::Arc};

use crate::{
    model::{EventKey, EventQuery, GlobalPosition, Json, Pointer, StreamName, StreamVersion, Timestamp},
    store::{
        EventStore, KeyRange, ScanRow, StoreResult,
        read::{Body, EventRow, Onward, Wanted},
    },
    work::Work,
};

pub use ids::{IdKind, SoughtId, search_ids};
pub use order::{Newest, search_events, search_ranges};
pub use sieve::Sieve;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// This text, anywhere in a payload: in names, in values, across both. Characters that JSON may write as an
    /// escape are found in either spelling.
    Text {
        /// The text.
        text: Arc<str>,
        /// Whether `a` is another letter than `A`.
        is_exact_case: bool,
    },
    /// This value at this path. A name `*` in the path stands for every member and item.
    Value {
        /// The path from the root of the payload.
        path: Pointer,
        /// The value; numbers are compared by what they say, not by how they are written.
        value: Json,
    },
}

/// Which payload of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The domain data.
    Data,
    /// The data about the data.
    Metadata,
}

/// An event in which something was found, borrowed from the batch it was read in.
#[derive(Debug)]
pub struct Found<'a> {
    /// Which event.
    pub head: ScanRow<'a>,
    /// In which payload.
    pub field: Field,
    /// The payload's text.
    pub text: &'a str,
    /// Where in the text, in bytes.
    pub at: Range<usize>,
}

/// An event in which something was found, to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchHit {
    /// Its key.
    pub key: EventKey,
    /// Its place in the whole log.
    pub position: Option<GlobalPosition>,
    /// Its stream.
    pub stream: StreamName,
    /// Its place in the stream.
    pub version: Option<StreamVersion>,
    /// Its type.
    pub event_type: Arc<str>,
    /// When it was recorded.
    pub time: Option<Timestamp>,
    /// In which payload.
    pub field: Field,
    /// The text around the place.
    pub excerpt: Arc<str>,
    /// The place in the excerpt, in bytes.
    pub at: Range<usize>,
}

/// So much text stands before the place that was found, in bytes.
const BEFORE: usize = 32;

/// So much of the text stands in an excerpt, in bytes.
const EXCERPT: usize = 200;

impl Found<'_> {
    /// The hit to keep.
    #[must_use]
    pub fn to_hit(&self) -> SearchHit {
        let (excerpt, at) = excerpt(self.text, &self.at);
        let head = &self.head;
        SearchHit {
            key: head.key.to_key(),
            position: head.position.clone(),
            stream: StreamName {
                category: head.category.map(Arc::from),
                id: head.id.into(),
                stored: head.stored.map(Arc::from),
            },
            version: head.version,
            event_type: head.event_type.into(),
            time: head.time,
            field: self.field,
            excerpt: excerpt.into(),
            at,
        }
    }
}

/// The text around a place on one line, and the place in it.
fn excerpt(text: &str, at: &Range<usize>) -> (String, Range<usize>) {
    let start = text.floor_char_boundary(at.start.saturating_sub(BEFORE));
    let end = text.ceil_char_boundary((start + EXCERPT).max(at.end.min(start + 2 * EXCERPT)));
    let shown = text.get(start..end).unwrap_or_default();
    let mut excerpt = String::from(if start > 0 { "…" } else { "" });
    let shift = excerpt.len();
    // One byte for one byte, so that the place stays where it is.
    excerpt.extend(shown.chars().map(|c| if c.is_ascii_control() { ' ' } else { c }));
    let place = at.start - start + shift..(at.end - start + shift).min(excerpt.len());
    excerpt.push_str(if end < text.len() { "…" } else { "" });
    (excerpt, place)
}

/// Whether an event without its payloads answers a query: what [`EventStore::page`] promises.
#[must_use]
pub fn is_asked_for(head: &ScanRow<'_>, query: &EventQuery) -> bool {
    query.stream.as_ref().is_none_or(|stream| {
        stream.category.as_deref() == head.category
            && *stream.id == *head.id
            && stream.stored.as_deref() == head.stored
    }) && query.category.as_ref().is_none_or(|category| category.as_deref() == head.category)
        && (query.types.is_empty() || query.types.iter().any(|name| **name == *head.event_type))
        && query.after.as_ref().is_none_or(|after| head.position.as_ref().is_some_and(|own| own > after))
        && query.from.is_none_or(|from| head.time.is_some_and(|time| time.nanos() >= from.nanos()))
        && query.to.is_none_or(|to| head.time.is_some_and(|time| time.nanos() <= to.nanos()))
}

/// [`EventStore::search`] over [`EventStore::read`]: the plainest form, and the oracle of faster ones.
pub fn search_by_reading<S: EventStore + ?Sized>(
    store: &S,
    work: &Work,
    range: &KeyRange,
    sieve: &Sieve,
    visit: &mut dyn FnMut(&Found<'_>) -> Onward,
) -> StoreResult<Vec<String>> {
    store.read(work, range, Wanted::All, &mut |row| visit_row(row, sieve, visit))
}

/// Shows the visitor the place in an event that meets what is looked for, the data before the metadata.
pub(super) fn visit_row(
    row: &EventRow<'_>,
    sieve: &Sieve,
    visit: &mut dyn FnMut(&Found<'_>) -> Onward,
) -> Onward {
    for (field, body) in [(Field::Data, row.data), (Field::Metadata, row.metadata)] {
        let Body::Json(text) = body else { continue };
        if let Some(at) = sieve.find(text) {
            return visit(&Found { head: row.head.clone(), field, text, at });
        }
    }
    Onward::On
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, place: &str) {
        let start = text.find(place).unwrap();
        let (excerpt, at) = excerpt(text, &(start..start + place.len()));
        assert_eq!(excerpt.get(at), Some(place), "{excerpt}");
        assert!(excerpt.len() <= 2 * EXCERPT + 16, "{excerpt}");
    }

    #[test]
    fn an_excerpt_holds_the_place() {
        check("{\"a\":1}", "1");
        let long =
            format!("{{\"a\":\"{}\",\n\"b\":\"here\",\"c\":\"{}\"}}", "ü".repeat(300), "日".repeat(300));
        check(&long, "here");
        check(&long, "{");
    }
}
