//! Branches of a history as plain data: what is left out, changed, put in or moved.
//!
//! An edit names events of the *truth*, the recorded history, by how many events lie behind them
//! there. So edits do not disturb each other: they may be switched on and off, added and undone in
//! any order. With the count goes what the event looked like, so that an edit that no longer fits
//! the store is found out and never applied to another event.

use std::{fmt, sync::Arc};

use crate::model::{Json, Payload, RecordedEvent, StreamVersion, Timestamp};

/// What tells an event of a stream from its neighbours, without its payload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventHead {
    /// Its place in the stream, as stored.
    pub version: Option<StreamVersion>,
    /// Its type.
    pub event_type: Arc<str>,
    /// When it was recorded.
    pub time: Option<Timestamp>,
}

/// Names an event of the truth.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventRef {
    /// How many events lie behind it, itself included.
    pub count: usize,
    /// What it looked like when it was named.
    pub head: EventHead,
}

/// What an event says, as the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// Its type.
    pub event_type: Arc<str>,
    /// Its data.
    pub data: Json,
    /// Its metadata; null means none.
    pub metadata: Json,
}

/// One difference between a branch and the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditKind {
    /// The event did not happen.
    LeaveOut(EventRef),
    /// The event said something else.
    Replace {
        /// Which.
        event: EventRef,
        /// What it says instead.
        content: Content,
    },
    /// Another event happened.
    Insert {
        /// After which; `None` means before the first.
        after: Option<EventRef>,
        /// What it says.
        content: Content,
    },
    /// The event happened at another place.
    Move {
        /// Which.
        event: EventRef,
        /// After which; `None` means before the first.
        after: Option<EventRef>,
    },
}

/// An edit, and whether it counts now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Whether it counts.
    pub is_on: bool,
    /// What it does.
    pub kind: EditKind,
}

/// What makes the states of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BranchReducer {
    /// What makes those of the truth.
    #[default]
    Same,
    /// The built-in merge.
    Merge,
    /// The source in this file, as the user named it.
    File(Arc<str>),
}

/// A history as it could have been.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Branch {
    /// What the user calls it.
    pub name: Arc<str>,
    /// The full name of the stream that it departs from.
    pub stream: Arc<str>,
    /// What makes its states.
    pub reducer: BranchReducer,
    /// Where it departs from the truth, in the order in which the user said so.
    pub edits: Vec<Edit>,
}

/// The truth as far as edits need to know it.
#[derive(Clone, Copy)]
pub struct Truth<'a> {
    /// How many events there are.
    pub len: usize,
    /// What the event with a count looks like.
    pub head: &'a dyn Fn(usize) -> Option<EventHead>,
}

/// An edit that names an event which is not there any more. It is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The place of the edit in its branch.
    pub edit: usize,
    /// The event that it names.
    pub event: EventRef,
    /// What stands there now.
    pub found: Option<EventHead>,
}

impl Branch {
    /// Whether an event stands elsewhere than where it was recorded: then the branch has more steps than events.
    #[must_use]
    pub fn has_moves(&self) -> bool {
        self.edits.iter().any(|edit| edit.is_on && matches!(edit.kind, EditKind::Move { .. }))
    }
}

/// What is said of a number of steps where an event was moved.
pub const MOVED: &str = " (a moved event is a step at both places)";

impl Truth<'_> {
    /// The count of the event that is meant: at its old place, or wherever its version is now.
    pub(crate) fn find(&self, event: &EventRef) -> Result<usize, Option<EventHead>> {
        let found = (self.head)(event.count).filter(|_| event.count <= self.len);
        if found.as_ref() == Some(&event.head) {
            return Ok(event.count);
        }
        let elsewhere = event.head.version.and_then(|version| self.count_of_version(version));
        elsewhere.filter(|count| (self.head)(*count).as_ref() == Some(&event.head)).ok_or(found)
    }

    /// The count of the event with this version. Events stand in version order, so it is found
    /// without a walk.
    #[must_use]
    pub fn count_of_version(&self, version: StreamVersion) -> Option<usize> {
        let (mut low, mut high) = (1, self.len + 1);
        while low < high {
            let middle = low.midpoint(high);
            if (self.head)(middle)?.version.is_some_and(|own| own < version) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let is_it = low <= self.len && (self.head)(low)?.version == Some(version);
        is_it.then_some(low)
    }

    /// The name of the event with this count.
    #[must_use]
    pub fn name(&self, count: usize) -> Option<EventRef> {
        (1..=self.len)
            .contains(&count)
            .then(|| (self.head)(count))
            .flatten()
            .map(|head| EventRef { count, head })
    }
}

impl EventRef {
    /// The event with this count, as it was read.
    #[must_use]
    pub fn of(count: usize, event: &RecordedEvent) -> Self {
        let head =
            EventHead { version: event.version, event_type: Arc::clone(&event.event_type), time: event.time };
        Self { count, head }
    }

    fn to_json(&self) -> Json {
        Json::object([
            ("version", Json::from(self.head.version.map(|version| version.0))),
            ("type", Json::from(Arc::clone(&self.head.event_type))),
        ])
    }
}

/// `OrderPaid v3`, or the count where there is no version.
impl fmt::Display for EventRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, head } = self;
        match head.version {
            Some(version) => write!(f, "{} v{version}", head.event_type),
            None => write!(f, "{} (event {count})", head.event_type),
        }
    }
}

impl Content {
    /// What an event says; what cannot be read counts as null.
    #[must_use]
    pub fn of(event: &RecordedEvent) -> Self {
        let json = |payload: &Payload| payload.json().cloned().unwrap_or_default();
        Self {
            event_type: Arc::clone(&event.event_type),
            data: json(&event.data),
            metadata: json(&event.metadata),
        }
    }

    /// As an object of `type`, `data` and, if there is any, `metadata`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut members =
            vec![("type", Json::from(Arc::clone(&self.event_type))), ("data", self.data.clone())];
        if self.metadata != Json::Null {
            members.push(("metadata", self.metadata.clone()));
        }
        Json::object(members)
    }

    /// The event that says so, in the place of another.
    #[must_use]
    pub(crate) fn replacing(&self, event: RecordedEvent) -> RecordedEvent {
        let is_same = |payload: &Payload, json: &Json| payload.json() == Some(json);
        let data = if is_same(&event.data, &self.data) { event.data } else { payload(&self.data) };
        let metadata =
            if is_same(&event.metadata, &self.metadata) { event.metadata } else { payload(&self.metadata) };
        RecordedEvent { event_type: Arc::clone(&self.event_type), data, metadata, ..event }
    }
}

pub(crate) fn payload(json: &Json) -> Payload {
    if *json == Json::Null { Payload::absent() } else { Payload::from_json(json.clone()) }
}

impl EditKind {
    /// The count of the truth before which it changes nothing.
    #[must_use]
    pub fn count(&self) -> usize {
        let behind = |after: &Option<EventRef>| after.as_ref().map_or(0, |event| event.count);
        match self {
            Self::LeaveOut(event) | Self::Replace { event, .. } => event.count,
            Self::Insert { after, .. } => behind(after),
            Self::Move { event, after } => event.count.min(behind(after)),
        }
    }

    /// In the shape of `timeglass what-if --json`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let after_json = |after: &Option<EventRef>| Json::from(after.as_ref().map(EventRef::to_json));
        match self {
            Self::LeaveOut(event) => Json::object([("leave_out", event.to_json())]),
            Self::Replace { event, content } => {
                Json::object([("edit", event.to_json()), ("event", content.to_json())])
            }
            Self::Insert { after, content } => {
                Json::object([("insert_after", after_json(after)), ("event", content.to_json())])
            }
            Self::Move { event, after } => {
                Json::object([("move", event.to_json()), ("after", after_json(after))])
            }
        }
    }
}

/// `leave out OrderPaid v3`
impl fmt::Display for EditKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |after: &Option<EventRef>| match after {
            Some(event) => format!("after {event}"),
            None => "before the first event".to_owned(),
        };
        match self {
            Self::LeaveOut(event) => write!(f, "leave out {event}"),
            Self::Replace { event, content } if content.event_type == event.head.event_type => {
                write!(f, "edit {event}")
            }
            Self::Replace { event, content } => write!(f, "edit {event} into {}", content.event_type),
            Self::Insert { after, content } => write!(f, "insert {} {}", content.event_type, place(after)),
            Self::Move { event, after } => write!(f, "move {event} {}", place(after)),
        }
    }
}

/// Why the edit is not applied.
impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event, found, .. } = self;
        match found {
            Some(head) if head.version == event.head.version && head.event_type == event.head.event_type => {
                write!(f, "{event} was recorded at another time than when this edit was made")
            }
            Some(head) => {
                let there = EventRef { count: event.count, head: head.clone() };
                write!(f, "{event} is not there any more; {there} stands in its place")
            }
            None => write!(f, "{event} is not there any more"),
        }
    }
}
