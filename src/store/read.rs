//! Events with their payloads, met one after the other: what a projection runs over.

use crate::{
    model::{EventKey, EventQuery, Payload, RecordedEvent, Stored},
    store::{EventStore, KeyRange, PageFrom, ScanKey, ScanRow, StoreResult},
    work::Work,
};

/// One event as a read meets it, borrowed from the batch it was read in.
#[derive(Debug)]
pub struct EventRow<'a> {
    /// What a scan tells of it.
    pub head: ScanRow<'a>,
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

/// A payload as JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// There is none, or it was not asked for.
    Absent,
    /// What it says: the stored text itself where that is JSON with nothing around it. Whether a stored text
    /// is well-formed is not checked here.
    Json(&'a str),
    /// It cannot be shown as JSON; the reason, in words.
    Unreadable(&'a str),
}

/// What a visitor says after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onward {
    /// The next one, please.
    On,
    /// That was enough.
    Enough,
}

/// Which payloads a read makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Those of all events.
    All,
    /// Those of these event types; other events are met without.
    Types(&'a [std::sync::Arc<str>]),
}

impl Wanted<'_> {
    /// Whether the payloads of this event type are wanted.
    #[must_use]
    pub fn includes(&self, event_type: &str) -> bool {
        match self {
            Self::All => true,
            Self::Types(types) => types.iter().any(|wanted| **wanted == *event_type),
        }
    }
}

/// So many events are in memory at once.
const PAGE: usize = 500;

/// [`EventStore::read`] over [`EventStore::page`]: the plainest form, and the oracle of faster ones.
pub fn read_by_pages<S: EventStore + ?Sized>(
    store: &S,
    work: &Work,
    range: &KeyRange,
    wanted: Wanted<'_>,
    visit: &mut dyn FnMut(&EventRow<'_>) -> Onward,
) -> StoreResult<Vec<String>> {
    let mut from = range.after.clone().map_or(PageFrom::Start, PageFrom::After);
    loop {
        let page = store.page(work, &EventQuery::default(), &from, PAGE)?;
        let is_within = |key: &EventKey| range.until.as_ref().is_none_or(|until| key <= until);
        for event in page.iter().filter(|event| is_within(&event.key)) {
            if visit_event(event, wanted, visit) == Onward::Enough {
                return Ok(Vec::new());
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE && is_within(&last.key) => {
                from = PageFrom::After(last.key.clone());
            }
            Some(_) | None => return Ok(Vec::new()),
        }
    }
}

fn visit_event(
    event: &RecordedEvent,
    wanted: Wanted<'_>,
    visit: &mut dyn FnMut(&EventRow<'_>) -> Onward,
) -> Onward {
    let is_wanted = wanted.includes(&event.event_type);
    let text = |payload: &Payload| match (&payload.stored, &payload.decoded) {
        (Stored::Null, _) => None,
        _ if !is_wanted => None,
        (_, Ok(json)) => Some(Ok(json.to_compact())),
        (_, Err(reason)) => Some(Err(reason.to_string())),
    };
    let (data, metadata) = (text(&event.data), text(&event.metadata));
    fn body(text: Option<&Result<String, String>>) -> Body<'_> {
        match text {
            None => Body::Absent,
            Some(Ok(text)) => Body::Json(text),
            Some(Err(reason)) => Body::Unreadable(reason),
        }
    }
    visit(&EventRow {
        head: ScanRow {
            key: ScanKey::of(&event.key.0),
            position: event.position.clone(),
            category: event.stream.category.as_deref(),
            id: &event.stream.id,
            stored: event.stream.stored.as_deref(),
            version: event.version,
            event_type: &event.event_type,
            time: event.time,
        },
        event_id: event.event_id.as_deref(),
        correlation_id: event.correlation_id.as_deref(),
        causation_id: event.causation_id.as_deref(),
        data: body(data.as_ref()),
        metadata: body(metadata.as_ref()),
    })
}
