//! The events of one history, in order.

use std::{ops::ControlFlow, ops::Range, sync::Arc};

use crate::{
    model::{EventKey, RecordedEvent, Stored},
    store::{EventStore, StoreResult, index::Index},
    work::Work,
};

/// Events are fetched this many at a time: enough to make the cost of a read small, few enough
/// that a cancelled seek ends within a frame.
const BATCH: usize = 256;

/// Long walks fetch more at a time, while events are small enough for it.
const LONGEST_BATCH: usize = 2048;

/// A batch that takes more memory than this is followed by no longer one, in bytes.
const ROOMY: usize = 256 << 10;

/// The events of one history: those of a stream, or of a branch of it.
///
/// An event's *count* is how many events lie behind it, itself included: 1 is the first.
pub trait Sequence: Send + Sync {
    /// How many events there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The event type of the event with this count, without reading the event; nothing if that
    /// takes a read or there is no such event.
    fn event_type(&self, count: usize) -> Option<Arc<str>>;

    /// Hands the events after `range.start` up to and including `range.end` to `each`, with their
    /// counts, until it breaks; `None` for an event that is gone from the store.
    fn visit(
        &self,
        range: Range<usize>,
        work: &Work,
        each: &mut dyn FnMut(usize, Option<RecordedEvent>) -> ControlFlow<()>,
    ) -> StoreResult<()>;
}

/// The events of one stream, in version order.
pub struct StreamEvents {
    store: Arc<dyn EventStore>,
    index: Arc<Index>,
    stream: u32,
}

impl StreamEvents {
    /// The events of the stream with this number in the index.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, index: Arc<Index>, stream: u32) -> Self {
        Self { store, index, stream }
    }

    fn keys(&self, range: Range<usize>) -> Vec<EventKey> {
        let ordinals = self.index.stream_events(self.stream).range(range);
        ordinals.filter_map(|ordinal| self.index.key(*ordinal)).collect()
    }
}

impl Sequence for StreamEvents {
    fn len(&self) -> usize {
        self.index.stream_events(self.stream).len()
    }

    fn event_type(&self, count: usize) -> Option<Arc<str>> {
        let ordinal = self.index.stream_events(self.stream).get(count.checked_sub(1)?)?;
        self.index.type_name(self.index.row(*ordinal)?.event_type).cloned()
    }

    fn visit(
        &self,
        range: Range<usize>,
        work: &Work,
        each: &mut dyn FnMut(usize, Option<RecordedEvent>) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        let end = range.end.min(self.len());
        let (mut start, mut batch) = (range.start, BATCH);
        while start < end {
            let stop = end.min(start + batch);
            let events = self.store.fetch(work, &self.keys(start..stop))?;
            let bytes = events.iter().flatten().map(stored_bytes).sum::<usize>();
            batch = if bytes < ROOMY { (2 * batch).min(LONGEST_BATCH) } else { BATCH };
            for (count, event) in (start + 1..).zip(events) {
                if each(count, event).is_break() {
                    return Ok(());
                }
            }
            start = stop;
        }
        Ok(())
    }
}

/// About how much memory an event takes, in bytes.
fn stored_bytes(event: &RecordedEvent) -> usize {
    match &event.data.stored {
        Stored::Text(bytes) | Stored::Blob(bytes) => bytes.len(),
        Stored::Null | Stored::Integer(_) | Stored::Real(_) => 0,
    }
}

/// Events that are held in memory.
#[derive(Debug, Clone, Default)]
pub struct HeldEvents(pub Vec<RecordedEvent>);

impl Sequence for HeldEvents {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn event_type(&self, count: usize) -> Option<Arc<str>> {
        self.0.get(count.checked_sub(1)?).map(|event| Arc::clone(&event.event_type))
    }

    fn visit(
        &self,
        range: Range<usize>,
        work: &Work,
        each: &mut dyn FnMut(usize, Option<RecordedEvent>) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        let end = range.end.min(self.0.len());
        for (count, event) in
            (range.start + 1..).zip(self.0.get(range.start.min(end)..end).unwrap_or_default())
        {
            work.advance(1)?;
            if each(count, Some(event.clone())).is_break() {
                break;
            }
        }
        Ok(())
    }
}
