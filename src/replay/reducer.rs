//! The seam between a history and the function that makes state of it.

use std::sync::Arc;

use crate::model::{Json, RecordedEvent};

/// Makes a state of events, one by one.
pub trait Reducer: Send + Sync {
    /// What the window says the state was made by: "merged; no reducer for `order`".
    fn name(&self) -> Arc<str>;

    /// The state before the first event.
    fn initial(&self) -> Json;

    /// Applies one event. On a failure the state must be left as it was: the history goes on
    /// from there, and shows the step as failed.
    fn apply(&self, state: &mut Json, event: &RecordedEvent) -> Result<(), Failure>;
}

/// Why an event could not be applied. Trouble of the user's data or code, shown as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub message: Arc<str>,
    /// The line of the reducer's source, from 1, if it has one.
    pub line: Option<u32>,
    /// The column in that line, from 1.
    pub column: Option<u32>,
}

impl Failure {
    /// A failure without a place in a source.
    #[must_use]
    pub fn new(message: impl Into<Arc<str>>) -> Self {
        Self { message: message.into(), line: None, column: None }
    }
}
