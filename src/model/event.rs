//! One event as the store holds it.

use std::{fmt, sync::Arc};

use crate::model::{Json, Payload, StreamName, Timestamp};

/// Place in its stream, as stored, never renumbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct StreamVersion(pub i64);

/// Place in the whole log, as stored: a number, or an id that sorts by time (UUIDv7, ULID).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum GlobalPosition {
    /// A rising number.
    Number(i64),
    /// A sortable id.
    Text(Arc<str>),
}

/// One part of an [`EventKey`]; sorts as SQLite sorts: nothing, numbers, texts, bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyPart {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A text.
    Text(Arc<str>),
    /// Bytes.
    Blob(Arc<[u8]>),
}

/// What names one event for good and sorts in global order, whatever the store orders by.
///
/// Pages continue from a key, and an event is fetched by it. It is never shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey(pub Arc<[KeyPart]>);

/// What the store holds, unchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// Its name for fetching, and its place in global order.
    pub key: EventKey,
    /// Its place in the whole log; `None` if the store holds none.
    pub position: Option<GlobalPosition>,
    /// The stream it belongs to.
    pub stream: Arc<StreamName>,
    /// Its place in the stream; `None` if the store holds none.
    pub version: Option<StreamVersion>,
    /// The event type as stored; empty if the store holds none.
    pub event_type: Arc<str>,
    /// Version of the event's shape, as text; `None` if the store holds none.
    pub schema_version: Option<Arc<str>>,
    /// When it was recorded; `None` if the store holds no time or one that cannot be read.
    pub time: Option<Timestamp>,
    /// The event's own id.
    pub event_id: Option<Arc<str>>,
    /// What it belongs together with.
    pub correlation_id: Option<Arc<str>>,
    /// What caused it.
    pub causation_id: Option<Arc<str>>,
    /// Who did it.
    pub actor: Option<Arc<str>>,
    /// The domain data.
    pub data: Payload,
    /// The data about the data.
    pub metadata: Payload,
    /// What is wrong with this row, in words: an unreadable time, a version that is no number.
    pub troubles: Vec<Arc<str>>,
}

impl EventKey {
    /// A key of one integer.
    #[must_use]
    pub fn integer(value: i64) -> Self {
        Self(Arc::from([KeyPart::Integer(value)]))
    }
}

impl fmt::Display for StreamVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for GlobalPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl From<GlobalPosition> for Json {
    fn from(position: GlobalPosition) -> Self {
        match position {
            GlobalPosition::Number(number) => Self::from(number),
            GlobalPosition::Text(text) => Self::from(text),
        }
    }
}

impl RecordedEvent {
    /// `OrderPlaced 17@order-4`, for messages.
    #[must_use]
    pub fn label(&self) -> String {
        match self.version {
            Some(version) => format!("{} {version}@{}", self.event_type, self.stream.full()),
            None => format!("{} @{}", self.event_type, self.stream.full()),
        }
    }

    /// The event as one JSON object, in the shape of `timeglass events --ndjson`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut members = vec![
            ("position", Json::from(self.position.clone())),
            ("stream", Json::from(self.stream.full())),
            ("category", Json::from(self.stream.category.clone())),
            ("id", Json::from(Arc::clone(&self.stream.id))),
            ("version", Json::from(self.version.map(|version| version.0))),
            (
                "type",
                if self.event_type.is_empty() {
                    Json::Null
                } else {
                    Json::from(Arc::clone(&self.event_type))
                },
            ),
            ("schema_version", Json::from(self.schema_version.clone())),
            ("time", Json::from(self.time.map(Timestamp::to_rfc3339))),
            ("event_id", Json::from(self.event_id.clone())),
            ("correlation_id", Json::from(self.correlation_id.clone())),
            ("causation_id", Json::from(self.causation_id.clone())),
        ];
        if let Some(actor) = &self.actor {
            members.push(("actor", Json::from(Arc::clone(actor))));
        }
        members.extend(payload_members(["data", "data_problem", "data_hex"], &self.data));
        members.extend(payload_members(["metadata", "metadata_problem", "metadata_hex"], &self.metadata));
        if !self.troubles.is_empty() {
            members.push(("troubles", Json::array(self.troubles.iter().cloned().map(Json::from))));
        }
        Json::object(members)
    }
}

/// The decoded value; or null with the reason and the bytes.
fn payload_members(names: [&'static str; 3], payload: &Payload) -> Vec<(&'static str, Json)> {
    let [value, problem, hex] = names;
    match &payload.decoded {
        Ok(decoded) => vec![(value, decoded.clone())],
        Err(reason) => vec![
            (value, Json::Null),
            (problem, Json::from(Arc::clone(reason))),
            (hex, Json::from(payload.stored.to_hex())),
        ],
    }
}
