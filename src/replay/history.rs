//! The history of one stream: its events in version order, and its state after any of them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    model::{EventKey, Json, RecordedEvent},
    replay::{
        fold::visit,
        keyframes::Keyframes,
        reducer::{Failure, Reducer},
    },
    store::{EventStore, StoreResult, index::Index},
    work::Work,
};

/// One stream's history under one reducer.
///
/// The background fold and every seek share its keyframes: a seek uses what the fold has reached
/// so far, and what a seek folds is kept for the next.
pub struct History {
    store: Arc<dyn EventStore>,
    index: Arc<Index>,
    stream: u32,
    reducer: Arc<dyn Reducer>,
    keyframes: Mutex<Keyframes>,
    failures: Mutex<BTreeMap<usize, Failure>>,
}

/// One step of a history: the event at the cursor, and the state on either side of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StepView {
    /// How many events lie behind, this one included; 0 is the state before the first.
    pub count: usize,
    /// The event; `None` before the first, or if it is gone from the store.
    pub event: Option<RecordedEvent>,
    /// The state before the event.
    pub before: Json,
    /// The state after it.
    pub after: Json,
    /// Why the event was not applied, if it was not.
    pub failure: Option<Failure>,
}

impl History {
    /// A history of which nothing is folded yet.
    #[must_use]
    pub fn new(
        store: Arc<dyn EventStore>,
        index: Arc<Index>,
        stream: u32,
        reducer: Arc<dyn Reducer>,
        budget_bytes: usize,
    ) -> Self {
        let keyframes = Mutex::new(Keyframes::new(reducer.initial(), budget_bytes));
        Self { store, index, stream, reducer, keyframes, failures: Mutex::default() }
    }

    /// The stream, by its number in the index.
    #[must_use]
    pub fn stream(&self) -> u32 {
        self.stream
    }

    /// How many events it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.stream_events(self.stream).len()
    }

    /// Whether it has no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the state is made by.
    #[must_use]
    pub fn reducer_name(&self) -> Arc<str> {
        self.reducer.name()
    }

    /// Folds the whole history once, so that every seek after it is short.
    pub fn fold_all(&self, work: &Work) -> StoreResult<()> {
        work.expect_total(self.len() as u64);
        self.step_at(self.len(), work).map(|_| ())
    }

    /// The state after `count` events, with the step that led there.
    pub fn step_at(&self, count: usize, work: &Work) -> StoreResult<StepView> {
        let count = count.min(self.len());
        // From before the last event, so that the step itself is folded and can be shown.
        let (start, mut state) = self.lock_keyframes(|keyframes| keyframes.nearest(count.saturating_sub(1)));
        let mut view =
            StepView { count, event: None, before: state.clone(), after: state.clone(), failure: None };
        let mut at = start;
        visit(&*self.store, self.keys(start, count), work, |event| {
            at += 1;
            if at == count {
                view.before = state.clone();
            }
            let Some(event) = event else { return };
            let failure = self.reducer.apply(&mut state, &event).err();
            if let Some(failure) = &failure {
                self.remember_failure(at, failure);
            }
            self.lock_keyframes(|keyframes| keyframes.offer(at, &state));
            if at == count {
                view.event = Some(event);
                view.failure = failure;
            }
        })?;
        view.after = state;
        Ok(view)
    }

    /// The steps that failed, as far as the history was folded: events behind, and why.
    #[must_use]
    pub fn failures(&self) -> BTreeMap<usize, Failure> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many steps failed, as far as the history was folded.
    #[must_use]
    pub fn failure_count(&self) -> usize {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Keyframes kept, the distance between them in events, and their memory in bytes.
    #[must_use]
    pub fn keyframe_figures(&self) -> (usize, usize, usize) {
        self.lock_keyframes(|keyframes| (keyframes.len(), keyframes.distance(), keyframes.bytes()))
    }

    fn keys(&self, start: usize, end: usize) -> impl Iterator<Item = EventKey> {
        let ordinals = self.index.stream_events(self.stream).get(start..end).unwrap_or_default();
        ordinals.iter().filter_map(|ordinal| self.index.key(*ordinal))
    }

    fn remember_failure(&self, count: usize, failure: &Failure) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).insert(count, failure.clone());
    }

    fn lock_keyframes<T>(&self, use_them: impl FnOnce(&mut Keyframes) -> T) -> T {
        // A panic while they were held cannot leave them half changed: each change is one call.
        use_them(&mut self.keyframes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History")
            .field("stream", &self.stream)
            .field("events", &self.len())
            .finish_non_exhaustive()
    }
}
