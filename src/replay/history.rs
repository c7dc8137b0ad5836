//! A history under a reducer: its events in order, and its state after any of them.

use std::{
    collections::BTreeMap,
    ops::{ControlFlow, Range},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    model::{Failure, Json, Pointer, RecordedEvent},
    replay::{
        changes::{ChangeFigures, ChangeIndex, Noted},
        fold::{OnFailure, start},
        keyframes::Keyframes,
        reducer::{Feed, Folding, Reducer},
        run_up::RunUp,
        sequence::Sequence,
        step::{Outcome, Step},
    },
    store::StoreResult,
    work::Work,
};

/// One history under one reducer.
///
/// The background fold and every seek share its keyframes: a seek uses what the fold has reached
/// so far, and what a seek folds is kept for the next. The fold also notes which event changed what,
/// for blame.
pub struct History {
    events: Arc<dyn Sequence>,
    reducer: Arc<dyn Reducer>,
    on_failure: OnFailure,
    known: Mutex<Keyframes>,
    told: Mutex<Told>,
    changes: Mutex<ChangeIndex>,
    /// What another history knows that is still to be taken over, and until when.
    legacy: Mutex<Option<Legacy>>,
    /// Held by whoever takes it over.
    inheriting: Mutex<()>,
    /// How much memory it may take.
    budget: AtomicUsize,
    /// How much its states and its changes took when that was last asked.
    taken: [AtomicUsize; 2],
}

/// One part in so many of a history's memory is for the index of changes.
const CHANGES_SHARE: usize = 4;

/// A step this near behind a kept state is made at once, even while the history is being folded.
const NEAR: usize = 5_000;

/// Where the kept states are further apart, some are kept on the way to where the user goes.
const FAR: usize = 4 * Keyframes::FIRST_DISTANCE;

/// What is to be taken over from another history: what it knows of so many events.
type Legacy = (Arc<History>, usize);

/// What else was found out so far: apart from the states, since what is done to those may take longer than a frame.
#[derive(Default)]
pub(super) struct Told {
    pub(super) failures: BTreeMap<usize, Failure>,
    /// The first count at which a keyframe was due and could not be kept, because the reducer holds
    /// things in variables outside the state.
    unresumable_at: Option<usize>,
}

/// What is known of a history and what that takes, for the debug panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HistoryFigures {
    /// How many events it has.
    pub events: usize,
    /// How many of them the background fold has passed.
    pub folded: usize,
    /// How many states are kept.
    pub keyframes: usize,
    /// The distance between them, in events; at first [`Keyframes::FIRST_DISTANCE`].
    pub distance: usize,
    /// About how much memory they take, in bytes.
    pub bytes: usize,
    /// How much they may take, in bytes.
    pub budget_bytes: usize,
    /// From which count on no keyframes can be kept, because the reducer holds things outside the state.
    pub unresumable_at: Option<usize>,
    /// The index of changes.
    pub changes: ChangeFigures,
}

impl History {
    /// A history of which nothing is folded yet. The budget is for its keyframes and its index of
    /// changes together.
    #[must_use]
    pub fn new(
        events: Arc<dyn Sequence>,
        reducer: Arc<dyn Reducer>,
        on_failure: OnFailure,
        budget_bytes: usize,
    ) -> Self {
        let changes = budget_bytes / CHANGES_SHARE;
        let keyframes = Keyframes::new(budget_bytes - changes);
        let (known, told) = (Mutex::new(keyframes), Mutex::default());
        let changes = Mutex::new(ChangeIndex::new(changes));
        let (budget, taken) = (budget_bytes.into(), [0.into(), 0.into()]);
        let (legacy, inheriting) = (Mutex::default(), Mutex::default());
        Self { events, reducer, on_failure, known, told, changes, legacy, inheriting, budget, taken }
    }

    /// How much memory it may take, in bytes.
    #[must_use]
    pub fn budget_bytes(&self) -> usize {
        self.budget.load(Ordering::Relaxed)
    }

    /// From now on it may take so much memory, in bytes. What is too much is given back, which may take a while.
    pub fn set_budget(&self, budget_bytes: usize) {
        self.budget.store(budget_bytes, Ordering::Relaxed);
        let changes = budget_bytes / CHANGES_SHARE;
        self.with_changes(|own| own.set_budget(changes));
        self.with_known(|known| known.set_budget(budget_bytes - changes));
    }

    /// About how much memory it takes, in bytes. Never waits: while it is busy, as much as when it was last
    /// asked.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let (states, changes) = self.taken();
        states + changes
    }

    /// The same for its keyframes and for its index of changes.
    #[must_use]
    pub fn taken(&self) -> (usize, usize) {
        let [of_states, of_changes] = &self.taken;
        if let (Ok(changes), Ok(known)) = (self.changes.try_lock(), self.known.try_lock()) {
            of_states.store(known.bytes(), Ordering::Relaxed);
            of_changes.store(changes.figures().bytes, Ordering::Relaxed);
        }
        (of_states.load(Ordering::Relaxed), of_changes.load(Ordering::Relaxed))
    }

    /// Its events.
    #[must_use]
    pub fn events(&self) -> &Arc<dyn Sequence> {
        &self.events
    }

    /// What makes its states.
    #[must_use]
    pub fn reducer(&self) -> &Arc<dyn Reducer> {
        &self.reducer
    }

    /// How many events it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether it has no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes over what `old` knows of the first `up_to` events: states, failures, who changed what. That is done
    /// by whoever first asks something of the steps: it takes as long as `old` knows much.
    ///
    /// The caller promises that both histories begin with the same `up_to` events, and that the
    /// reducers treat them alike: `old` is the same stream before it grew, or the same reducer before
    /// an edit that concerns later events only. Nothing is taken over once this one is being folded.
    pub fn adopt(&self, old: Arc<Self>, up_to: usize) {
        let mut up_to = up_to.min(self.len()).min(old.len());
        if self.on_failure != old.on_failure {
            let first = old.with_failures(|failures, _| failures.keys().next().copied());
            up_to = up_to.min(first.map_or(usize::MAX, |count| count - 1));
        }
        *self.legacy.lock().unwrap_or_else(PoisonError::into_inner) = Some((old, up_to));
    }

    /// Takes over what was promised. Nothing is locked meanwhile that a frame may ask for.
    fn inherit(&self) {
        let turn = self.inheriting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((old, up_to)) = self.legacy() else { return };
        old.inherit();
        let known = old.with_known(|known| known.clone());
        let (failures, unresumable_at) = old.with_told(|told| {
            let failures = told.failures.range(..=up_to);
            let failures: Vec<_> = failures.map(|(count, failure)| (*count, failure.clone())).collect();
            (failures, told.unresumable_at.filter(|count| *count <= up_to))
        });
        let changes = old.with_changes(|changes| changes.clone());
        let mut keyframes = self.with_known(|known| known.clone());
        keyframes.adopt(&known, up_to);
        let mut own_changes = self.with_changes(|own| own.clone());
        own_changes.adopt(&changes, up_to);
        self.with_known(|known| {
            // It may have got another budget by now.
            keyframes.set_budget(known.budget_bytes());
            *known = keyframes;
        });
        self.with_told(|told| {
            told.failures.extend(failures);
            told.unresumable_at = told.unresumable_at.or(unresumable_at);
        });
        self.with_changes(|own| {
            own_changes.set_budget(own.figures().budget_bytes);
            *own = own_changes;
        });
        let legacy = self.legacy.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(turn);
        // It may be the last to hold the other history, which is a lot to let go of.
        drop((legacy, old, known, changes));
    }

    /// What is still to be taken over.
    pub(super) fn legacy(&self) -> Option<Legacy> {
        self.legacy.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Folds the whole history once, so that every seek after it is short and blame knows who
    /// changed what. A fold that was withdrawn goes on where it stopped.
    pub fn fold_all(&self, work: &Work) -> StoreResult<()> {
        self.inherit();
        work.expect_total(self.len() as u64);
        work.goes_on_from(self.folded() as u64);
        if self.folded() == 0 {
            self.step_at(0, work)?;
        }
        let mut folding = start(&*self.reducer, work);
        if folding.feed() != Feed::Events {
            let reached = self.resume(&mut *folding, self.folded(), work);
            let mut run_up = RunUp::new(self, reached);
            run_up.run(&mut *folding, self.folded(), work)?;
            run_up.is_noted = true;
            run_up.run(&mut *folding, self.len(), work)?;
        }
        drop(folding);
        let folded = self.folded();
        if folded == self.len() {
            return Ok(());
        }
        self.walk(folded..self.len(), work, &mut |step| {
            self.with_changes(|changes| changes.note(step.count, &step.before, &step.after));
            ControlFlow::Continue(())
        })
    }

    /// How many events the background fold has passed.
    #[must_use]
    pub fn folded(&self) -> usize {
        self.with_changes(|changes| changes.known_to())
    }

    /// The step that led to the state after `count` events if it is near; else the last one before
    /// it that is. For the time while another job folds the history, which need not be done twice.
    pub fn step_ready(&self, count: usize, work: &Work) -> StoreResult<Step> {
        self.inherit();
        let count = count.min(self.len());
        let known = self.with_known(|known| known.nearest(count)).map_or(0, |(at, _)| at);
        self.step_at(if count - known <= NEAR { count } else { known }, work)
    }

    /// What the fold noted of a path, and up to which count it noted anything.
    pub(crate) fn noted(&self, path: &Pointer) -> (Noted, usize) {
        self.inherit();
        self.with_changes(|changes| (changes.find(path), changes.known_to()))
    }

    /// The step that led to the state after `count` events.
    pub fn step_at(&self, count: usize, work: &Work) -> StoreResult<Step> {
        self.inherit();
        let count = count.min(self.len());
        if count == 0 {
            let mut folding = start(&*self.reducer, work);
            let state = folding.state();
            work.advance(0)?;
            self.offer_first(&*folding, &state);
            return Ok(Step {
                count,
                event: None,
                before: state.clone(),
                after: state,
                outcome: Outcome::Start,
            });
        }
        let mut found = None;
        self.walk(count - 1..count, work, &mut |step| {
            found = Some(step);
            ControlFlow::Continue(())
        })?;
        Ok(found.unwrap_or(Step {
            count,
            event: None,
            before: Json::Null,
            after: Json::Null,
            outcome: Outcome::Gone,
        }))
    }

    /// Hands every step after `range.start` up to and including `range.end` to `each`, in order,
    /// until it breaks.
    pub fn walk(
        &self,
        range: Range<usize>,
        work: &Work,
        each: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        let mut folding = start(&*self.reducer, work);
        self.walk_on(&mut *folding, range, work, each)
    }

    /// Hands steps that lie far apart to `each`, in the order asked for; steps before the first are
    /// left out. One start of the reducer serves them all.
    pub(crate) fn visit_steps(
        &self,
        counts: &[usize],
        work: &Work,
        each: &mut dyn FnMut(Step),
    ) -> StoreResult<()> {
        let mut folding = start(&*self.reducer, work);
        for count in counts.iter().filter(|count| (1..=self.len()).contains(*count)) {
            if !folding.is_resumable() {
                folding = start(&*self.reducer, work);
            }
            self.walk_on(&mut *folding, count - 1..*count, work, &mut |step| {
                each(step);
                ControlFlow::Continue(())
            })?;
        }
        Ok(())
    }

    /// A walk by a fold that may have been used before, if it is resumable.
    fn walk_on(
        &self,
        folding: &mut dyn Folding,
        range: Range<usize>,
        work: &Work,
        each: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        let from = self.resume(folding, range.start, work);
        let is_far = range.start - from > FAR;
        let mut run_up = RunUp::new(self, from);
        run_up.far = is_far.then_some(range.start);
        run_up.run(folding, range.start, work)?;
        let (from, mut stopped) = (run_up.reached, run_up.stopped);
        let mut before = None;
        self.events.visit(from..range.end, work, &mut |count, event| {
            let is_wanted = count > range.start;
            let state_before = is_wanted.then(|| before.take().unwrap_or_else(|| folding.state()));
            let outcome = self.apply(folding, count, event.as_ref(), &mut stopped);
            if work.is_cancelled() {
                // What the reducer said when it was interrupted says nothing about the event.
                return ControlFlow::Break(());
            }
            let is_on_the_way = is_far && count <= range.start && is_way_mark(range.start - count);
            self.remember(count, folding, &outcome, is_on_the_way);
            let Some(state_before) = state_before else { return ControlFlow::Continue(()) };
            let after = folding.state();
            before = Some(after.clone());
            each(Step { count, event, before: state_before, after, outcome })
        })?;
        Ok(work.advance(0)?)
    }

    /// Begins at the last state kept at or before `count` events; returns its count.
    fn resume(&self, folding: &mut dyn Folding, count: usize, work: &Work) -> usize {
        self.inherit();
        match self.nearest_keyframe(count) {
            Some((at, state)) => {
                folding.resume(&state, at);
                at
            }
            None => {
                let state = folding.state();
                if !work.is_cancelled() {
                    self.offer_first(folding, &state);
                }
                0
            }
        }
    }

    /// Keeps the state before the first event, if there is one.
    fn offer_first(&self, folding: &dyn Folding, state: &Json) {
        if folding.has_begun() {
            self.with_known(|known| known.offer(0, state));
        }
    }

    /// The first count behind this one whose state may be worth keeping.
    pub(super) fn next_wanted(&self, count: usize) -> usize {
        self.with_known(|known| known.next_wanted(count))
    }

    /// The kept state nearest to the one after `count` events, before or behind it, with its count. Never
    /// waits: nothing while the history is busy.
    #[must_use]
    pub fn glance(&self, count: usize) -> Option<(usize, Json)> {
        self.known.try_lock().ok()?.closest(count)
    }

    /// The last state kept at or before `count` events, with its count.
    pub(crate) fn nearest_keyframe(&self, count: usize) -> Option<(usize, Json)> {
        self.with_known(|known| known.nearest(count))
    }

    /// What happens after an event that cannot be applied.
    #[must_use]
    pub fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    /// What is known of it and what that takes.
    #[must_use]
    pub fn figures(&self) -> HistoryFigures {
        let changes = self.with_changes(|changes| changes.figures());
        let (events, folded, unresumable_at) = (self.len(), self.folded(), self.unresumable_at());
        self.with_known(|keyframes| HistoryFigures {
            events,
            folded,
            keyframes: keyframes.len(),
            distance: keyframes.distance(),
            bytes: keyframes.bytes(),
            budget_bytes: keyframes.budget_bytes(),
            unresumable_at,
            changes,
        })
    }

    /// From which count on no keyframes can be kept, because the reducer holds things in variables
    /// outside the state; seeks beyond it fold from before it.
    #[must_use]
    pub fn unresumable_at(&self) -> Option<usize> {
        self.with_told(|told| told.unresumable_at)
    }

    pub(super) fn apply(
        &self,
        folding: &mut dyn Folding,
        count: usize,
        event: Option<&RecordedEvent>,
        stopped: &mut Option<usize>,
    ) -> Outcome {
        if let Some(at) = *stopped {
            return Outcome::Stopped { at };
        }
        let Some(event) = event else { return Outcome::Gone };
        match folding.apply(event) {
            Ok(applied) => Outcome::Applied(applied),
            Err(failure) => {
                if self.on_failure == OnFailure::Stop {
                    *stopped = Some(count);
                }
                Outcome::Failed(failure)
            }
        }
    }

    /// Keeps what a step found out. After a history has stopped no keyframe is kept, so that every
    /// seek beyond that point passes it and stops there, too.
    pub(super) fn remember(
        &self,
        count: usize,
        folding: &mut dyn Folding,
        outcome: &Outcome,
        is_on_the_way: bool,
    ) {
        if let Outcome::Failed(failure) = outcome {
            self.with_told(|told| {
                // A reducer that fails at every event fails in the same words: they are kept once.
                let last = told.failures.values().next_back().filter(|last| *last == failure);
                let failure = last.unwrap_or(failure).clone();
                told.failures.insert(count, failure);
            });
        }
        let is_stopped = self.on_failure == OnFailure::Stop
            && matches!(outcome, Outcome::Failed(_) | Outcome::Stopped { .. });
        let is_wanted = self.with_known(|known| known.wants(count));
        if is_stopped || !(is_wanted || is_on_the_way) {
            return;
        }
        if folding.is_resumable() {
            let state = folding.state();
            self.with_known(|known| {
                if is_wanted {
                    known.offer(count, &state);
                } else {
                    known.keep_near(count, &state);
                }
            });
        } else {
            self.with_told(|told| {
                let first = told.unresumable_at.map_or(count, |first| first.min(count));
                told.unresumable_at = Some(first);
            });
        }
    }

    pub(super) fn with_changes<T>(&self, use_it: impl FnOnce(&mut ChangeIndex) -> T) -> T {
        // Each change is one call, as below.
        use_it(&mut self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn with_told<T>(&self, use_it: impl FnOnce(&mut Told) -> T) -> T {
        use_it(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn with_known<T>(&self, use_it: impl FnOnce(&mut Keyframes) -> T) -> T {
        // A panic while it was held cannot leave it half changed: each change is one call.
        use_it(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a state so many events before the place that the user goes to is worth keeping: single
/// steps back from there fold little, and longer ones not much.
pub(super) fn is_way_mark(distance: usize) -> bool {
    distance == 0
        || (distance >= 16 && distance.is_power_of_two() && distance.trailing_zeros().is_multiple_of(2))
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History").field("events", &self.len()).finish_non_exhaustive()
    }
}
