//! The state at the cursor, and the comparison of two points.

use std::sync::Arc;

use crate::{
    model::{Change, Json, Timestamp},
    replay::{History, HistoryFigures, Step, StreamEvents},
    session::{
        job::{Job, Question, Slot},
        memory::HistoryOf,
        opened::Opened,
        timeline::FINEST_TICKS,
        view::{DiffView, StateView},
    },
};

/// The history that is shown, and the step at the cursor.
#[derive(Default)]
pub(crate) struct States {
    history: Option<Arc<History>>,
    /// Whose history it is.
    stream: Option<u32>,
    /// Which reducer makes it, by a number that changes with every reducer.
    generation: u64,
    step: Option<Step>,
    changes: Arc<Vec<Change>>,
    /// How many events the step asked for last has behind it.
    awaited: Option<usize>,
    /// A kept state near the cursor, while steps are asked for faster than they are found.
    glance: Option<(usize, Json)>,
    /// Whether a job folds the history.
    is_folding: bool,
    /// How many events the index held when the history was made.
    indexed: usize,
    pins: [Option<Pin>; 2],
    pin_changes: Option<Arc<Vec<Change>>>,
}

/// A point to compare.
#[derive(Clone)]
struct Pin {
    stream: u32,
    history: Arc<History>,
    count: usize,
    words: String,
}

impl States {
    pub(crate) fn take_step(&mut self, step: Step, changes: Vec<Change>) {
        // While the history is folded the last step that is near stands in for one that is far.
        self.awaited = self.awaited.filter(|count| self.is_folding && *count != step.count);
        self.changes = Arc::new(changes);
        self.step = Some(step);
        self.glance = None;
    }

    pub(crate) fn take_pins(&mut self, changes: Vec<Change>) {
        self.pin_changes = Some(Arc::new(changes));
    }

    /// The history that is shown, for those who ask more of it.
    pub(crate) fn history(&self) -> Option<&Arc<History>> {
        self.history.as_ref()
    }

    /// The step at the cursor, as far as it is known.
    pub(crate) fn step(&self) -> Option<&Step> {
        self.step.as_ref()
    }

    /// Shows another history of the same stream: a branch, or the truth again.
    pub(crate) fn replace_history(&mut self, history: Arc<History>) {
        self.history = Some(history);
    }

    /// The same, and a job folds it.
    pub(crate) fn fold_history(&mut self, history: Arc<History>) -> Job {
        self.history = Some(Arc::clone(&history));
        self.is_folding = true;
        Job { slot: Slot::Fold, question: Question::Fold(history) }
    }

    /// The history that is shown, with its stream and the number of its reducer.
    pub(crate) fn history_of(&self) -> Option<(u32, u64, &Arc<History>)> {
        Some((self.stream?, self.generation, self.history.as_ref()?))
    }

    /// The state that is shown.
    pub(crate) fn state(&self) -> Option<&Json> {
        self.step.as_ref().map(|step| &step.after)
    }

    /// Whether a job folds the history.
    pub(crate) fn is_folding(&self) -> bool {
        self.is_folding
    }

    /// The fold was withdrawn by the user: what is asked from now on is folded for itself.
    pub(crate) fn fold_stopped(&mut self) {
        self.is_folding = false;
    }

    pub(crate) fn stop_waiting(&mut self) {
        self.awaited = None;
        self.glance = None;
    }

    /// The steps that failed, by how many events lie behind them: of very many only those that the timeline can
    /// tell apart.
    pub(crate) fn failures(&self) -> Vec<usize> {
        self.history.as_ref().map(|history| history.failed_counts(FINEST_TICKS)).unwrap_or_default()
    }

    /// What is known of the history and what that takes.
    pub(crate) fn figures(&self) -> Option<HistoryFigures> {
        self.history.as_ref().map(|history| history.figures())
    }

    /// Where the pins stand in a stream.
    pub(crate) fn pin_counts(&self, stream: Option<u32>) -> [Option<usize>; 2] {
        let of_stream = |pin: &Pin| (Some(pin.stream) == stream).then_some(pin.count);
        self.pins.each_ref().map(|pin| pin.as_ref().and_then(of_stream))
    }

    pub(crate) fn diff_view(&self) -> DiffView {
        let pins = self.pins.each_ref().map(|pin| pin.as_ref().map(|pin| pin.words.clone()));
        if let (Some(changes), [Some(left), Some(right)]) = (&self.pin_changes, &pins) {
            let title = format!("{left} → {right}");
            return DiffView {
                title,
                changes: Arc::clone(changes),
                is_between_pins: true,
                is_ready: true,
                pins,
            };
        }
        let title = match self.step.as_ref().map(|step| step.count) {
            Some(count) if count > 0 => format!("event {} → {count}", count - 1),
            _ => String::new(),
        };
        DiffView {
            title,
            changes: Arc::clone(&self.changes),
            is_between_pins: false,
            is_ready: self.step.is_some(),
            pins,
        }
    }
}

impl Opened {
    /// The chosen stream or its events changed: its recorded history is folded anew.
    pub(crate) fn refold_truth(&mut self) -> Vec<Job> {
        let (Some(index), Some(stream)) = (&self.index, self.browse.focus) else {
            self.states.history = None;
            self.states.stream = None;
            self.states.step = None;
            self.states.glance = None;
            self.states.changes = Arc::default();
            self.states.is_folding = false;
            let mut jobs = self.blame_anew();
            jobs.extend(self.probe_history());
            return jobs;
        };
        let events = index.stream_events(stream).len();
        let category = index.streams().get(stream as usize).and_then(|info| info.name.category.clone());
        let (reducer, generation) = self.reducer_for(category.as_deref());
        let is_same_stream = self.states.stream == Some(stream);
        let is_same_reducer = self.states.generation == generation;
        if is_same_stream
            && is_same_reducer
            && self.states.history.as_ref().is_some_and(|history| history.len() == events)
        {
            return Vec::new();
        }
        let of = HistoryOf { index: Arc::clone(index), stream, generation, on_failure: self.on_failure() };
        let old = self.states.history.take().filter(|_| is_same_stream);
        if !is_same_stream {
            self.states.step = None;
            self.states.changes = Arc::default();
        }
        let alike = self.alike_until(stream, self.states.generation);
        let indexed = std::mem::replace(&mut self.states.indexed, index.len());
        let history = self.histories.kept(&of).unwrap_or_else(|| {
            let events = StreamEvents::new(Arc::clone(&self.store), Arc::clone(&of.index), stream);
            let history = History::new(Arc::new(events), reducer, of.on_failure, self.histories.share());
            // Events that were appended leave what is known of those before them as it was.
            let known = of.index.stream_events(stream);
            let are_old = |count| {
                count <= known.len() && known.range(0..count).all(|known| (*known as usize) < indexed)
            };
            if let Some(old) = old.filter(|old| are_old(old.len())) {
                let up_to = old.len().min(alike);
                history.adopt(old, up_to);
            }
            Arc::new(history)
        });
        self.states.stream = Some(stream);
        self.states.generation = generation;
        self.histories.admit(Some(of), &history);
        self.states.history = Some(Arc::clone(&history));
        self.states.glance = None;
        self.states.is_folding = true;
        let mut jobs = vec![Job { slot: Slot::Fold, question: Question::Fold(history) }];
        jobs.extend(self.histories.settle());
        jobs.extend(self.probe_history());
        jobs.extend(if is_same_stream && is_same_reducer { self.blame_on() } else { self.blame_anew() });
        jobs
    }

    /// Another history is shown: what was watched and looked for in the old one is in the new.
    pub(crate) fn probe_history(&mut self) -> Vec<Job> {
        let mut jobs = self.follow_watches();
        jobs.extend(self.follow_conditions());
        jobs
    }

    /// The fold has ended, or goes no further: what waited for it is asked.
    pub(crate) fn fold_ended(&mut self) -> Vec<Job> {
        self.states.is_folding = false;
        self.refresh_failures();
        self.place_ticks();
        let mut jobs = self.ask_again();
        jobs.extend(self.histories.settle());
        jobs
    }

    /// Asks again what could only be answered in part while the history is being folded.
    pub(crate) fn ask_again(&mut self) -> Vec<Job> {
        let mut jobs = Vec::new();
        if self.states.awaited.is_some() {
            jobs.extend(self.step_job());
        }
        jobs.extend(self.blame_on());
        jobs
    }

    /// Asks for the step at the cursor.
    pub(crate) fn step_job(&mut self) -> Option<Job> {
        let history = Arc::clone(self.states.history.as_ref()?);
        let (count, is_folding) = (self.cursor.count, self.states.is_folding);
        // While the cursor is dragged a state is there at every frame: the nearest that is kept, if the exact one
        // of the place before is not found yet.
        let is_late = self.states.awaited.replace(count).is_some();
        let is_nearer = |at: usize| {
            let shown = self.states.step.as_ref().map(|step| step.count.abs_diff(count));
            shown.is_none_or(|distance| at.abs_diff(count) < distance)
        };
        let glance = if is_late { history.glance(count) } else { None };
        self.states.glance = glance.filter(|(at, _)| is_nearer(*at));
        Some(Job { slot: Slot::Step, question: Question::Step { history, count, is_folding } })
    }

    pub(crate) fn pin(&mut self, which: usize) -> Vec<Job> {
        let (Some(history), Some(stream)) = (self.states.history.clone(), self.states.stream) else {
            return Vec::new();
        };
        let count = self.cursor.count;
        let words = format!("{} {}", self.focus_name().unwrap_or_default(), self.version_words(count));
        if let Some(pin) = self.states.pins.get_mut(which) {
            *pin = Some(Pin { stream, history, count, words });
        }
        self.pins_job().into_iter().collect()
    }

    pub(crate) fn unpin(&mut self, which: usize) -> Vec<Job> {
        if let Some(pin) = self.states.pins.get_mut(which) {
            *pin = None;
        }
        self.states.pin_changes = None;
        Vec::new()
    }

    fn pins_job(&mut self) -> Option<Job> {
        self.states.pin_changes = None;
        let [Some(left), Some(right)] = &self.states.pins else { return None };
        let question = Question::Pins([
            (Arc::clone(&left.history), left.count),
            (Arc::clone(&right.history), right.count),
        ]);
        Some(Job { slot: Slot::Pins, question })
    }

    pub(crate) fn version_words(&self, count: usize) -> String {
        if let Some(words) = self.what_if.place_words(self, count) {
            return words;
        }
        let version = self
            .ordinal_of_count(count)
            .filter(|_| count > 0)
            .and_then(|ordinal| self.index.as_ref()?.row(ordinal)?.version);
        match version {
            Some(version) => format!("v{version}"),
            None if count == 0 => "before its first event".to_owned(),
            None => format!("after {count} events"),
        }
    }

    pub(crate) fn state_view(&self) -> StateView {
        let states = &self.states;
        let Some(history) = &states.history else {
            let empty = match &self.index {
                None => "The state appears when the events are indexed",
                Some(_) => "Choose a stream, or an event, to see its state",
            };
            return StateView { empty, ..StateView::default() };
        };
        if let Some((at, state)) = &states.glance {
            return self.glance_view(history, *at, state);
        }
        let step = states.step.as_ref();
        let event = step.and_then(|step| step.event.as_ref());
        let count = step.map_or(self.cursor.count, |step| step.count);
        StateView {
            stream: self.focus_name().unwrap_or_default(),
            branch: self.what_if.standing_name(),
            place: if count == self.cursor.count {
                self.what_if.counted_words(&self.version_words(count), count, history.len())
            } else {
                format!("{} so far", self.version_words(count))
            },
            time: event
                .and_then(|event| event.time)
                .map(|time: Timestamp| time.to_display(self.zone))
                .unwrap_or_default(),
            event_type: event.map(|event| Arc::clone(&event.event_type)).unwrap_or_default(),
            reducer: history.reducer().name(),
            state: step.map(|step| step.after.clone()),
            changes: Arc::clone(&states.changes),
            failure: step.and_then(|step| step.outcome.failure()).map(|failure| Arc::clone(&failure.message)),
            failures: history.failure_count(),
            is_stale: states.awaited.is_some(),
            old: self.older_reducer_words(),
            notes: step.map(|_| self.step_notes()).unwrap_or_default(),
            lacks_reducer: self.lacks_reducer(),
            empty: "Making the state…",
        }
    }
}

impl Opened {
    /// What is shown of a kept state near the cursor until the exact one is found.
    fn glance_view(&self, history: &History, at: usize, state: &Json) -> StateView {
        let row = self.ordinal_of_count(at).filter(|_| at > 0).zip(self.index.as_ref());
        let row = row.and_then(|(ordinal, index)| index.row(ordinal));
        StateView {
            stream: self.focus_name().unwrap_or_default(),
            branch: self.what_if.standing_name(),
            place: format!("{} so far", self.version_words(at)),
            time: row
                .as_ref()
                .and_then(|row| row.time)
                .map(|time| time.to_display(self.zone))
                .unwrap_or_default(),
            event_type: history.events().event_type(at).unwrap_or_default(),
            reducer: history.reducer().name(),
            state: Some(state.clone()),
            failures: history.failure_count(),
            is_stale: true,
            old: self.older_reducer_words(),
            lacks_reducer: self.lacks_reducer(),
            empty: "Making the state…",
            ..StateView::default()
        }
    }
}

/// Whether both are one history, or there is none.
pub(crate) fn is_same_history(left: Option<&Arc<History>>, right: Option<&Arc<History>>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => Arc::ptr_eq(left, right),
        (None, None) => true,
        _ => false,
    }
}
