//! Two histories side by side: where their states differ.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::ControlFlow,
    sync::Arc,
};

use crate::{
    model::{Change, Failure, Json, Pointer, RecordedEvent, diff},
    replay::{
        alignment::{Advance, Alignment},
        fold::{OnFailure, start},
        history::History,
        reducer::Folding,
    },
    store::StoreResult,
    work::Work,
};

/// Events are read this many at a time from each of the two.
const BATCH: usize = 256;

/// More turns than these are not listed: nobody goes through them one by one.
pub const MOST_TURNS: usize = 100_000;

/// What is known of two histories beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Which of their points stand beside each other.
    pub alignment: Arc<Alignment>,
    /// The first step after which their states differ; 0 if they do before any event.
    pub parts_at: Option<usize>,
    /// After how many steps they differ.
    pub differing: usize,
    /// The steps after which they differ at other paths than after the step before, or no longer;
    /// at most [`MOST_TURNS`].
    pub turns: Vec<usize>,
    /// What differs at the end.
    pub at_end: Vec<Change>,
    /// Both states at the end.
    pub end: [Json; 2],
    /// The steps of each that failed, by their counts.
    pub failed: [BTreeMap<usize, Failure>; 2],
}

/// One point of two histories.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside {
    /// How many steps lie behind.
    pub step: usize,
    /// The state of each.
    pub states: [Json; 2],
    /// The last event of each that lies behind.
    pub events: [Option<RecordedEvent>; 2],
    /// What differs between the states, left to right.
    pub changes: Vec<Change>,
}

/// Two histories and which of their points stand beside each other.
#[derive(Clone)]
pub struct Pair {
    /// The two.
    pub sides: [Arc<History>; 2],
    /// Their points.
    pub alignment: Arc<Alignment>,
    /// How many of the first events are the same on both sides, under the same reducer: there is
    /// nothing to compare up to there.
    pub shared: usize,
}

impl Pair {
    /// The left one of the two; of a truth and its branch, the truth.
    #[must_use]
    pub fn truth(&self) -> &Arc<History> {
        let [left, _] = &self.sides;
        left
    }

    /// The right one of the two; of a truth and its branch, the branch.
    #[must_use]
    pub fn branch(&self) -> &Arc<History> {
        let [_, right] = &self.sides;
        right
    }

    /// Finds the first step after which the states differ, without a look at what follows.
    pub fn first_difference(&self, work: &Work) -> StoreResult<Option<usize>> {
        let mut found = None;
        self.walk(work, &mut |step, left, right| {
            if diff(left, right).is_empty() {
                return ControlFlow::Continue(());
            }
            found = Some(step);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// Compares all points.
    pub fn compare(&self, work: &Work) -> StoreResult<Comparison> {
        let mut found = Comparison { alignment: Arc::clone(&self.alignment), ..Comparison::default() };
        let mut paths: Vec<Pointer> = Vec::new();
        let mut before: [Json; 2] = [Json::Null, Json::Null];
        let failed = self.walk(work, &mut |step, left, right| {
            let is_same = before.first().is_some_and(|before| before.is_same_node(left))
                && before.last().is_some_and(|before| before.is_same_node(right));
            if !is_same {
                let changes = diff(left, right);
                let differs_elsewhere = !changes.iter().map(|change| &change.path).eq(&paths);
                if differs_elsewhere {
                    paths = changes.iter().map(|change| change.path.clone()).collect();
                    if found.turns.len() < MOST_TURNS {
                        found.turns.push(step);
                    }
                }
                before = [left.clone(), right.clone()];
            }
            if !paths.is_empty() {
                found.parts_at = found.parts_at.or(Some(step));
                // Before the first step there is a state, but no step.
                found.differing += usize::from(step > 0);
            }
            ControlFlow::Continue(())
        })?;
        let [left, right] = &before;
        found.at_end = diff(left, right);
        found.end = before;
        found.failed = failed;
        Ok(found)
    }

    /// Both states after so many steps.
    pub fn beside(&self, step: usize, work: &Work) -> StoreResult<Beside> {
        let step = step.min(self.alignment.len());
        let (left_count, right_count) = self.alignment.at(step);
        let [left, right] = &self.sides;
        let (left, right) = (left.step_at(left_count, work)?, right.step_at(right_count, work)?);
        let changes = diff(&left.after, &right.after);
        Ok(Beside { step, states: [left.after, right.after], events: [left.event, right.event], changes })
    }

    /// Hands both states after each step to `each`, until it breaks; returns which events failed.
    fn walk(
        &self,
        work: &Work,
        each: &mut dyn FnMut(usize, &Json, &Json) -> ControlFlow<()>,
    ) -> StoreResult<[BTreeMap<usize, Failure>; 2]> {
        let [left, right] = &self.sides;
        work.expect_total((left.len() + right.len()) as u64);
        let keyframe = left.nearest_keyframe(self.shared).filter(|(count, _)| *count > 0);
        let from = keyframe.as_ref().map_or(0, |(count, _)| *count);
        // What failed up to the keyframe was noted when it was made, and is the same on both sides.
        let mut failed = left.failures();
        failed.retain(|count, _| *count <= from);
        let mut left = Walker::start(left, keyframe.as_ref(), work);
        let mut right = Walker::start(right, keyframe.as_ref(), work);
        let mut flow = each(from, &left.state, &right.state);
        for step in from + 1..=self.alignment.len() {
            if flow.is_break() {
                break;
            }
            let advance = self.alignment.advance(step);
            if advance != Some(Advance::Right) {
                left.go_on()?;
            }
            if advance != Some(Advance::Left) {
                right.go_on()?;
            }
            flow = each(step, &left.state, &right.state);
        }
        work.advance(0)?;
        Ok([left.failed, right.failed].map(|later| failed.clone().into_iter().chain(later).collect()))
    }
}

/// A fold that goes on when it is told to, by one event.
struct Walker<'a> {
    history: &'a History,
    folding: Box<dyn Folding + 'a>,
    work: &'a Work,
    read: VecDeque<Option<RecordedEvent>>,
    /// How many events were read.
    behind: usize,
    /// How many events were applied.
    count: usize,
    state: Json,
    failed: BTreeMap<usize, Failure>,
}

impl<'a> Walker<'a> {
    fn start(history: &'a History, keyframe: Option<&(usize, Json)>, work: &'a Work) -> Self {
        let mut folding = start(&**history.reducer(), work);
        let count = keyframe.map_or(0, |(count, state)| {
            folding.resume(state, *count);
            *count
        });
        let state = folding.state();
        let read = VecDeque::new();
        Self { history, folding, work, read, behind: count, count, state, failed: BTreeMap::new() }
    }

    fn go_on(&mut self) -> StoreResult<()> {
        if self.read.is_empty() {
            let end = (self.behind + BATCH).min(self.history.len());
            let read = &mut self.read;
            self.history.events().visit(self.behind..end, self.work, &mut |_, event| {
                read.push_back(event);
                ControlFlow::Continue(())
            })?;
            self.behind = end;
        }
        self.count += 1;
        let Some(event) = self.read.pop_front().flatten() else { return Ok(()) };
        let is_stopped = self.history.on_failure() == OnFailure::Stop && !self.failed.is_empty();
        if is_stopped {
            return Ok(());
        }
        match self.folding.apply(&event) {
            Ok(_) => self.state = self.folding.state(),
            // What is said when the work was withdrawn says nothing about the event.
            Err(failure) => {
                self.work.advance(0)?;
                self.failed.insert(self.count, failure);
            }
        }
        Ok(())
    }
}
