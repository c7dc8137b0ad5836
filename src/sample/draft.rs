//! The event being told, and the pen that a shape writes it with.

use crate::sample::{
    SampleOptions,
    calendar::push_time,
    doc::{Doc, push_ascii, push_reference, write_hex},
    rng::mix,
};

/// Names an event before and after it is written; its UUID follows from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct EventId {
    story: u64,
    number: u64,
}

/// Why things happened: the event that began it all, and the latest that followed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Chain {
    links: Option<(EventId, EventId)>,
}

/// One event, and the state after it if a snapshot is due; its buffers are used again and again.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) stream: String,
    /// What the stream is called by: `order` and 17 for `order-17`.
    pub(crate) kind: &'static str,
    pub(crate) number: u64,
    pub(crate) version: i64,
    pub(crate) event_type: &'static str,
    pub(crate) id: EventId,
    /// The same, as it is written.
    pub(crate) event_id: String,
    /// Microseconds since 1970.
    pub(crate) time: i64,
    /// The same, as it is written.
    pub(crate) recorded_at: String,
    pub(crate) data: Doc,
    pub(crate) metadata: Doc,
    /// The whole state after this event.
    pub(crate) state: Doc,
    pub(crate) has_state: bool,
}

/// How much a story has to tell, and over how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Telling {
    pub(crate) seed: u64,
    pub(crate) events: u64,
    /// Days from the first event to about the last.
    pub(crate) days: i64,
    pub(crate) snapshot_every: u32,
}

/// Numbers the events of one story, and knows when a snapshot is due.
#[derive(Debug)]
pub(crate) struct Pen {
    story: u64,
    written: u64,
    limit: u64,
    snapshot_every: i64,
    /// The time of the latest event; the next one is later.
    now: i64,
}

/// One stream as its story knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thread {
    pub(crate) kind: &'static str,
    pub(crate) number: u64,
    pub(crate) version: i64,
}

impl Telling {
    /// What the options ask for.
    pub(crate) fn of(options: &SampleOptions) -> Self {
        let SampleOptions { seed, events, snapshot_every, shape: _, damage: _ } = *options;
        // Four months for a store to look at, three years for ten million events.
        Self { seed, events, days: 120 + (events / 10_000).min(980) as i64, snapshot_every }
    }

    /// The same over the same time, with other events.
    pub(crate) fn with_events(self, events: u64) -> Self {
        Self { events, ..self }
    }
}

/// Something whose history is told, and whose state can be written down.
pub(crate) trait Subject {
    /// Writes the members of its state, in which the merge of all its events must end.
    fn write_state(&self, doc: &mut Doc);
}

impl EventId {
    /// The UUID, version 4 in form.
    pub(crate) fn push(self, out: &mut String) {
        let high = mix(self.story ^ mix(self.number));
        let low = mix(high ^ self.number);
        let mut text = *b"00000000-0000-4000-0000-000000000000";
        let parts = [
            (0..8, high >> 32),
            (9..13, high >> 16),
            (15..18, high),
            (19..23, (low >> 48 & 0x3fff) | 0x8000),
            (24..36, low),
        ];
        for (range, value) in parts {
            if let Some(places) = text.get_mut(range) {
                write_hex(places, value);
            }
        }
        push_ascii(out, &text);
    }
}

impl Thread {
    pub(crate) fn new(kind: &'static str, number: u64) -> Self {
        Self { kind, number, version: 0 }
    }
}

impl Pen {
    /// A pen for the story with this name.
    pub(crate) fn new(story: u64, telling: Telling) -> Self {
        let Telling { events, snapshot_every, seed: _, days: _ } = telling;
        Self { story, written: 0, limit: events, snapshot_every: i64::from(snapshot_every), now: i64::MIN }
    }

    /// Whether all events are told.
    pub(crate) fn is_done(&self) -> bool {
        self.written >= self.limit
    }

    /// How many will be told.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// How many are told.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// The time of the latest event.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    /// Starts the next event of a stream, at `time` or just after the event before it.
    pub(crate) fn begin(
        &mut self,
        draft: &mut Draft,
        thread: &mut Thread,
        event_type: &'static str,
        time: i64,
    ) {
        self.written += 1;
        self.now = time.max(self.now.saturating_add(1));
        thread.version += 1;
        draft.stream.clear();
        push_reference(&mut draft.stream, thread.kind, thread.number);
        (draft.kind, draft.number) = (thread.kind, thread.number);
        draft.version = thread.version;
        draft.event_type = event_type;
        draft.id = EventId { story: self.story, number: self.written };
        draft.event_id.clear();
        draft.id.push(&mut draft.event_id);
        draft.time = self.now;
        draft.recorded_at.clear();
        push_time(&mut draft.recorded_at, draft.time);
        draft.has_state = false;
        draft.data.begin();
    }

    /// Ends the event: who did it, why, and the state if a snapshot is due.
    pub(crate) fn end(&self, draft: &mut Draft, chain: &mut Chain, user: &str, subject: &impl Subject) {
        draft.data.end();
        let (first, cause) = match chain.links {
            Some((first, latest)) => (first, Some(latest)),
            None => (draft.id, None),
        };
        chain.links = Some((first, draft.id));
        draft.metadata.begin();
        draft.metadata.text_with("correlation_id", |out| first.push(out));
        if let Some(cause) = cause {
            draft.metadata.text_with("causation_id", |out| cause.push(out));
        }
        draft.metadata.text("user", user).end();
        if self.snapshot_every > 0 && draft.version % self.snapshot_every == 0 {
            draft.has_state = true;
            draft.state.begin();
            subject.write_state(&mut draft.state);
            draft.state.end();
        }
    }
}

impl Doc {
    /// A member that is a time.
    pub(crate) fn time(&mut self, name: &str, micros: i64) -> &mut Self {
        self.text_with(name, |out| push_time(out, micros))
    }
}
