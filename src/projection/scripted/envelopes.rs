//! Events as they are read from a store, made into what a projection is fed.

use std::sync::Arc;

use crate::{
    replay::envelopes::RowEnvelopes,
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
    rows: RowEnvelopes,
}

/// What tells a projection of the deletion of a stream.
const DELETIONS: [&str; 2] = ["$streamDeleted", "$metadata"];

impl Envelopes {
    pub(super) fn new(script: &Script) -> Self {
        let definition = script.definition();
        // A function that computes partitions is asked about every event, and may read any of them.
        let is_open = definition.all_events || definition.by_custom_partitions;
        let deletions = DELETIONS.iter().filter(|_| definition.handles_deleted).map(|name| Arc::from(*name));
        let wanted = (!is_open).then(|| definition.events.iter().cloned().chain(deletions).collect());
        Self { script: script.clone(), wanted, rows: RowEnvelopes::default() }
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
    pub(super) fn envelope(
        &mut self,
        row: &EventRow<'_>,
        store: &dyn EventStore,
    ) -> StoreResult<Arc<Envelope>> {
        let unreadable = |body: Body<'_>| matches!(body, Body::Unreadable(_));
        if unreadable(row.data) || unreadable(row.metadata) {
            let found = store.fetch(&Work::default(), &[row.head.key.to_key()])?;
            if let Some(event) = found.into_iter().flatten().next() {
                return Ok(Arc::new(Envelope::from(&event)));
            }
        }
        let texts = (text_of(row.data), text_of(row.metadata));
        Ok(Arc::clone(self.rows.next(row, !unreadable(row.data), texts)))
    }
}

fn text_of(body: Body<'_>) -> Option<&str> {
    match body {
        Body::Json(text) | Body::Unreadable(text) => Some(text),
        Body::Absent => None,
    }
}
