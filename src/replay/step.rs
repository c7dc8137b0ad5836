//! One step of a history, and what became of its event.

use crate::{
    model::{Failure, Json, RecordedEvent},
    replay::reducer::Applied,
};

/// One step of a history: an event, and the state on either side of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// How many events lie behind, this one included; 0 is the state before the first.
    pub count: usize,
    /// The event; `None` before the first, or if it is gone from the store.
    pub event: Option<RecordedEvent>,
    /// The state before the event.
    pub before: Json,
    /// The state after it.
    pub after: Json,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There is none: this is the state before the first.
    Start,
    /// The event is gone from the store.
    Gone,
    /// It was applied.
    Applied(Applied),
    /// It could not be applied; the state is the one before.
    Failed(Failure),
    /// An earlier event failed, and the user wants the history to stop there.
    Stopped {
        /// The count of the event that failed.
        at: usize,
    },
}

impl Outcome {
    /// Why the event could not be applied, if it could not.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Start | Self::Gone | Self::Applied(_) | Self::Stopped { .. } => None,
        }
    }
}
