//! Looking for conditions in many streams: "which orders ever had a total below zero?"

use std::{ops::ControlFlow, sync::Arc};

use crate::{
    model::{EventKey, Failure, Json, RecordedEvent},
    replay::{
        condition::{Condition, Hit, Matcher, Need, Seen, Which},
        fold::{OnFailure, start},
        probe::Fault,
        reducer::{Folding, Reducer},
    },
    store::{EventStore, StoreResult, index::Index},
    work::{Piece, Work},
};

/// Events are fetched this many at a time: streams are short, and a read costs more than a row.
const BATCH: usize = 512;

/// Fewer events are not worth an engine of their own.
const WORTH_A_LANE: usize = 4000;

/// A search in the streams of one store.
#[derive(Clone)]
pub struct Across {
    /// The store.
    pub store: Arc<dyn EventStore>,
    /// Its index.
    pub index: Arc<Index>,
    /// What makes the states of the streams.
    pub reducer: Arc<dyn Reducer>,
    /// What happens to the rest of a stream when an event cannot be applied.
    pub on_failure: OnFailure,
    /// What is looked for.
    pub conditions: Arc<[Condition]>,
    /// Whether the first hit of each stream is enough.
    pub is_first_enough: bool,
}

/// A hit in one of many streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamHit {
    /// The number of the stream in the index.
    pub stream: u32,
    /// The event's number in global order.
    pub ordinal: u32,
    /// Where in the stream, and which conditions.
    pub hit: Hit,
}

/// What a search in many streams found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AcrossFindings {
    /// The hits, stream by stream, each in the order of its stream.
    pub hits: Vec<StreamHit>,
    /// Conditions that could not be asked everywhere: their places, what went wrong first, and the
    /// stream it went wrong in.
    pub faults: Vec<(usize, u32, Fault)>,
    /// Events that the reducer could not apply: the first, its stream, and how many in all.
    pub unapplied: Option<(u32, Fault)>,
    /// How many events were looked at.
    pub searched: u64,
    /// Conditions that name a place at which something was found, whatever it was.
    pub present: Which,
}

impl AcrossFindings {
    /// Adds what was found in other streams.
    pub fn add(&mut self, other: Self) {
        self.hits.extend(other.hits);
        for (place, stream, fault) in other.faults {
            match self.faults.iter_mut().find(|(own, ..)| *own == place) {
                Some((_, _, own)) => own.times += fault.times,
                None => self.faults.push((place, stream, fault)),
            }
        }
        match (&mut self.unapplied, other.unapplied) {
            (Some((_, own)), Some((_, fault))) => own.times += fault.times,
            (own @ None, other) => *own = other,
            (Some(_), None) => (),
        }
        self.searched += other.searched;
        self.present = self.present.or(other.present);
    }
}

/// An event that is to be looked at.
#[derive(Clone, Copy)]
struct Place {
    stream: u32,
    count: usize,
    ordinal: u32,
}

impl Across {
    /// Looks at these streams, side by side where there are lanes.
    pub fn search(&self, streams: &[u32], work: &Work) -> StoreResult<AcrossFindings> {
        let parts = self.parts(streams, work.width());
        let mut answers: Vec<Option<StoreResult<AcrossFindings>>> = parts.iter().map(|_| None).collect();
        let pieces = parts.iter().zip(&mut answers).map(|(part, answer)| -> Piece<'_> {
            Box::new(move || *answer = Some(self.search_part(part, work)))
        });
        work.run(pieces.collect());
        let mut found = AcrossFindings::default();
        for answer in answers.into_iter().flatten() {
            found.add(answer?);
        }
        Ok(found)
    }

    /// Cuts the streams into so many parts with about as many events each; short ones are not cut.
    fn parts<'a>(&self, streams: &'a [u32], width: usize) -> Vec<&'a [u32]> {
        let events_of = |stream: &u32| self.index.stream_events(*stream).len();
        let all: usize = streams.iter().map(events_of).sum();
        let wanted = all.div_ceil(width.max(1)).max(WORTH_A_LANE);
        let mut parts = Vec::new();
        let (mut start, mut events) = (0, 0);
        for (place, stream) in streams.iter().enumerate() {
            events += events_of(stream);
            if events >= wanted {
                parts.extend(streams.get(start..=place));
                (start, events) = (place + 1, 0);
            }
        }
        parts.extend(streams.get(start..).filter(|rest| !rest.is_empty()));
        parts
    }

    fn search_part(&self, streams: &[u32], work: &Work) -> StoreResult<AcrossFindings> {
        let mut looking = Looking {
            across: self,
            matcher: Matcher::start(&self.conditions, work),
            states: (Condition::needs(&self.conditions) == Need::State)
                .then(|| States::start(&*self.reducer, work)),
            stream: None,
            is_done: false,
            is_stopped: false,
            found: AcrossFindings::default(),
        };
        if Condition::needs(&self.conditions) == Need::Type {
            looking.look_at_types(streams, work)?;
            return Ok(looking.found);
        }
        let mut batch = Vec::with_capacity(BATCH);
        for stream in streams {
            for (ordinal, count) in self.index.stream_events(*stream).iter().zip(1..) {
                if looking.is_over(*stream) {
                    break;
                }
                batch.push(Place { stream: *stream, count, ordinal: *ordinal });
                if batch.len() == BATCH {
                    looking.look_at(&std::mem::take(&mut batch), work)?;
                }
            }
        }
        looking.look_at(&batch, work)?;
        looking.end_stream();
        looking.found.present = looking.matcher.present();
        Ok(looking.found)
    }
}

/// A search under way.
struct Looking<'a> {
    across: &'a Across,
    matcher: Matcher,
    states: Option<States<'a>>,
    /// The stream that is looked at, and whether its first hit was found, or its reducer stopped.
    stream: Option<u32>,
    is_done: bool,
    is_stopped: bool,
    found: AcrossFindings,
}

/// The states of one stream after the other.
struct States<'a> {
    reducer: &'a dyn Reducer,
    work: &'a Work,
    folding: Box<dyn Folding + 'a>,
    first: Json,
}

impl Looking<'_> {
    /// Whether nothing more of this stream is wanted.
    fn is_over(&self, stream: u32) -> bool {
        self.is_done && self.stream == Some(stream)
    }

    fn look_at_types(&mut self, streams: &[u32], work: &Work) -> StoreResult<()> {
        let index = &self.across.index;
        for stream in streams {
            let events = index.stream_events(*stream);
            work.advance(events.len() as u64)?;
            for (ordinal, count) in events.iter().zip(1..) {
                let row = index.row(*ordinal);
                let name = row.and_then(|row| index.type_name(row.event_type));
                let event_type = name.map(|name| &**name).unwrap_or_default();
                let seen = Seen { count, event_type, event: None, states: [&Json::Null, &Json::Null] };
                self.found.searched += 1;
                let place = Place { stream: *stream, count, ordinal: *ordinal };
                if self.take(place, &seen).is_break() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn look_at(&mut self, batch: &[Place], work: &Work) -> StoreResult<()> {
        let keys: Vec<EventKey> =
            batch.iter().filter_map(|place| self.across.index.key(place.ordinal)).collect();
        let events = self.across.store.fetch(work, &keys)?;
        for (place, event) in batch.iter().zip(events) {
            if self.stream != Some(place.stream) {
                self.begin(place.stream);
            }
            if self.is_done {
                continue;
            }
            self.found.searched += 1;
            if let Some(event) = event {
                self.look_at_event(*place, &event);
            }
            if work.is_cancelled() {
                break;
            }
        }
        Ok(work.advance(0)?)
    }

    fn look_at_event(&mut self, place: Place, event: &RecordedEvent) {
        let Some(states) = &mut self.states else {
            self.is_done = self.take(place, &Seen::event(place.count, event)).is_break();
            return;
        };
        let before = states.folding.state();
        if !self.is_stopped {
            let failure = states.folding.apply(event).err();
            self.is_stopped = failure.is_some() && self.across.on_failure == OnFailure::Stop;
            if let Some(failure) = failure.filter(|_| !states.work.is_cancelled()) {
                self.note(place, event, failure);
            }
        }
        let Some(states) = &mut self.states else { return };
        let after = states.folding.state();
        let seen = Seen { states: [&before, &after], ..Seen::event(place.count, event) };
        self.is_done = self.take(place, &seen).is_break();
    }

    /// Notes an event that could not be applied.
    fn note(&mut self, place: Place, event: &RecordedEvent, failure: Failure) {
        let (stream, mut fault) = match self.found.unapplied.take() {
            Some((stream, fault)) => (stream, Some(fault)),
            None => (place.stream, None),
        };
        Fault::add(&mut fault, place.count, Some(event), failure);
        self.found.unapplied = fault.map(|fault| (stream, fault));
    }

    fn take(&mut self, place: Place, seen: &Seen<'_>) -> ControlFlow<()> {
        let which = self.matcher.meets(seen);
        if which.is_none() {
            return ControlFlow::Continue(());
        }
        let hit = Hit { count: place.count, which };
        self.found.hits.push(StreamHit { stream: place.stream, ordinal: place.ordinal, hit });
        if self.across.is_first_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn begin(&mut self, stream: u32) {
        self.end_stream();
        self.stream = Some(stream);
        (self.is_done, self.is_stopped) = (false, false);
        if let Some(states) = &mut self.states {
            states.begin();
        }
    }

    /// Notes what went wrong in the stream that ends: the first of each condition is kept.
    fn end_stream(&mut self) {
        let Some(stream) = self.stream else { return };
        for (place, fault) in self.matcher.take_faults() {
            match self.found.faults.iter_mut().find(|(own, ..)| *own == place) {
                Some((_, _, own)) => own.times += fault.times,
                None => self.found.faults.push((place, stream, fault)),
            }
        }
    }
}

impl<'a> States<'a> {
    fn start(reducer: &'a dyn Reducer, work: &'a Work) -> Self {
        let mut folding = start(reducer, work);
        let first = folding.state();
        Self { reducer, work, folding, first }
    }

    /// Starts the next stream. An engine is slow to start, so one serves all streams, unless it
    /// holds on to something of the stream before.
    fn begin(&mut self) {
        if self.folding.is_resumable() {
            self.folding.resume(&self.first, 0);
        } else {
            self.folding = start(self.reducer, self.work);
        }
    }
}
