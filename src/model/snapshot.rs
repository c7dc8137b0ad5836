//! A state that the store's owner stored beside the events.

use std::sync::Arc;

use crate::model::{Payload, StreamName, StreamVersion, Timestamp};

/// One stored snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSnapshot {
    /// The table it stands in.
    pub table: Arc<str>,
    /// The stream it is a state of; `None` if the store does not say (content-addressed ones).
    pub stream: Option<Arc<StreamName>>,
    /// The version that it is the state after.
    pub version: Option<StreamVersion>,
    /// When it was stored.
    pub time: Option<Timestamp>,
    /// What tells it from others of the same stream, such as a projection's name.
    pub label: Option<Arc<str>>,
    /// The stored state.
    pub state: Payload,
}

/// A stored snapshot without its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotHead {
    /// The table it stands in.
    pub table: Arc<str>,
    /// The stream it is a state of; `None` if the store does not say.
    pub stream: Option<Arc<StreamName>>,
    /// The version that it is the state after.
    pub version: Option<StreamVersion>,
    /// When it was stored.
    pub time: Option<Timestamp>,
    /// What tells it from others of the same stream.
    pub label: Option<Arc<str>>,
}

impl StoredSnapshot {
    /// A snapshot of these two parts.
    #[must_use]
    pub fn new(head: SnapshotHead, state: Payload) -> Self {
        let SnapshotHead { table, stream, version, time, label } = head;
        Self { table, stream, version, time, label, state }
    }

    /// Everything but the state.
    #[must_use]
    pub fn head(&self) -> SnapshotHead {
        SnapshotHead {
            table: Arc::clone(&self.table),
            stream: self.stream.clone(),
            version: self.version,
            time: self.time,
            label: self.label.clone(),
        }
    }
}
