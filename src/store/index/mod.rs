//! Position, stream, type, time and version of every event, as columns in memory.
//!
//! Built once in the background by scanning ranges side by side, and extended when the store
//! grows. An *ordinal* is an event's number in global order, from 0. Every answer here comes from
//! memory: an index never asks the store again.

mod build;
mod column;
mod filter;
mod find;
mod keys;
mod names;
mod nearest;
mod owners;
mod rows;
mod sections;
mod time;

use std::sync::Arc;

use crate::model::{EventKey, GlobalPosition, StreamInfo, StreamVersion, Timestamp};

use rows::Rows;

pub use find::FoundStream;
pub use nearest::nearest_names;
pub use owners::SnapshotOwners;
pub use sections::Unfit;
pub use time::Histogram;

/// What is known of every event without its payload; columns, about 28 bytes an event.
#[derive(Debug, Clone, Default)]
pub struct Index {
    rows: Rows,
    streams: Arc<Vec<StreamInfo>>,
    /// The numbers of all streams, in the order of their names.
    streams_by_name: Arc<Vec<u32>>,
    categories: Vec<CategoryInfo>,
    types: Vec<TypeInfo>,
    /// The ordinals of each stream's events, one stream after the other, in version order.
    postings: Vec<u32>,
    /// Where each stream's ordinals end in `postings`.
    posting_ends: Vec<u32>,
    /// Whether a stream's times never fall along its versions, so that they may be halved.
    streams_in_time_order: Vec<bool>,
    /// The earliest time in each block of [`time::BLOCK`] events; `i64::MAX` without one.
    block_starts: Vec<i64>,
    time_span: Option<(Timestamp, Timestamp)>,
    /// Whether each key is greater than the one before, as every sound store has it.
    keys_rise: bool,
    /// Whether every event has a position and none is less than the one before.
    positions_rise: bool,
    troubles: Vec<String>,
}

/// One event as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRow {
    /// Its number in global order, from 0.
    pub ordinal: u32,
    /// The number of its stream, an index into [`Index::streams`].
    pub stream: u32,
    /// Its place in the stream, as stored.
    pub version: Option<StreamVersion>,
    /// The number of its type, an index into [`Index::types`].
    pub event_type: u32,
    /// When it was recorded.
    pub time: Option<Timestamp>,
    /// Its place in the whole log, as stored.
    pub position: Option<GlobalPosition>,
}

/// A category and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryInfo {
    /// Its name; `None` for streams without a category.
    pub name: Option<Arc<str>>,
    /// How many streams it has.
    pub streams: u64,
    /// How many events they have together.
    pub events: u64,
}

/// An event type and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeInfo {
    /// Its name as stored; empty for events without one.
    pub name: Arc<str>,
    /// How many events are of it.
    pub events: u64,
}

impl Index {
    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// The key of an event, for fetching it.
    #[must_use]
    pub fn key(&self, ordinal: u32) -> Option<EventKey> {
        self.rows.keys.get(ordinal as usize)
    }

    /// The ordinal of the event with this key.
    #[must_use]
    pub fn ordinal_of(&self, key: &EventKey) -> Option<u32> {
        let keys = &self.rows.keys;
        if !self.keys_rise {
            return (0..self.len()).find(|row| keys.get(*row).as_ref() == Some(key)).map(|row| row as u32);
        }
        let row = partition(self.len(), |row| keys.get(row).is_some_and(|other| other < *key));
        (keys.get(row).as_ref() == Some(key)).then_some(row as u32)
    }

    /// All that is known of an event.
    #[must_use]
    pub fn row(&self, ordinal: u32) -> Option<IndexRow> {
        let row = ordinal as usize;
        Some(IndexRow {
            ordinal,
            stream: *self.rows.streams.get(row)?,
            version: self.rows.versions.get(row).map(StreamVersion),
            event_type: *self.rows.types.get(row)?,
            time: self.rows.time(row),
            position: self.rows.positions.get(row, &self.rows.keys),
        })
    }

    /// The stream and the type of every event by their numbers, in global order.
    pub fn streams_and_types(&self) -> impl Iterator<Item = (u32, u32)> {
        self.rows.streams.iter().copied().zip(self.rows.types.iter().copied())
    }

    /// The last event at or before a position.
    #[must_use]
    pub fn ordinal_at_position(&self, position: &GlobalPosition) -> Option<u32> {
        let is_reached =
            |row: usize| self.rows.positions.get(row, &self.rows.keys).is_some_and(|own| own <= *position);
        if self.positions_rise {
            return partition(self.len(), is_reached).checked_sub(1).map(|row| row as u32);
        }
        (0..self.len()).rev().find(|row| is_reached(*row)).map(|row| row as u32)
    }

    /// All streams, in the order in which they first occur; a stream's number is its place here and
    /// stays the same when the index is extended.
    #[must_use]
    pub fn streams(&self) -> &[StreamInfo] {
        &self.streams
    }

    /// One stream.
    #[must_use]
    pub fn stream(&self, stream: u32) -> Option<&StreamInfo> {
        self.streams.get(stream as usize)
    }

    /// All categories by name; streams without one come first.
    #[must_use]
    pub fn categories(&self) -> &[CategoryInfo] {
        &self.categories
    }

    /// All event types, in the order in which they first occur; a type's number is its place here.
    #[must_use]
    pub fn types(&self) -> &[TypeInfo] {
        &self.types
    }

    /// The name of a type; nothing for a number that no type has.
    #[must_use]
    pub fn type_name(&self, event_type: u32) -> Option<&Arc<str>> {
        self.types.get(event_type as usize).map(|info| &info.name)
    }

    /// The ordinals of a stream's events in version order; of equal versions the earlier event is
    /// first, and an event without version follows the one recorded before it.
    #[must_use]
    pub fn stream_events(&self, stream: u32) -> &[u32] {
        let stream = stream as usize;
        let start = match stream.checked_sub(1) {
            Some(before) => self.posting_ends.get(before).copied(),
            None => Some(0),
        };
        let range = start.zip(self.posting_ends.get(stream).copied());
        range.and_then(|(start, end)| self.postings.get(start as usize..end as usize)).unwrap_or_default()
    }

    /// How many events each stream has up to and including an ordinal: "as of then".
    #[must_use]
    pub fn counts_until(&self, ordinal: u32) -> Vec<u32> {
        let mut counts = vec![0_u32; self.streams.len()];
        for stream in self.rows.streams.iter().take(ordinal as usize + 1) {
            if let Some(count) = counts.get_mut(*stream as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// What went wrong in rows while the events were scanned, in words.
    #[must_use]
    pub fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// How much memory the index takes, in bytes; the texts of names are counted once each.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let names: usize = self.streams.iter().map(|info| build::name_bytes(&info.name)).sum();
        self.rows.bytes()
            + (self.postings.capacity() + self.posting_ends.capacity() + self.streams_by_name.capacity())
                * size_of::<u32>()
            + self.streams_in_time_order.capacity()
            + self.block_starts.capacity() * size_of::<i64>()
            + self.streams.capacity() * size_of::<StreamInfo>()
            + names
    }

    /// What one event costs in memory, without what its stream costs.
    #[must_use]
    pub fn bytes_per_event(&self) -> f64 {
        let columns = self.rows.bytes() + self.postings.capacity() * size_of::<u32>();
        columns as f64 / self.len().max(1) as f64
    }
}

/// The first row of `0..len` for which `holds` is false, where it is true up to some row and false
/// from there.
fn partition(len: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = usize::midpoint(low, high);
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
