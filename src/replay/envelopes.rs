//! Events as they are read from a store, made into what a script is fed.

use std::sync::Arc;

use crate::{script::Envelope, store::read::EventRow};

/// Makes envelopes of rows, one after the other: the next one takes the place of the last, unless a script keeps
/// that, and names that many events share are kept once.
#[derive(Default)]
pub struct RowEnvelopes {
    event: Arc<Envelope>,
    types: Vec<Arc<str>>,
}

/// So many event types are kept; more do not occur but in hostile stores.
const MOST_TYPES: usize = 256;

impl RowEnvelopes {
    /// The event of a row, with the texts of its data and metadata, where it has any.
    pub fn next(
        &mut self,
        row: &EventRow<'_>,
        is_json: bool,
        (data, metadata): (Option<&str>, Option<&str>),
    ) -> &Arc<Envelope> {
        let event_type = self.event_type(row.head.event_type);
        let event = Arc::make_mut(&mut self.event);
        event.event_type = event_type;
        if !row.head.is_named(&event.stream) {
            event.stream = row.head.full_name().into();
        }
        event.sequence_number = row.head.version.map_or(0, |version| version.0);
        event.is_json = is_json;
        event.event_id = row.event_id.map(Arc::from).unwrap_or_default();
        event.set_time(row.head.time);
        event.set_texts(data, metadata);
        &self.event
    }

    fn event_type(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.types.iter().find(|known| ***known == *name) {
            return Arc::clone(known);
        }
        let made: Arc<str> = name.into();
        if self.types.len() < MOST_TYPES {
            self.types.push(Arc::clone(&made));
        }
        made
    }
}
