//! The seam between a history and the function that makes state of it.

use std::sync::Arc;

use crate::{
    model::{Failure, Json, RecordedEvent},
    work::Work,
};

/// Makes a state of events. Many histories and threads share one; each fold has its own [`Folding`].
pub trait Reducer: Send + Sync {
    /// What the window says the state was made by: "merged; no reducer for `order`".
    fn name(&self) -> Arc<str>;

    /// Starts a fold, at the state before the first event. A call into the user's code obeys `work`.
    ///
    /// Fails if the state before the first event cannot be made.
    fn start<'w>(&self, work: &'w Work) -> Result<Box<dyn Folding + 'w>, Failure>;

    /// Whether it does anything with events of this type.
    fn handles(&self, event_type: &str) -> bool;

    /// Whether the state is no more than all data merged, since nobody wrote a reducer.
    fn is_merge(&self) -> bool {
        false
    }
}

/// A fold under way: a state, and what carries it on.
pub trait Folding {
    /// The state now. It shares nodes with the states before it wherever nothing changed.
    fn state(&mut self) -> Json;

    /// Goes on from a state that the same reducer made of the first `count` events.
    fn resume(&mut self, state: &Json, count: usize);

    /// Applies one event. On a failure the state stays as it was: the history goes on from there.
    fn apply(&mut self, event: &RecordedEvent) -> Result<Applied, Failure>;

    /// Whether [`resume`](Self::resume) gives what folding from the start would. A script that keeps
    /// things in variables outside its handlers is not: they are no part of the state.
    fn is_resumable(&mut self) -> bool {
        true
    }
}

/// What applying an event did besides changing the state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Whether the reducer has nothing to say about this event.
    pub is_unhandled: bool,
    /// What the reducer logged, in order.
    pub logs: Vec<Arc<str>>,
    /// Numbers that the user's language could not hold as they were stored.
    pub roundings: Vec<Rounding>,
}

/// A number that lost digits on its way into the user's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rounding {
    /// Where it stands in the event's data.
    pub path: crate::model::Pointer,
    /// As it was stored: `12345678901234567890`.
    pub stored: Arc<str>,
    /// As the code saw it: `12345678901234567000`.
    pub became: Arc<str>,
}
