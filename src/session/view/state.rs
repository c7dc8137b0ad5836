//! The state at the cursor, and the comparison of two points.

use std::sync::Arc;

use crate::{
    model::{Change, Json},
    session::view::StepNotes,
};

/// The state at the cursor.
#[derive(Debug, Clone, Default)]
pub struct StateView {
    /// The stream's name; empty while none is chosen.
    pub stream: Arc<str>,
    /// The branch that it is of, instead of what was recorded.
    pub branch: Option<Arc<str>>,
    /// "v118 of 231".
    pub place: String,
    /// The time of the event at the cursor.
    pub time: String,
    /// The event at the cursor: its type.
    pub event_type: Arc<str>,
    /// What the state was made by.
    pub reducer: Arc<str>,
    /// The state; `None` while none is known.
    pub state: Option<Json>,
    /// What the step at the cursor changed.
    pub changes: Arc<Vec<Change>>,
    /// Why the event was not applied.
    pub failure: Option<Arc<str>>,
    /// How many steps of this history failed so far.
    pub failures: usize,
    /// Why the state is older than the reducer that the user sees, if it is.
    pub old: Option<String>,
    /// What else there is to say about the step: logs, rounded numbers, where it failed.
    pub notes: Arc<StepNotes>,
    /// The category, if it has no reducer; empty for streams without one.
    pub lacks_reducer: Option<Arc<str>>,
    /// Whether a newer state is on its way.
    pub is_stale: bool,
    /// Why there is nothing to show, in words.
    pub empty: &'static str,
}

/// The comparison of two points.
#[derive(Debug, Clone, Default)]
pub struct DiffView {
    /// The pins, in words.
    pub pins: [Option<String>; 2],
    /// What is compared: "v117 → v118".
    pub title: String,
    /// What differs.
    pub changes: Arc<Vec<Change>>,
    /// Whether both pins are set and compared, instead of the step at the cursor.
    pub is_between_pins: bool,
    /// Whether there is anything to compare.
    pub is_ready: bool,
}
