//! The events of one history, in order.

use std::{ops::ControlFlow, ops::Range, sync::Arc};

use crate::{
    model::{EventKey, RecordedEvent, Stored, Tape, Taped},
    script::is_plain_json,
    store::{
        EventStore, ScanKey, ScanRow, StoreResult,
        bodies::{Bodies, BodyBatch},
        index::{Index, IndexRow},
        read::{Body, EventRow, Onward, Wanted, visit_event},
    },
    work::Work,
};

/// Events are fetched this many at a time: enough to make the cost of a read small, few enough
/// that a cancelled seek ends within a frame.
const BATCH: usize = 256;

/// Whole events are fetched this many at first: nobody knows yet how large they are.
const FIRST_BATCH: usize = 32;

/// Long walks fetch more at a time, while events are small enough for it.
const LONGEST_BATCH: usize = 2048;

/// A batch that takes more memory than this is followed by a shorter one, in bytes.
const ROOMY: usize = 256 << 10;

/// The same for rows, which take less, and of which the next batch may be read while one is used.
const LONGEST_BATCH_OF_ROWS: usize = 4096;
const ROOMY_ROWS: usize = 2 << 20;

/// A batch shorter than this is read before it is used: waking another thread takes longer.
const WORTH_A_LANE: usize = 1024;

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

    /// The same as rows, of which no whole event is made.
    fn visit_rows(
        &self,
        range: Range<usize>,
        bodies: Bodies,
        work: &Work,
        each: &mut dyn FnMut(usize, Option<&EventRow<'_>>) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        self.visit(range, work, &mut |count, event| each_row(count, event.as_ref(), bodies, each))
    }
}

/// Hands a whole event on as a row.
pub(crate) fn each_row(
    count: usize,
    event: Option<&RecordedEvent>,
    bodies: Bodies,
    each: &mut dyn FnMut(usize, Option<&EventRow<'_>>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let Some(event) = event else { return each(count, None) };
    // What could not be decoded is not handed on as it stands.
    let unreadable = event.data.decoded.is_err().then(|| {
        let mut event = event.clone();
        event.data.stored = Stored::Text(b"?".as_slice().into());
        event
    });
    let event = unreadable.as_ref().unwrap_or(event);
    let wanted = match bodies {
        Bodies::Data => Wanted::Data(std::slice::from_ref(&event.event_type)),
        Bodies::All => Wanted::All,
    };
    let mut flow = ControlFlow::Continue(());
    visit_event(event, wanted, &mut |row| {
        flow = each(count, Some(row));
        Onward::Enough
    });
    flow
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

    /// Reads a batch of rows.
    fn read_rows(
        &self,
        range: Range<usize>,
        bodies: Bodies,
        work: &Work,
        rows: &mut Rows,
    ) -> StoreResult<()> {
        rows.clear();
        rows.start = range.start;
        for ordinal in self.index.stream_events(self.stream).range(range) {
            if let Some(key) = self.index.key(*ordinal) {
                rows.keys.push(key);
                rows.known.push(self.index.row(*ordinal));
            }
        }
        self.store.fetch_bodies(work, &rows.keys, bodies, &mut rows.bodies)
    }

    /// Hands a batch of rows on.
    fn each_of(
        &self,
        rows: &Rows,
        each: &mut dyn FnMut(usize, Option<&EventRow<'_>>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(stream) = self.index.stream(self.stream) else { return ControlFlow::Break(()) };
        let heads = (rows.start + 1..).zip(rows.keys.iter().zip(&rows.known));
        for ((count, (key, known)), (at, body)) in heads.zip(rows.bodies.iter().enumerate()) {
            let Some((known, body)) = known.as_ref().zip(body) else {
                each(count, None)?;
                continue;
            };
            let head = ScanRow {
                key: ScanKey::of(&key.0),
                position: known.position.clone(),
                category: stream.name.category.as_deref(),
                id: &stream.name.id,
                stored: stream.name.stored.as_deref(),
                version: known.version,
                event_type: self.index.type_name(known.event_type).map(|name| &**name).unwrap_or_default(),
                time: known.time,
            };
            let row = EventRow {
                head,
                event_id: body.event_id,
                correlation_id: body.correlation_id,
                causation_id: body.causation_id,
                data: body.data,
                metadata: body.metadata,
                taped: rows.taped(at, body.data),
                is_plain: rows.plain.get(at).copied().unwrap_or_default(),
            };
            each(count, Some(&row))?;
        }
        ControlFlow::Continue(())
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
        let (mut start, mut batch) = (range.start, FIRST_BATCH);
        while start < end {
            let stop = end.min(start + batch);
            let events = self.store.fetch(work, &self.keys(start..stop))?;
            let bytes = events.iter().flatten().map(|event| event.data.stored_len()).sum::<usize>();
            batch = if bytes < ROOMY { (2 * batch).min(LONGEST_BATCH) } else { (batch / 2).max(1) };
            for (count, event) in (start + 1..).zip(events) {
                if each(count, event).is_break() {
                    return Ok(());
                }
            }
            start = stop;
        }
        Ok(())
    }

    fn visit_rows(
        &self,
        range: Range<usize>,
        bodies: Bodies,
        work: &Work,
        each: &mut dyn FnMut(usize, Option<&EventRow<'_>>) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        let end = range.end.min(self.len());
        let (mut rows, mut next) = (Rows::default(), Rows::default());
        let mut stop = end.min(range.start + BATCH);
        if range.start < stop {
            self.read_rows(range.start..stop, bodies, work, &mut rows)?;
        }
        let mut flow = ControlFlow::Continue(());
        while !rows.keys.is_empty() && flow.is_continue() {
            let from = stop;
            stop = rows.next_end(end);
            let mut read = Ok(());
            next.keys.clear();
            if stop - from >= WORTH_A_LANE {
                let ahead = || {
                    read = self.read_rows(from..stop, bodies, work, &mut next);
                    match bodies {
                        Bodies::Data => next.tape(),
                        Bodies::All => next.prove(),
                    }
                };
                work.beside(Box::new(ahead), &mut || flow = self.each_of(&rows, each));
            } else {
                flow = self.each_of(&rows, each);
                if from < stop && flow.is_continue() {
                    read = self.read_rows(from..stop, bodies, work, &mut next);
                }
            }
            if flow.is_continue() {
                read?;
            }
            std::mem::swap(&mut rows, &mut next);
        }
        Ok(())
    }
}

/// A batch of rows: where it begins, and what was read of its events.
#[derive(Default)]
struct Rows {
    start: usize,
    keys: Vec<EventKey>,
    /// What the index knows of each.
    known: Vec<Option<IndexRow>>,
    bodies: BodyBatch,
    tape: Tape,
    /// Where on the tape the data of each is; nothing where it has to be looked at again. Empty if nothing was
    /// read ahead.
    places: Vec<Option<usize>>,
    /// Whether data and metadata of each are known to be plain. Empty if nothing was read ahead.
    plain: Vec<bool>,
}

impl Rows {
    /// Forgets all.
    fn clear(&mut self) {
        self.keys.clear();
        self.known.clear();
        self.bodies.clear();
        self.tape.clear();
        self.places.clear();
        self.plain.clear();
    }

    /// Looks whether any reader takes the texts for the same, so that this is done while others are used.
    fn prove(&mut self) {
        let is_plain = |body| match body {
            Body::Json(text) => is_plain_json(text),
            Body::Absent => true,
            Body::Unreadable(_) => false,
        };
        let proven = self
            .bodies
            .iter()
            .map(|body| body.is_some_and(|body| is_plain(body.data) && is_plain(body.metadata)));
        self.plain.extend(proven);
    }

    /// Reads the data of all rows, so that this is done while others are used.
    fn tape(&mut self) {
        for body in self.bodies.iter() {
            let text = body.and_then(|body| match body.data {
                Body::Json(text) => Some(text),
                Body::Absent | Body::Unreadable(_) => None,
            });
            let place = text.and_then(|text| {
                let place = self.tape.add(text).ok()?;
                // What a name that stands twice does is looked at with the whole event.
                (!self.tape.at(text, place).has_twins()).then_some(place)
            });
            self.places.push(place);
        }
    }

    fn taped<'r>(&'r self, at: usize, data: Body<'r>) -> Option<Taped<'r>> {
        let place = self.places.get(at).copied().flatten()?;
        match data {
            Body::Json(text) => Some(self.tape.at(text, place)),
            Body::Absent | Body::Unreadable(_) => None,
        }
    }

    /// Where the batch behind it ends, of so many events in all.
    fn next_end(&self, end: usize) -> usize {
        let length = self.keys.len().max(BATCH);
        let is_roomy = self.bodies.bytes() < ROOMY_ROWS;
        let length = if is_roomy { (2 * length).min(LONGEST_BATCH_OF_ROWS) } else { BATCH.max(length / 2) };
        end.min(self.start + self.keys.len() + length)
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
