//! The way to a step, where nobody looks at the steps between: rows instead of whole events, and keyframes,
//! failures and notes of changes left behind as by any other walk.

use std::ops::{ControlFlow, Range};

use crate::{
    replay::{
        fold::{OnFailure, whole_events},
        history::{History, is_way_mark},
        reducer::{Applied, Fed, Feed, Folding},
        step::Outcome,
    },
    store::{StoreResult, bodies::Bodies, read::EventRow},
    work::Work,
};

/// A fold on its way.
pub(super) struct RunUp<'a> {
    history: &'a History,
    /// Whether every step is noted in the index of changes.
    pub(super) is_noted: bool,
    /// Where the user goes, if the kept states are far apart: some are kept on the way there.
    pub(super) far: Option<usize>,
    /// How many events are applied.
    pub(super) reached: usize,
    /// The event that failed, if the history stops there.
    pub(super) stopped: Option<usize>,
    /// The next count whose state may be kept.
    due: usize,
    /// After an event that was wanted whole, so many more are taken whole: they may be alike.
    whole: usize,
}

impl<'a> RunUp<'a> {
    /// A fold that has applied so many events of this history.
    pub(super) fn new(history: &'a History, reached: usize) -> Self {
        Self { history, is_noted: false, far: None, reached, stopped: None, due: 0, whole: 0 }
    }

    /// Applies all events up to the one with the count `end`, or to the first that fails if the history stops
    /// there, or none if the reducer wants whole events anyway.
    pub(super) fn run(&mut self, folding: &mut dyn Folding, end: usize, work: &Work) -> StoreResult<()> {
        let bodies = match folding.feed() {
            Feed::Events => return Ok(()),
            Feed::Rows => Bodies::All,
            Feed::Data => Bodies::Data,
        };
        self.due = self.history.next_wanted(self.reached);
        while self.reached < end && self.stopped.is_none() {
            let before = self.reached;
            let rows = self.reached..end;
            self.history.events().visit_rows(rows, bodies, work, &mut |count, row| {
                if work.is_cancelled() {
                    return ControlFlow::Break(());
                }
                self.row(folding, count, row, work)
            })?;
            work.advance(0)?;
            if self.reached < end && self.stopped.is_none() {
                self.whole = whole_events(self.whole, self.reached == before);
                let end = end.min(self.reached + self.whole);
                let reached = self.reached;
                self.events(folding, reached..end, work)?;
                if self.reached == reached {
                    break;
                }
            }
        }
        Ok(())
    }

    fn row(
        &mut self,
        folding: &mut dyn Folding,
        count: usize,
        row: Option<&EventRow<'_>>,
        work: &Work,
    ) -> ControlFlow<()> {
        let fed = match row {
            None => {
                if self.is_noted {
                    self.history.with_changes(|changes| changes.pass(count));
                }
                Fed::Applied(Applied::default())
            }
            Some(row) if !self.is_noted => folding.apply_row(row, None),
            Some(row) if folding.notes_changes() => self.noting(folding, count, row, work),
            Some(row) => self.noted(folding, count, row, work),
        };
        if work.is_cancelled() {
            // What the reducer said when it was interrupted says nothing about the event.
            return ControlFlow::Break(());
        }
        let outcome = match fed {
            Fed::WantsEvent => return ControlFlow::Break(()),
            Fed::Failed(failure) => Outcome::Failed(failure),
            Fed::Applied(applied) => Outcome::Applied(applied),
        };
        self.passed(folding, count, &outcome)
    }

    /// Applies a row by a reducer that notes what it changes.
    fn noting(&self, folding: &mut dyn Folding, count: usize, row: &EventRow<'_>, work: &Work) -> Fed {
        self.history.with_changes(|changes| {
            let fed = match changes.step(count) {
                Some(mut notes) => folding.apply_row(row, Some(&mut notes)),
                None => folding.apply_row(row, None),
            };
            if is_told(&fed, work) {
                changes.pass(count);
            }
            fed
        })
    }

    /// Applies a row and notes what the states tell.
    fn noted(&self, folding: &mut dyn Folding, count: usize, row: &EventRow<'_>, work: &Work) -> Fed {
        let before = folding.state();
        let fed = folding.apply_row(row, None);
        if is_told(&fed, work) {
            let after = folding.state();
            self.history.with_changes(|changes| changes.note(count, &before, &after));
        }
        fed
    }

    /// Takes whole events, as any other walk does.
    fn events(&mut self, folding: &mut dyn Folding, range: Range<usize>, work: &Work) -> StoreResult<()> {
        let history = self.history;
        history.events().visit(range, work, &mut |count, event| {
            let before = self.is_noted.then(|| folding.state());
            let outcome = history.apply(folding, count, event.as_ref(), &mut self.stopped);
            if work.is_cancelled() {
                return ControlFlow::Break(());
            }
            if let Some(before) = before {
                let after = folding.state();
                history.with_changes(|changes| changes.note(count, &before, &after));
            }
            self.passed(folding, count, &outcome)
        })?;
        Ok(work.advance(0)?)
    }

    /// An event is behind.
    fn passed(&mut self, folding: &mut dyn Folding, count: usize, outcome: &Outcome) -> ControlFlow<()> {
        self.reached = count;
        let is_way_mark = self.far.is_some_and(|far| count <= far && is_way_mark(far - count));
        let failure = outcome.failure();
        if count >= self.due || is_way_mark || failure.is_some() {
            self.history.remember(count, folding, outcome, is_way_mark);
            self.due = self.history.next_wanted(count);
        }
        if failure.is_some() && self.history.on_failure() == OnFailure::Stop {
            self.stopped = Some(count);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Whether it says what the event does: not where the whole event is wanted, nor a failure of a reducer that was
/// interrupted.
fn is_told(fed: &Fed, work: &Work) -> bool {
    match fed {
        Fed::Applied(_) => true,
        Fed::Failed(_) => !work.is_cancelled(),
        Fed::WantsEvent => false,
    }
}
