//! What events hold beside their heads, many at a time and without memory of its own for each.

use crate::{model::RecordedEvent, store::read::Body};

/// What of an event's body is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bodies {
    /// The data alone.
    Data,
    /// Data, metadata and ids.
    All,
}

/// The body of one event, borrowed from its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventBody<'a> {
    /// The event's own id.
    pub event_id: Option<&'a str>,
    /// What it belongs together with.
    pub correlation_id: Option<&'a str>,
    /// What caused it.
    pub causation_id: Option<&'a str>,
    /// The domain data.
    pub data: Body<'a>,
    /// The data about the data.
    pub metadata: Body<'a>,
}

/// Bodies one after the other, in one text.
#[derive(Debug, Default)]
pub struct BodyBatch {
    text: String,
    /// Nothing for an event that is gone.
    places: Vec<Option<Place>>,
}

/// Where a body's parts end in the text; they follow each other in this order.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    ids: [Option<usize>; 3],
    data: Kept,
    metadata: Kept,
}

#[derive(Debug, Clone, Copy)]
enum Kept {
    Absent,
    Json(usize),
    Unreadable(usize),
}

impl BodyBatch {
    /// How many events it has, those that are gone included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// How long all texts are together, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Forgets all, and keeps the room for the next ones.
    pub fn clear(&mut self) {
        self.cut(0);
    }

    /// Forgets all behind the first ones.
    pub fn cut(&mut self, length: usize) {
        self.places.truncate(length);
        let end = self.places.iter().rev().find_map(|place| place.as_ref().map(Place::end));
        self.text.truncate(end.unwrap_or_default());
    }

    /// Adds the body of one event, or of one that is gone.
    pub fn push(&mut self, body: Option<EventBody<'_>>) {
        let place = body.map(|body| Place {
            start: self.text.len(),
            ids: [body.event_id, body.correlation_id, body.causation_id].map(|id| Some(self.keep(id?))),
            data: self.kept(body.data),
            metadata: self.kept(body.metadata),
        });
        self.places.push(place);
    }

    /// Adds what is asked for of a whole event.
    pub fn push_event(&mut self, event: Option<&RecordedEvent>, bodies: Bodies) {
        let Some(event) = event else { return self.push(None) };
        let data = Body::text(&event.data);
        let (metadata, ids) = match bodies {
            Bodies::Data => (None, [None; 3]),
            Bodies::All => {
                let ids = [&event.event_id, &event.correlation_id, &event.causation_id];
                (Body::text(&event.metadata), ids.map(|id| id.as_deref()))
            }
        };
        let [event_id, correlation_id, causation_id] = ids;
        let (data, metadata) = (Body::from(data.as_ref()), Body::from(metadata.as_ref()));
        self.push(Some(EventBody { event_id, correlation_id, causation_id, data, metadata }));
    }

    /// The bodies in order; nothing for an event that is gone.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<EventBody<'_>>> {
        self.places.iter().map(|place| place.map(|place| self.body(place)))
    }

    fn body(&self, place: Place) -> EventBody<'_> {
        let mut start = place.start;
        let mut next = |end: usize| {
            let text = self.text.get(start..end).unwrap_or_default();
            start = end;
            text
        };
        let [event_id, correlation_id, causation_id] = place.ids.map(|end| Some(next(end?)));
        let mut body = |kept: Kept| match kept {
            Kept::Absent => Body::Absent,
            Kept::Json(end) => Body::Json(next(end)),
            Kept::Unreadable(end) => Body::Unreadable(next(end)),
        };
        let (data, metadata) = (body(place.data), body(place.metadata));
        EventBody { event_id, correlation_id, causation_id, data, metadata }
    }

    fn keep(&mut self, text: &str) -> usize {
        self.text.push_str(text);
        self.text.len()
    }

    fn kept(&mut self, body: Body<'_>) -> Kept {
        match body {
            Body::Absent => Kept::Absent,
            Body::Json(text) => Kept::Json(self.keep(text)),
            Body::Unreadable(reason) => Kept::Unreadable(self.keep(reason)),
        }
    }
}

impl Place {
    /// Where the last of its texts ends.
    fn end(&self) -> usize {
        let kept = |kept: Kept| match kept {
            Kept::Absent => 0,
            Kept::Json(end) | Kept::Unreadable(end) => end,
        };
        let ids = self.ids.iter().flatten().copied().max().unwrap_or_default();
        ids.max(kept(self.data)).max(kept(self.metadata)).max(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(batch: &BodyBatch, expected: &[Option<EventBody<'_>>]) {
        assert_eq!(batch.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn bodies_come_back_as_they_went_in() {
        let empty = EventBody {
            event_id: None,
            correlation_id: None,
            causation_id: None,
            data: Body::Absent,
            metadata: Body::Absent,
        };
        let full = EventBody {
            event_id: Some("e"),
            causation_id: Some(""),
            data: Body::Json("{}"),
            metadata: Body::Unreadable("no"),
            ..empty
        };
        let all = [Some(full), None, Some(empty), Some(EventBody { data: Body::Json("[1]"), ..empty }), None];
        let mut batch = BodyBatch::default();
        for body in &all {
            batch.push(*body);
        }
        check(&batch, &all);
        batch.cut(2);
        assert_eq!(batch.bytes(), "e{}no".len());
        batch.push(all[3]);
        check(&batch, &[Some(full), None, all[3]]);
        batch.clear();
        check(&batch, &[]);
    }
}
