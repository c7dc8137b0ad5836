//! What feeding one event to a projection came to.

use std::sync::Arc;

use crate::{
    model::{Failure, Json},
    script::{dotnet_text::dotnet_text, rounding::Rounding},
};

/// Why an event was not handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Its stream is not one of the source's.
    WrongStream,
    /// It is a link, and links were not asked for.
    Link,
    /// It is not JSON, which version 1 does not handle.
    NonJson,
    /// The script gave it no partition.
    NoPartition,
    /// No handler takes its type.
    Unhandled,
    /// It deletes a stream, and no handler takes that.
    NoDeleteHandler,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The script threw, or misused a function, or called itself too deep, or took too much memory.
    HandlerError,
    /// A call took too long.
    ExecutionTimeout,
    /// What the script read of the event is not JSON.
    MalformedEvent,
    /// A value cannot be written as JSON.
    StateSerialization,
    /// A transform of the state failed.
    ProjectionTransform,
    /// The work was no longer wanted.
    Cancelled,
}

/// Names and texts that go with an event.
pub type Metadata = Vec<(Arc<str>, Option<Arc<str>>)>;

/// An event that the script wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// To which stream.
    pub stream: Arc<str>,
    /// The event type.
    pub event_type: Arc<str>,
    /// Its body: JSON text, or what a link points at.
    pub data: Arc<str>,
    /// Whether the body is JSON.
    pub is_json: bool,
    /// Whether it is a link to another event.
    pub is_link: bool,
    /// Names and texts that go with it, if any were given.
    pub metadata: Option<Metadata>,
}

/// What one event did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processed {
    /// The partition whose state it changed; empty for the one state of all.
    pub partition: Arc<str>,
    /// The state afterwards; null if there is none.
    pub state: Json,
    /// The state as it was returned, if it was text already.
    pub state_text: Option<Arc<str>>,
    /// What the transforms made of the state; version 2 gives the state itself.
    pub result: Json,
    /// The shared state, if the projection has one.
    pub shared: Option<Json>,
    /// Events written, in order.
    pub emitted: Vec<Emitted>,
    /// Lines logged, in order.
    pub logs: Vec<Arc<str>>,
    /// Numbers of the event that the script saw rounded.
    pub roundings: Vec<Rounding>,
}

/// How one event failed. The state is that from before it, unless only a transform failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faulted {
    /// The kind of fault.
    pub fault: Fault,
    /// What and where.
    pub failure: Failure,
    /// The partition, if the projection has several and it was known already.
    pub partition: Option<Arc<str>>,
    /// Events written before.
    pub emitted: Vec<Emitted>,
    /// Lines logged before.
    pub logs: Vec<Arc<str>>,
}

/// What feeding one event came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It was handled.
    Processed(Box<Processed>),
    /// It was passed over.
    Skipped(Skip),
    /// It failed.
    Faulted(Box<Faulted>),
}

impl Skip {
    /// As conformance cases write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongStream => "wrong-stream",
            Self::Link => "link",
            Self::NonJson => "non-json",
            Self::NoPartition => "no-partition",
            Self::Unhandled => "unhandled",
            Self::NoDeleteHandler => "no-delete-handler",
        }
    }
}

impl Fault {
    /// As conformance cases write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HandlerError => "handler-error",
            Self::ExecutionTimeout => "execution-timeout",
            Self::MalformedEvent => "malformed-event",
            Self::StateSerialization => "state-serialization-error",
            Self::ProjectionTransform => "projection-transform-error",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Step {
    /// The step in exactly the form of the conformance cases; beside a fault its message, line and column.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Skipped(reason) => {
                Json::object([("status", Json::from("skipped")), ("reason", Json::from(reason.name()))])
            }
            Self::Processed(step) => step.to_json(),
            Self::Faulted(step) => step.to_json(),
        }
    }
}

impl Processed {
    fn to_json(&self) -> Json {
        let state_raw = match (&self.state_text, &self.state) {
            (Some(text), _) => Json::from(Arc::clone(text)),
            (None, Json::Null) => Json::Null,
            (None, state) => Json::from(dotnet_text(state)),
        };
        let mut members = vec![
            ("status", Json::from("processed")),
            ("partition", Json::from(Arc::clone(&self.partition))),
            ("state", self.state.clone()),
            ("stateRaw", state_raw),
            ("result", self.result.clone()),
        ];
        if let Some(shared) = &self.shared {
            members.push(("sharedState", shared.clone()));
        }
        members.push(("emitted", Json::array(self.emitted.iter().map(Emitted::to_json))));
        members.push(("logs", Json::array(self.logs.iter().cloned().map(Json::from))));
        if !self.roundings.is_empty() {
            members.push(("roundings", Json::array(self.roundings.iter().map(Rounding::to_json))));
        }
        Json::object(members)
    }
}

impl Faulted {
    fn to_json(&self) -> Json {
        let mut members = vec![("status", Json::from("faulted")), ("fault", Json::from(self.fault.name()))];
        if let Some(partition) = &self.partition {
            members.push(("partition", Json::from(Arc::clone(partition))));
        }
        members.push(("emitted", Json::array(self.emitted.iter().map(Emitted::to_json))));
        members.push(("logs", Json::array(self.logs.iter().cloned().map(Json::from))));
        members.extend([
            ("message", Json::from(Arc::clone(&self.failure.message))),
            ("line", Json::from(self.failure.line.map(i64::from))),
            ("column", Json::from(self.failure.column.map(i64::from))),
        ]);
        Json::object(members)
    }
}

impl Emitted {
    fn to_json(&self) -> Json {
        let metadata = self.metadata.as_ref().map_or(Json::Null, |entries| {
            Json::object(entries.iter().map(|(name, text)| (Arc::clone(name), Json::from(text.clone()))))
        });
        Json::object([
            ("streamId", Json::from(Arc::clone(&self.stream))),
            ("eventType", Json::from(Arc::clone(&self.event_type))),
            ("data", Json::from(Arc::clone(&self.data))),
            ("isJson", Json::from(self.is_json)),
            ("isLink", Json::from(self.is_link)),
            ("metadata", metadata),
        ])
    }
}

impl Rounding {
    fn to_json(&self) -> Json {
        Json::object([
            ("path", Json::from(self.path.to_string())),
            ("stored", Json::from(Arc::clone(&self.stored))),
            ("became", Json::from(Arc::clone(&self.became))),
        ])
    }
}
