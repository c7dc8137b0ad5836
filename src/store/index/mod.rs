//! Position, stream, type, time and version of every event, as columns in memory.
//!
//! Built once in the background by scanning ranges side by side, and extended when the store
//! grows. An *ordinal* is an event's number in global order, from 0. Every answer here comes from
//! memory: an index never asks the store again.
//!
//! Columns lie in chunks that are packed once and then shared, so an index that has grown is a new one that
//! has all but its last chunk in common with the old.

mod build;
mod bytes;
mod chunk;
mod compare;
mod covered;
mod filter;
mod find;
mod grow;
mod ints;
mod keys;
pub(crate) mod names;
mod nearest;
mod order;
mod owners;
mod postings;
mod recheck;
mod rows;
mod sections;
mod selection;
mod streams;
mod time;

use std::sync::Arc;

use crate::model::{EventKey, GlobalPosition, StreamInfo, StreamVersion, Timestamp};

use chunk::{CHUNK, Chunk};
use ints::MISSING;
use postings::Postings;

pub use build::Report;
pub use find::FoundStream;
pub use nearest::nearest_names;
pub use order::compare_ids;
pub use owners::SnapshotOwners;
pub use postings::{OrdinalIter, Ordinals};
pub use sections::{Section, Unfit};
pub use selection::{Selection, SelectionIter};
pub use streams::{StreamIter, Streams};
pub use time::Histogram;

/// What is known of every event without its payload; columns, about 20 bytes an event.
///
/// A clone shares everything with the original.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// All but the last hold [`CHUNK`] events.
    chunks: Vec<Arc<Chunk>>,
    len: usize,
    streams: Streams,
    /// The numbers of all streams, in the order of their names.
    by_name: Arc<Vec<u32>>,
    /// By the numbers that streams have for them.
    numbered_categories: Arc<Vec<CategoryInfo>>,
    categories: Arc<Vec<CategoryInfo>>,
    types: Arc<Vec<TypeInfo>>,
    postings: Postings,
    time_span: Option<(Timestamp, Timestamp)>,
    /// Whether each key is greater than the one before, as every sound store has it.
    keys_rise: bool,
    /// Whether every event has a position and none is less than the one before.
    positions_rise: bool,
    troubles: Arc<Vec<String>>,
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
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The chunk of an event, and its place there.
    fn at(&self, ordinal: u32) -> Option<(&Chunk, usize)> {
        let ordinal = ordinal as usize;
        Some((self.chunks.get(ordinal / CHUNK)?, ordinal % CHUNK))
    }

    /// The key of an event, for fetching it.
    #[must_use]
    pub fn key(&self, ordinal: u32) -> Option<EventKey> {
        let (chunk, row) = self.at(ordinal)?;
        chunk.keys.get(row)
    }

    /// The ordinal of the event with this key.
    #[must_use]
    pub fn ordinal_of(&self, key: &EventKey) -> Option<u32> {
        let own = |ordinal: usize| self.key(ordinal as u32);
        if !self.keys_rise {
            return (0..self.len).find(|row| own(*row).as_ref() == Some(key)).map(|row| row as u32);
        }
        let row = partition(self.len, |row| own(row).is_some_and(|other| other < *key));
        (own(row).as_ref() == Some(key)).then_some(row as u32)
    }

    /// The time of an event alone, which takes less than its whole row.
    #[must_use]
    pub fn time(&self, ordinal: u32) -> Option<Timestamp> {
        let (chunk, row) = self.at(ordinal)?;
        chunk.time(row)
    }

    /// All that is known of an event.
    #[must_use]
    pub fn row(&self, ordinal: u32) -> Option<IndexRow> {
        let (chunk, row) = self.at(ordinal)?;
        Some(IndexRow {
            ordinal,
            stream: chunk.streams.get(row)? as u32,
            version: chunk.versions.get(row).map(StreamVersion),
            event_type: chunk.types.get(row)? as u32,
            time: chunk.time(row),
            position: chunk.positions.get(row, &chunk.keys),
        })
    }

    /// The version of an event alone.
    fn version(&self, ordinal: u32) -> Option<i64> {
        let (chunk, row) = self.at(ordinal)?;
        chunk.versions.get(row)
    }

    /// The time of an event alone; [`MISSING`] without one.
    fn nanos(&self, ordinal: u32) -> i64 {
        self.at(ordinal).and_then(|(chunk, row)| chunk.times.get(row)).unwrap_or(MISSING)
    }

    /// Hands the stream and the type of the events from an ordinal on to `visit`, by their numbers, in global
    /// order: some ten thousand at a time, since a pass over all of them counts on speed.
    pub fn visit_streams_and_types(&self, from: usize, mut visit: impl FnMut(&[u32], &[u32])) {
        let skipped = from / CHUNK;
        for (number, chunk) in self.chunks.iter().enumerate().skip(skipped) {
            let (streams, types) = chunk.streams_and_types();
            let start = from.saturating_sub(number * CHUNK);
            visit(streams.get(start..).unwrap_or_default(), types.get(start..).unwrap_or_default());
        }
    }

    /// The stream and the type of every event by their numbers, in global order.
    pub fn streams_and_types(&self) -> impl Iterator<Item = (u32, u32)> {
        self.chunks.iter().flat_map(|chunk| {
            let (streams, types) = chunk.streams_and_types();
            streams.into_iter().zip(types)
        })
    }

    /// The last event at or before a position.
    #[must_use]
    pub fn ordinal_at_position(&self, position: &GlobalPosition) -> Option<u32> {
        let is_reached = |ordinal: usize| self.is_until(ordinal as u32, position);
        if self.positions_rise {
            return partition(self.len, is_reached).checked_sub(1).map(|row| row as u32);
        }
        (0..self.len).rev().find(|row| is_reached(*row)).map(|row| row as u32)
    }

    /// Whether an event has a position, and no greater one than this.
    fn is_until(&self, ordinal: u32, position: &GlobalPosition) -> bool {
        let own = self.at(ordinal).and_then(|(chunk, row)| chunk.positions.get(row, &chunk.keys));
        own.is_some_and(|own| own <= *position)
    }

    /// All streams, in the order in which they first occur; a stream's number is its place here and
    /// stays the same when the index is extended.
    #[must_use]
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// One stream.
    #[must_use]
    pub fn stream(&self, stream: u32) -> Option<&StreamInfo> {
        self.streams.get(stream as usize)
    }

    /// The numbers of all streams, by category and then by id as people count; streams without a category
    /// come first.
    #[must_use]
    pub fn streams_by_name(&self) -> &[u32] {
        &self.by_name
    }

    /// All categories by name; streams without one come first.
    #[must_use]
    pub fn categories(&self) -> &[CategoryInfo] {
        &self.categories
    }

    fn sort_categories(&mut self) {
        let mut sorted = self.numbered_categories.to_vec();
        sorted.sort_by(|left, right| left.name.cmp(&right.name));
        self.categories = Arc::new(sorted);
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
    pub fn stream_events(&self, stream: u32) -> Ordinals<'_> {
        let is_in_order = self.streams.known(stream as usize).is_some_and(|known| known.is_in_order);
        Ordinals::new(self.postings.of(stream), is_in_order)
    }

    /// How many events each stream has up to and including an ordinal: "as of then".
    #[must_use]
    pub fn counts_until(&self, ordinal: u32) -> Vec<u32> {
        let end = (ordinal as usize + 1).min(self.len);
        // Whichever is nearer: counted from the start, or from the end.
        if end > self.len / 2 {
            let mut counts: Vec<u32> = self.streams.iter().map(|info| info.events as u32).collect();
            self.each_stream(end..self.len, |stream| {
                if let Some(count) = counts.get_mut(stream) {
                    *count = count.saturating_sub(1);
                }
            });
            return counts;
        }
        let mut counts = vec![0_u32; self.streams.len()];
        self.each_stream(0..end, |stream| {
            if let Some(count) = counts.get_mut(stream) {
                *count += 1;
            }
        });
        counts
    }

    /// Hands the streams of some events to `visit`.
    fn each_stream(&self, ordinals: std::ops::Range<usize>, mut visit: impl FnMut(usize)) {
        let first = ordinals.start / CHUNK;
        for (number, chunk) in self.chunks.iter().enumerate().skip(first) {
            let mut ordinal = number * CHUNK;
            if ordinal >= ordinals.end {
                break;
            }
            chunk.streams.each(|stream| {
                if ordinals.contains(&ordinal) {
                    visit(stream as usize);
                }
                ordinal += 1;
            });
        }
    }

    /// What went wrong in rows while the events were scanned, in words: the first hundred.
    #[must_use]
    pub fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// Whether there may be more troubles than are listed.
    #[must_use]
    pub fn has_more_troubles(&self) -> bool {
        self.troubles.len() >= grow::TROUBLES_KEPT
    }

    /// How much memory the index takes, in bytes; the texts of names are counted once each.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.column_bytes() + self.streams.bytes() + self.by_name.capacity() * size_of::<u32>()
    }

    /// What one event costs in memory, without what its stream costs.
    #[must_use]
    pub fn bytes_per_event(&self) -> f64 {
        self.column_bytes() as f64 / self.len.max(1) as f64
    }

    fn column_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.bytes()).sum::<usize>() + self.postings.bytes()
    }

    /// How many chunks two indexes have in common, for tests of what growing costs.
    #[must_use]
    pub fn shared_chunks(&self, other: &Self) -> usize {
        self.chunks.iter().zip(&other.chunks).filter(|(left, right)| Arc::ptr_eq(left, right)).count()
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

#[cfg(test)]
mod properties;
