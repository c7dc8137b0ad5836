//! Standing on a branch: the window shows its history instead of what was recorded.
//!
//! The cursor then counts the events of the branch. What only the store knows (rows, positions,
//! times) is found through the event of the truth that stands beside them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    model::Failure,
    replay::{
        Alignment, BranchEvents, BranchReducer, EditKind, EventHead, EventOrigin, EventRef, History, Merge,
        Misfit, Pair, Plan, Reducer, Truth,
    },
    session::{
        job::{Job, Slot},
        notice::Notices,
        opened::Opened,
        states::is_same_history,
        trail::Spot,
        view::grouped,
        what_if::{WhatIf, WhatIfQuestion, job},
    },
};

/// A branch applied to its stream.
pub(super) struct Built {
    pub(super) stream: u32,
    pub(super) plan: Arc<Plan>,
    pub(super) alignment: Arc<Alignment>,
    pub(super) truth: Arc<History>,
    pub(super) history: Arc<History>,
    pub(super) misfits: Vec<Misfit>,
    /// Why the branch's own reducer cannot be used.
    pub(super) trouble: Option<Failure>,
}

impl Built {
    pub(super) fn pair(&self) -> Pair {
        let is_same_reducer = Arc::ptr_eq(self.truth.reducer(), self.history.reducer());
        Pair {
            sides: [Arc::clone(&self.truth), Arc::clone(&self.history)],
            alignment: Arc::clone(&self.alignment),
            shared: if is_same_reducer { self.plan.untouched() } else { 0 },
        }
    }

    /// How many events of the truth stand behind when so many of the branch do.
    fn truth_count(&self, count: usize) -> usize {
        match self.plan.origin(count) {
            Some(EventOrigin::Kept(own) | EventOrigin::Replaced(own)) => own,
            _ => self.alignment.at(self.alignment.step_of_right(count)).0,
        }
    }

    /// How many events of the branch stand behind when so many of the truth do.
    fn branch_count(&self, count: usize) -> usize {
        self.alignment.at(self.alignment.step_of_left(count)).1
    }

    /// The place of the branch in words: `v3`, or what was put in there.
    pub(super) fn branch_words(&self, opened: &Opened, count: usize) -> String {
        match self.plan.origin(count) {
            Some(EventOrigin::Kept(own)) => opened.truth_words(self.stream, own),
            Some(EventOrigin::Replaced(own)) => format!("{} (edited)", opened.truth_words(self.stream, own)),
            Some(EventOrigin::Moved(own)) => format!("{} (moved)", opened.truth_words(self.stream, own)),
            Some(EventOrigin::Inserted(_)) => format!("event {count} (inserted)"),
            None => "the start".to_owned(),
        }
    }

    /// Where an edit is seen: at the event that it made, or before the one that it took away.
    fn place_of(&self, edit: usize, kind: &EditKind) -> usize {
        let made = match kind {
            EditKind::Insert { .. } => self.plan.count_of_inserted(edit),
            EditKind::Move { event, .. } => self.plan.count_of_moved(event.count),
            EditKind::LeaveOut(_) | EditKind::Replace { .. } => None,
        };
        made.unwrap_or_else(|| self.branch_count(kind.count()))
    }
}

impl WhatIf {
    /// The branch that the window stands on.
    fn standing(&self) -> Option<&Built> {
        self.built.as_ref().filter(|_| self.is_standing)
    }

    /// How many events of the branch stand behind when so many of the truth do; the same if the
    /// window stands on the truth.
    pub(crate) fn shown_count(&self, truth: usize) -> usize {
        self.standing().map_or(truth, |built| built.branch_count(truth))
    }

    /// How many events of the truth stand behind when so many of what is shown do.
    pub(crate) fn truth_count(&self, shown: usize) -> usize {
        self.standing().map_or(shown, |built| built.truth_count(shown))
    }

    /// How many events the branch has that the window stands on.
    pub(crate) fn shown_length(&self) -> Option<usize> {
        self.standing().map(|built| built.plan.len())
    }

    /// The edit that put in the event behind which the cursor stands.
    pub(super) fn inserted_at(&self, count: usize) -> Option<usize> {
        match self.standing()?.plan.origin(count)? {
            EventOrigin::Inserted(edit) => Some(edit),
            EventOrigin::Kept(_) | EventOrigin::Replaced(_) | EventOrigin::Moved(_) => None,
        }
    }

    /// Whether the event behind which the cursor stands is one that the branch put in.
    pub(crate) fn is_inserted(&self, count: usize) -> bool {
        self.inserted_at(count).is_some()
    }

    /// What stands at a place of the branch, where that is not the recorded event.
    pub(crate) fn place_words(&self, opened: &Opened, count: usize) -> Option<String> {
        let built = self.standing()?;
        let is_own = matches!(
            built.plan.origin(count),
            Some(EventOrigin::Inserted(_) | EventOrigin::Replaced(_) | EventOrigin::Moved(_))
        );
        is_own.then(|| built.branch_words(opened, count))
    }

    /// "v118 of 231". On a branch versions are those that were recorded, so that they are no count of
    /// its events: "v6 · event 5 of 5".
    pub(crate) fn counted_words(&self, words: &str, count: usize, total: usize) -> String {
        let total = grouped(total as u64);
        match self.standing() {
            // An event that was put in is named by its place already.
            Some(_) if count > 0 && words.starts_with('v') => {
                format!("{words} · event {} of {total}", grouped(count as u64))
            }
            _ => format!("{words} of {total}"),
        }
    }
}

impl Opened {
    /// The stream of this whole name.
    pub(crate) fn stream_called(&self, name: &str) -> Option<u32> {
        self.index.as_ref()?.stream_meant(name)
    }

    /// The streams of these whole names.
    pub(crate) fn streams_called<'n>(
        &self,
        names: impl Iterator<Item = &'n Arc<str>>,
    ) -> BTreeMap<Arc<str>, u32> {
        let Some(index) = &self.index else { return BTreeMap::new() };
        let wanted: BTreeSet<&Arc<str>> = names.collect();
        let found =
            wanted.into_iter().filter_map(|name| Some((Arc::clone(name), index.stream_called(name)?)));
        found.collect()
    }

    /// What an edit needs to know of a stream.
    pub(crate) fn truth<T>(&self, stream: u32, ask: impl FnOnce(&Truth<'_>) -> T) -> Option<T> {
        let index = self.index.as_ref()?;
        let events = index.stream_events(stream);
        let head = |count: usize| {
            let row = index.row(*events.get(count.checked_sub(1)?)?)?;
            let event_type = index.type_name(row.event_type).cloned().unwrap_or_default();
            Some(EventHead { version: row.version, event_type, time: row.time })
        };
        Some(ask(&Truth { len: events.len(), head: &head }))
    }

    /// A place in the truth, in words.
    pub(crate) fn truth_words(&self, stream: u32, count: usize) -> String {
        let name: Option<EventRef> = self.truth(stream, |truth| truth.name(count)).flatten();
        match name {
            Some(EventRef { head: EventHead { version: Some(version), .. }, .. }) => format!("v{version}"),
            Some(EventRef { count, .. }) => format!("event {count}"),
            None => "the start".to_owned(),
        }
    }

    /// Whether the cursor stands behind an event that a branch put in.
    pub(crate) fn is_on_inserted(&self) -> bool {
        self.is_on_stream() && self.what_if.is_inserted(self.cursor.count)
    }

    /// The recorded history of the stream that is shown.
    pub(crate) fn truth_history(&self) -> Option<Arc<History>> {
        match self.what_if.standing() {
            Some(built) => Some(Arc::clone(&built.truth)),
            None => self.states.history().cloned(),
        }
    }

    /// Whose history is shown and what it is made by; a branch follows the truth it departs from.
    pub(crate) fn refold(&mut self) -> Vec<Job> {
        let standing = self.what_if.standing().map(|built| (built.stream, Arc::clone(&built.truth)));
        let mut jobs = match standing {
            Some((stream, truth)) => self.refold_under_branch(stream, &truth),
            None => {
                let was = self.states.history().cloned();
                let mut jobs = self.refold_truth();
                if !is_same_history(was.as_ref(), self.states.history()) {
                    jobs.extend(self.build_chosen());
                }
                jobs
            }
        };
        jobs.extend(self.renew_compared());
        jobs
    }

    /// The truth is looked at as if the window stood on it; what has changed for it has for the branch.
    fn refold_under_branch(&mut self, stream: u32, truth: &Arc<History>) -> Vec<Job> {
        let here = self.what_if.truth_count(self.cursor.count);
        let branch = self.states.history().cloned();
        self.states.replace_history(Arc::clone(truth));
        let mut jobs = self.refold_truth();
        let is_same = is_same_history(Some(truth), self.states.history());
        if let Some(branch) = branch.filter(|_| is_same && self.browse.focus == Some(stream)) {
            self.states.replace_history(branch);
            return jobs;
        }
        self.what_if.is_standing = false;
        jobs.extend(self.build_chosen());
        if self.browse.focus == Some(stream) {
            jobs.extend(self.step_onto(here));
        }
        jobs
    }

    /// Applies the chosen branch to the stream that is shown, if it is that stream's.
    fn build_chosen(&mut self) -> Vec<Job> {
        let outcome = (self.what_if.comparison.take(), self.what_if.beside.take());
        self.what_if.forget_outcome();
        // The history of the branch as it was may hold what a million events made.
        let next = self.built();
        let before = std::mem::replace(&mut self.what_if.built, next);
        if before.is_some() {
            self.discards.put((before, outcome));
        }
        self.compare_jobs()
    }

    /// The history of the branch that is applied.
    pub(crate) fn branch_history(&self) -> Option<&Arc<History>> {
        self.what_if.built.as_ref().map(|built| &built.history)
    }

    fn built(&self) -> Option<Built> {
        let branch = self.what_if.branch()?;
        let stream = self.browse.focus.filter(|_| self.is_branch_of_focus())?;
        let truth = self.truth_history()?;
        let (plan, misfits) = self.truth(stream, |truth| Plan::of(&branch.edits, truth))?;
        let plan = Arc::new(plan);
        let name = Arc::clone(&self.index.as_ref()?.stream(stream)?.name);
        let (reducer, trouble) = match self.branch_reducer(&branch.reducer, &truth) {
            Ok(reducer) => (reducer, None),
            Err(failure) => (Arc::clone(truth.reducer()), Some(failure)),
        };
        let events = BranchEvents::new(Arc::clone(truth.events()), name, Arc::clone(&plan));
        let history = History::new(Arc::new(events), reducer, truth.on_failure(), self.histories.share());
        if Arc::ptr_eq(history.reducer(), truth.reducer()) {
            history.adopt(Arc::clone(&truth), plan.untouched());
        }
        Some(Built {
            stream,
            alignment: Arc::new(plan.alignment()),
            plan,
            truth,
            history: Arc::new(history),
            misfits,
            trouble,
        })
    }

    fn branch_reducer(&self, choice: &BranchReducer, truth: &History) -> Result<Arc<dyn Reducer>, Failure> {
        match choice {
            BranchReducer::Same => Ok(Arc::clone(truth.reducer())),
            BranchReducer::Merge => Ok(Arc::new(Merge::for_category(None))),
            BranchReducer::File(path) => self.what_if.file_reducer(path),
        }
    }

    /// The branches changed: builds the chosen one anew and stands where the user stood, or where
    /// the edit at `wish` is seen.
    pub(super) fn rebuild(&mut self, wish: Option<usize>) -> Vec<Job> {
        let is_standing = self.what_if.is_standing;
        let mut jobs = self.rebuild_as(is_standing, wish);
        jobs.extend(self.keep_branches());
        jobs
    }

    /// The same, and stands on the branch in any case.
    pub(super) fn rebuild_and_stand(&mut self, wish: Option<usize>) -> Vec<Job> {
        self.trail.leave(self.spot());
        let mut jobs = self.rebuild_as(true, wish);
        jobs.extend(self.keep_branches());
        jobs
    }

    /// The same, and keeps nothing.
    pub(super) fn rebuild_as(&mut self, is_to_stand: bool, wish: Option<usize>) -> Vec<Job> {
        let here = self.what_if.truth_count(self.cursor.count);
        let truth = self.truth_history().filter(|_| self.what_if.is_standing);
        if let Some(truth) = &truth {
            self.states.replace_history(Arc::clone(truth));
        }
        self.what_if.is_standing = false;
        let mut jobs = self.build_chosen();
        if let Some(truth) = truth.filter(|_| self.what_if.built.is_none()) {
            jobs.extend(self.show_history(truth, here));
        }
        if is_to_stand && self.what_if.built.is_some() {
            jobs.extend(self.step_onto(here));
            let wished = wish.and_then(|place| {
                let edit = self.what_if.branch()?.edits.get(place)?;
                Some(self.what_if.built.as_ref()?.place_of(place, &edit.kind))
            });
            if let Some(count) = wished {
                jobs.extend(self.go_to_shown(count));
            }
        }
        jobs
    }

    /// Shows the branch that was built, behind so many events of the truth.
    fn step_onto(&mut self, truth: usize) -> Vec<Job> {
        let Some(built) = &self.what_if.built else { return Vec::new() };
        let history = Arc::clone(&built.history);
        self.what_if.is_standing = true;
        self.show_history(history, truth)
    }

    fn show_history(&mut self, history: Arc<History>, truth: usize) -> Vec<Job> {
        let mut jobs = vec![self.states.fold_history(history)];
        self.cursor.count = self.what_if.shown_count(truth);
        self.forget_failures();
        self.place_ticks();
        jobs.extend(self.probe_history());
        jobs.extend(self.blame_anew());
        jobs.extend(self.bars_job());
        jobs.extend(self.cursor_moved());
        jobs
    }

    /// Shows what was recorded again.
    pub(super) fn stand_on_truth(&mut self) -> Vec<Job> {
        if self.standing_branch().is_none() {
            return Vec::new();
        }
        self.trail.leave(self.spot());
        self.stand_as_in(Spot { branch: None, ..self.spot() })
    }

    /// Stands on a branch, with its stream chosen.
    pub(super) fn choose_branch(&mut self, place: usize, notices: &mut Notices) -> Vec<Job> {
        let Some(branch) = self.what_if.branches.get(place) else { return Vec::new() };
        let Some(stream) = self.stream_called(&branch.stream) else {
            notices.warning(
                format!("{} is not in this store", branch.stream),
                format!("“{}” is a branch of it", branch.name),
                "",
            );
            return Vec::new();
        };
        self.trail.leave(self.spot());
        self.stand_on_branch(place, stream)
    }

    /// Chooses a branch and its stream.
    pub(crate) fn stand_on_branch(&mut self, place: usize, stream: u32) -> Vec<Job> {
        let mut jobs = Vec::new();
        let is_other = self.browse.focus != Some(stream);
        if is_other {
            jobs.extend(self.focus_on(Some(stream), true));
            // The cursor in time stays; a stream without events yet is shown at its end.
            let count = self.count_at(self.cursor.ordinal);
            let length = self.length();
            self.cursor.count = if self.cursor.is_following || count == 0 { length } else { count };
        }
        let here = self.what_if.truth_count(self.cursor.count);
        if self.what_if.standing().is_some() {
            if let Some(truth) = self.truth_history() {
                self.states.replace_history(truth);
            }
            self.what_if.is_standing = false;
        }
        self.what_if.chosen = Some(place);
        jobs.extend(self.build_chosen());
        jobs.extend(self.step_onto(here));
        jobs
    }

    /// Stands on the branch of a place to come back to, or on the truth; its stream is chosen already.
    pub(crate) fn stand_as_in(&mut self, spot: Spot) -> Vec<Job> {
        match (spot.branch, spot.focus) {
            (branch, _) if branch == self.standing_branch() => Vec::new(),
            (Some(branch), Some(stream)) if branch < self.what_if.branches.len() => {
                self.stand_on_branch(branch, stream)
            }
            _ => {
                let here = self.what_if.truth_count(self.cursor.count);
                match self.what_if.standing().map(|built| Arc::clone(&built.truth)) {
                    Some(truth) => {
                        self.what_if.is_standing = false;
                        self.show_history(truth, here)
                    }
                    None => Vec::new(),
                }
            }
        }
    }

    /// The branch that the window stands on, by its place in the list.
    pub(crate) fn standing_branch(&self) -> Option<usize> {
        self.what_if.standing().and(self.what_if.chosen)
    }

    /// What the branch that is shown does to recorded events.
    pub(crate) fn edited_events(&self) -> BTreeMap<u32, &'static str> {
        let Some(built) = self.what_if.standing() else { return BTreeMap::new() };
        let edits = self.what_if.branch().map(|branch| branch.edits.as_slice()).unwrap_or_default();
        let is_misfit = |place: usize| built.misfits.iter().any(|misfit| misfit.edit == place);
        let mut edited = BTreeMap::new();
        for (_, edit) in edits.iter().enumerate().filter(|(place, edit)| edit.is_on && !is_misfit(*place)) {
            let (event, words) = match &edit.kind {
                EditKind::LeaveOut(event) => (event, "left out"),
                EditKind::Replace { event, .. } => (event, "edited"),
                EditKind::Move { event, .. } => (event, "moved"),
                EditKind::Insert { .. } => continue,
            };
            let count = self.truth(built.stream, |truth| truth.find(event).ok()).flatten();
            let ordinal = count.and_then(|count| self.ordinal_in_stream(built.stream, count));
            let is_free = |ordinal: &u32| words == "left out" || !edited.contains_key(ordinal);
            if let Some(ordinal) = ordinal.filter(is_free) {
                edited.insert(ordinal, words);
            }
        }
        edited
    }

    /// Asks where the truth and the branch differ, as a whole and at the cursor.
    fn compare_jobs(&self) -> Vec<Job> {
        let Some(pair) = self.what_if.pair() else { return Vec::new() };
        if let Some(job) = self.branch_reducer_job() {
            return vec![job];
        }
        let mut jobs = vec![job(Slot::WhatIf, WhatIfQuestion::Compare(pair))];
        jobs.extend(self.what_if_beside_job());
        jobs
    }

    /// Asks for both states at the cursor. Where events are left out, the truth goes past them, so
    /// that what they would have done is seen.
    pub(crate) fn what_if_beside_job(&self) -> Option<Job> {
        let built = self.what_if.built.as_ref()?;
        let count = self.cursor.count;
        let step = if self.what_if.is_standing {
            built.alignment.last_step_of_right(count)
        } else {
            built.alignment.last_step_of_left(count)
        };
        Some(job(Slot::WhatIfBeside, WhatIfQuestion::Beside(built.pair(), step)))
    }
}
