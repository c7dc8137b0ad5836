//! The seam between a history and the function that makes state of it.

use std::sync::Arc;

use crate::{
    model::{Failure, Json, RecordedEvent},
    replay::changes::StepNotes,
    store::read::EventRow,
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

    /// Whether there is a state before the first event at all: a fold that could not begin has none.
    fn has_begun(&self) -> bool {
        true
    }

    /// What it has to be given of an event where nobody looks at the steps between: in a long fold, and on
    /// the way from a keyframe to where the user goes.
    fn feed(&self) -> Feed {
        Feed::Events
    }

    /// Whether [`apply_row`](Self::apply_row) notes what a step changes; else the states before and after it
    /// are held against each other.
    fn notes_changes(&self) -> bool {
        false
    }

    /// Applies an event of which there is a row only, as [`feed`](Self::feed) asked for it, and notes what that
    /// changes, if it is given notes and [can](Self::notes_changes).
    ///
    /// Comes to the same as [`apply`](Self::apply) would with the whole event. Where it cannot tell, it asks for
    /// that, with the state and the notes as they were.
    fn apply_row(&mut self, _row: &EventRow<'_>, _notes: Option<&mut StepNotes<'_>>) -> Fed {
        Fed::WantsEvent
    }

    /// Whether [`resume`](Self::resume) gives what folding from the start would. A script that keeps
    /// things in variables outside its handlers is not: they are no part of the state.
    fn is_resumable(&mut self) -> bool {
        true
    }
}

/// What a fold has to be given of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// The whole event.
    Events,
    /// A row with ids, data and metadata.
    Rows,
    /// A row with the data, and neither ids nor metadata. In a long fold the data is read ahead.
    Data,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fed {
    /// It was applied. What it logged may be left out.
    Applied(Applied),
    /// It could not be applied; the state is the one before.
    Failed(Failure),
    /// Only the whole event will do; nothing has happened.
    WantsEvent,
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
