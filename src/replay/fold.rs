//! Applying a reducer to events, one after the other, from the first.

use std::ops::ControlFlow;

use crate::{
    model::{Failure, Json, RecordedEvent},
    replay::{
        reducer::{Applied, Folding, Reducer, Rounding},
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
    /// Numbers that the reducer saw otherwise than they were stored, by the counts of their events;
    /// no more than [`ROUNDINGS_KEPT`].
    pub rounded: Vec<(usize, Rounding)>,
    /// How many such numbers there are in all.
    pub rounded_count: usize,
    /// The last event of the history.
    pub last: Option<RecordedEvent>,
}

/// So many rounded numbers are kept: a history may have one in every event, and the first ones tell.
pub const ROUNDINGS_KEPT: usize = 1000;

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
    let mut folded = Folded {
        state: Json::Null,
        applied: 0,
        failed: Vec::new(),
        rounded: Vec::new(),
        rounded_count: 0,
        last: None,
    };
    events.visit(0..end, work, &mut |count, event| {
        let Some(event) = event else { return ControlFlow::Continue(()) };
        let is_stopped = on_failure == OnFailure::Stop && !folded.failed.is_empty();
        if !is_stopped {
            match folding.apply(&event) {
                Ok(applied) => folded.take(count, applied),
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

impl Folded {
    fn take(&mut self, count: usize, applied: Applied) {
        self.applied += 1;
        self.rounded_count += applied.roundings.len();
        let room = ROUNDINGS_KEPT.saturating_sub(self.rounded.len());
        self.rounded.extend(applied.roundings.into_iter().take(room).map(|rounding| (count, rounding)));
    }
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
