//! Events with their payloads, met one after the other: what a projection runs over.

use std::borrow::Cow;

use crate::{
    model::{Encoding, EventKey, EventQuery, Payload, RecordedEvent, Stored, Taped},
    store::{EventStore, KeyRange, PageFrom, ScanKey, ScanRow, StoreResult, decode::Value},
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
    /// The data, where its text was read already and no name stands twice in an object along its members.
    pub(crate) taped: Option<Taped<'a>>,
    /// Whether data and metadata were looked at already, and any reader of JSON takes them for the same.
    pub(crate) is_plain: bool,
}

/// A payload as JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// There is none, or it was not asked for.
    Absent,
    /// What it says, as JSON text.
    ///
    /// A stored text that begins as a JSON object or array is handed on as it stands, and **not checked**:
    /// whoever parses it finds out whether it is well-formed. Every other payload was read, and this is its
    /// compact text.
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
    /// Those of these event types; of other events only the head is told, and no ids.
    Types(&'a [std::sync::Arc<str>]),
    /// The data of these event types, and neither ids nor metadata, which may have to be parsed; of other events
    /// only key and type are told.
    Data(&'a [std::sync::Arc<str>]),
}

/// The text of a stored payload that is handed on unread: an object or array in a text column, or an object
/// in a column of bytes, where no binary form begins and ends in the same way.
#[must_use]
pub fn as_it_stands(value: Value<'_>) -> Option<&str> {
    let is_plain = match value {
        Value::Text(bytes) => {
            matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
        }
        Value::Blob(bytes) => bytes.starts_with(b"{\"") && bytes.ends_with(b"}"),
        Value::Null | Value::Integer(_) | Value::Real(_) => false,
    };
    if is_plain { value.as_str() } else { None }
}

impl Body<'_> {
    /// The text of a payload, or why it cannot be shown as JSON; nothing if there is none.
    #[must_use]
    pub fn text(payload: &Payload) -> Option<Result<Cow<'_, str>, &str>> {
        if payload.stored == Stored::Null {
            return None;
        }
        let is_whole = !payload.is_unwrapped && payload.encoding != Encoding::Part;
        if is_whole && let Some(text) = as_it_stands(Value::from(&payload.stored)) {
            return Some(Ok(text.into()));
        }
        match &payload.decoded {
            Ok(json) => Some(Ok(json.to_compact().into())),
            Err(reason) => Some(Err(reason)),
        }
    }
}

impl<'t> From<Option<&'t Result<Cow<'_, str>, &'t str>>> for Body<'t> {
    fn from(text: Option<&'t Result<Cow<'_, str>, &'t str>>) -> Self {
        match text {
            None => Self::Absent,
            Some(Ok(text)) => Self::Json(text),
            Some(Err(reason)) => Self::Unreadable(reason),
        }
    }
}

impl Wanted<'_> {
    /// Whether the payloads of this event type are wanted.
    #[must_use]
    pub fn includes(&self, event_type: &str) -> bool {
        match self {
            Self::All => true,
            Self::Types(types) | Self::Data(types) => types.iter().any(|wanted| **wanted == *event_type),
        }
    }

    /// Whether ids and metadata are wanted beside the data.
    #[must_use]
    pub fn has_rest(&self) -> bool {
        !matches!(self, Self::Data(_))
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
        work.advance(page.len() as u64)?;
        match page.last() {
            Some(last) if page.len() == PAGE && is_within(&last.key) => {
                from = PageFrom::After(last.key.clone());
            }
            Some(_) | None => return Ok(Vec::new()),
        }
    }
}

/// [`EventStore::event_of_id`] by reading on until it is met.
pub(crate) fn event_of_id<S: EventStore + ?Sized>(
    store: &S,
    work: &Work,
    id: &str,
) -> StoreResult<Option<EventKey>> {
    let mut found = None;
    store.read(work, &KeyRange::default(), Wanted::All, &mut |row| {
        if row.event_id != Some(id) {
            return Onward::On;
        }
        found = Some(row.head.key.to_key());
        Onward::Enough
    })?;
    Ok(found)
}

/// Hands an event on as a row, with the payloads that are wanted.
pub(crate) fn visit_event(
    event: &RecordedEvent,
    wanted: Wanted<'_>,
    visit: &mut dyn FnMut(&EventRow<'_>) -> Onward,
) -> Onward {
    let is_wanted = wanted.includes(&event.event_type);
    let text = |payload| if is_wanted { Body::text(payload) } else { None };
    let has_rest = is_wanted && wanted.has_rest();
    let data = text(&event.data);
    let metadata = if has_rest { text(&event.metadata) } else { None };
    let ids = if has_rest {
        [&event.event_id, &event.correlation_id, &event.causation_id].map(|id| id.as_deref())
    } else {
        [None; 3]
    };
    let [event_id, correlation_id, causation_id] = ids;
    let bare = ScanRow {
        key: ScanKey::of(&event.key.0),
        position: None,
        category: None,
        id: "",
        stored: None,
        version: None,
        event_type: &event.event_type,
        time: None,
    };
    let head = if is_wanted || wanted.has_rest() {
        ScanRow {
            position: event.position.clone(),
            category: event.stream.category.as_deref(),
            id: &event.stream.id,
            stored: event.stream.stored.as_deref(),
            version: event.version,
            time: event.time,
            ..bare
        }
    } else {
        bare
    };
    visit(&EventRow {
        head,
        event_id,
        correlation_id,
        causation_id,
        data: Body::from(data.as_ref()),
        metadata: Body::from(metadata.as_ref()),
        taped: None,
        is_plain: false,
    })
}
