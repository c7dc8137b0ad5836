//! Events as they are read from a store, made into what a script is fed.

use std::sync::Arc;

use crate::{
    script::{Envelope, Script},
    store::{
        EventStore, StoreResult,
        read::{Body, EventRow},
    },
    work::Work,
};

/// Makes envelopes of rows, and tells which rows need one.
pub(super) struct Envelopes {
    script: Script,
    /// The event types whose payloads are needed; nothing if all may be.
    wanted: Option<Arc<[Arc<str>]>>,
    types: Vec<Arc<str>>,
}

/// What tells a projection of the deletion of a stream.
const DELETIONS: [&str; 2] = ["$streamDeleted", "$metadata"];

/// So many names of event types are kept; more do not occur but in hostile stores.
const TYPES: usize = 256;

impl Envelopes {
    pub(super) fn new(script: &Script) -> Self {
        let definition = script.definition();
        // A function that computes partitions is asked about every event, and may read any of them.
        let is_open = definition.all_events || definition.by_custom_partitions;
        let deletions = DELETIONS.iter().filter(|_| definition.handles_deleted).map(|name| Arc::from(*name));
        let wanted = (!is_open).then(|| definition.events.iter().cloned().chain(deletions).collect());
        Self { script: script.clone(), wanted, types: Vec::new() }
    }

    pub(super) fn wanted(&self) -> Option<Arc<[Arc<str>]>> {
        self.wanted.clone()
    }

    /// Whether the script may do anything with the event.
    pub(super) fn may_reach(&self, row: &EventRow<'_>) -> bool {
        let is_wanted = match &self.wanted {
            None => true,
            Some(types) => types.iter().any(|wanted| **wanted == *row.head.event_type),
        };
        is_wanted && row.head.stored.is_none_or(|stream| self.script.definition().reads(stream))
    }

    /// The event as the script is fed it. What is no JSON is fetched whole, since a script sees its bytes.
    pub(super) fn envelope(&mut self, row: &EventRow<'_>, store: &dyn EventStore) -> StoreResult<Envelope> {
        let unreadable = |body: Body<'_>| matches!(body, Body::Unreadable(_));
        if unreadable(row.data) || unreadable(row.metadata) {
            let found = store.fetch(&Work::default(), &[row.head.key.to_key()])?;
            if let Some(event) = found.into_iter().flatten().next() {
                return Ok(Envelope::from(&event));
            }
        }
        let envelope = Envelope {
            event_type: self.event_type(row.head.event_type),
            stream: stream(row),
            sequence_number: row.head.version.map_or(0, |version| version.0),
            is_json: !unreadable(row.data),
            event_id: row.event_id.unwrap_or_default().into(),
            created: row.head.time.map(Envelope::created_text).unwrap_or_default(),
            ..Envelope::default()
        };
        Ok(envelope.with_texts(text_of(row.data), text_of(row.metadata)))
    }

    /// The type's name, kept once.
    fn event_type(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.types.iter().find(|known| ***known == *name) {
            return Arc::clone(known);
        }
        let made: Arc<str> = name.into();
        if self.types.len() < TYPES {
            self.types.push(Arc::clone(&made));
        }
        made
    }
}

fn text_of(body: Body<'_>) -> Option<&str> {
    match body {
        Body::Json(text) | Body::Unreadable(text) => Some(text),
        Body::Absent => None,
    }
}

fn stream(row: &EventRow<'_>) -> Arc<str> {
    match (row.head.stored, row.head.category) {
        (Some(stored), _) => stored.into(),
        (None, Some(category)) => format!("{category}-{}", row.head.id).into(),
        (None, None) => row.head.id.into(),
    }
}
