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
