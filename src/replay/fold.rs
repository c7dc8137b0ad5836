//! Applying a reducer to events, one after the other, from the first.

use std::ops::ControlFlow;

use crate::{
    model::{Failure, Json, RecordedEvent},
    replay::{
        reducer::{Applied, Folding, Reducer},
        sequence::Sequence,
    },
    store::StoreResult,
    work::Work,
};

/// What happens to the rest of a history when an event cannot be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// It goes on from the state before that event.
    #[default]
    GoOn,
    /// No later event is applied.
    Stop,
}

/// What a fold made.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// The state after the last event.
    pub state: Json,
    /// How many events were applied.
    pub applied: u64,
    /// Those that could not be, by their counts.
    pub failed: Vec<(usize, Failure)>,
    /// The last event of the history.
    pub last: Option<RecordedEvent>,
}

/// Folds the first `end` events of a history.
///
/// It is what seeking and every other shortcut must agree with, so it takes none.
pub fn fold(
    events: &dyn Sequence,
    end: usize,
    reducer: &dyn Reducer,
    on_failure: OnFailure,
    work: &Work,
) -> StoreResult<Folded> {
    let mut folding = start(reducer, work);
    let mut folded = Folded { state: Json::Null, applied: 0, failed: Vec::new(), last: None };
    events.visit(0..end, work, &mut |count, event| {
        let Some(event) = event else { return ControlFlow::Continue(()) };
        let is_stopped = on_failure == OnFailure::Stop && !folded.failed.is_empty();
        if !is_stopped {
            match folding.apply(&event) {
                Ok(_) => folded.applied += 1,
                // What is said when the work was withdrawn says nothing about the event.
                Err(_) if work.is_cancelled() => return ControlFlow::Break(()),
                Err(failure) => folded.failed.push((count, failure)),
            }
        }
        folded.last = Some(event);
        ControlFlow::Continue(())
    })?;
    work.advance(0)?;
    folded.state = folding.state();
    Ok(folded)
}

/// Starts a fold; one that cannot start fails at every event, and says why.
pub(crate) fn start<'w>(reducer: &dyn Reducer, work: &'w Work) -> Box<dyn Folding + 'w> {
    reducer.start(work).unwrap_or_else(|failure| Box::new(NeverStarted(failure)))
}

struct NeverStarted(Failure);

impl Folding for NeverStarted {
    fn state(&mut self) -> Json {
        Json::Null
    }

    fn resume(&mut self, _: &Json, _: usize) {}

    fn apply(&mut self, _: &RecordedEvent) -> Result<Applied, Failure> {
        Err(self.0.clone())
    }
}
