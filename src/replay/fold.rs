//! Applying a reducer to events, one after the other, from the first.

use std::ops::{ControlFlow, Range};

use crate::{
    model::{Failure, Json, RecordedEvent},
    replay::{
        reducer::{Applied, Fed, Feed, Folding, Reducer, Rounding},
        sequence::Sequence,
    },
    store::{StoreResult, bodies::Bodies},
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
#[derive(Debug, Clone, PartialEq, Default)]
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
    let mut folded = Folded::default();
    events.visit(0..end, work, &mut |count, event| {
        let Some(event) = event else { return ControlFlow::Continue(()) };
        if !folded.is_stopped(on_failure) && !folded.apply(&mut *folding, count, &event, work) {
            return ControlFlow::Break(());
        }
        folded.last = Some(event);
        ControlFlow::Continue(())
    })?;
    work.advance(0)?;
    folded.state = folding.state();
    Ok(folded)
}

/// Comes to the same as [`fold`], by rows of which no whole event is made, as far as the reducer can do with
/// them: the way through a long history.
pub fn fold_by_rows(
    events: &dyn Sequence,
    end: usize,
    reducer: &dyn Reducer,
    on_failure: OnFailure,
    work: &Work,
) -> StoreResult<Folded> {
    let mut folding = start(reducer, work);
    let bodies = match folding.feed() {
        Feed::Events => {
            drop(folding);
            return fold(events, end, reducer, on_failure, work);
        }
        Feed::Rows => Bodies::All,
        Feed::Data => Bodies::Data,
    };
    let end = end.min(events.len());
    let mut folded = Folded::default();
    // After an event that was wanted whole, so many more are taken whole: they may be alike.
    let (mut reached, mut whole) = (0, 0);
    while reached < end && !folded.is_stopped(on_failure) {
        let before = reached;
        events.visit_rows(reached..end, bodies, work, &mut |count, row| {
            let fed = row.map(|row| folding.apply_row(row, None));
            if work.is_cancelled() || fed == Some(Fed::WantsEvent) {
                return ControlFlow::Break(());
            }
            reached = count;
            match fed {
                Some(Fed::Applied(applied)) => folded.take(count, applied),
                Some(Fed::Failed(failure)) => folded.failed.push((count, failure)),
                Some(Fed::WantsEvent) | None => (),
            }
            flow(!folded.is_stopped(on_failure))
        })?;
        work.advance(0)?;
        if reached < end && !folded.is_stopped(on_failure) {
            whole = whole_events(whole, reached == before);
            let next = reached..end.min(reached + whole);
            reached = next.end;
            folded.apply_whole(&mut *folding, (events, next), on_failure, work)?;
        }
    }
    folded.last = last_of(events, end, work)?;
    folded.state = folding.state();
    Ok(folded)
}

/// How many events are taken whole, before rows are tried again, after one that was wanted whole: more each time
/// that rows come to nothing.
pub(super) fn whole_events(before: usize, is_stuck: bool) -> usize {
    const MOST: usize = 4096;
    if is_stuck { (2 * before).clamp(1, MOST) } else { 1 }
}

fn flow(goes_on: bool) -> ControlFlow<()> {
    if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// The last of the first `end` events that is not gone.
fn last_of(events: &dyn Sequence, end: usize, work: &Work) -> StoreResult<Option<RecordedEvent>> {
    let mut last = None;
    let mut behind = end;
    while let Some(before) = behind.checked_sub(1).filter(|_| last.is_none()) {
        events.visit(before..behind, work, &mut |_, event| {
            last = event;
            ControlFlow::Continue(())
        })?;
        behind = before;
    }
    Ok(last)
}

impl Folded {
    /// Whether no event is applied any more.
    fn is_stopped(&self, on_failure: OnFailure) -> bool {
        on_failure == OnFailure::Stop && !self.failed.is_empty()
    }

    /// Applies an event; says no if the work was withdrawn meanwhile.
    fn apply(&mut self, folding: &mut dyn Folding, count: usize, event: &RecordedEvent, work: &Work) -> bool {
        match folding.apply(event) {
            Ok(applied) => self.take(count, applied),
            // What is said when the work was withdrawn says nothing about the event.
            Err(_) if work.is_cancelled() => return false,
            Err(failure) => self.failed.push((count, failure)),
        }
        true
    }

    fn apply_whole(
        &mut self,
        folding: &mut dyn Folding,
        (events, range): (&dyn Sequence, Range<usize>),
        on_failure: OnFailure,
        work: &Work,
    ) -> StoreResult<()> {
        events.visit(range, work, &mut |count, event| {
            let Some(event) = event else { return ControlFlow::Continue(()) };
            flow(self.apply(folding, count, &event, work) && !self.is_stopped(on_failure))
        })?;
        Ok(work.advance(0)?)
    }

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

    fn has_begun(&self) -> bool {
        false
    }

    fn apply(&mut self, _: &RecordedEvent) -> Result<Applied, Failure> {
        Err(self.0.clone())
    }
}
