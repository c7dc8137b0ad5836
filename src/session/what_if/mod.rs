//! What-if: branches of a history, beside the truth.
//!
//! Nothing here is stored in the user's database. Decisions that were recorded are not made again:
//! a branch changes which events there are, and the reducer folds those.

mod drafts;
mod exports;
mod kept;
mod reducers;
mod standing;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use crate::{
    model::Failure,
    replay::{Beside, Branch, BranchReducer, Comparison, Edit, EditKind, EventRef, MOVED, Pair, Reducer},
    script::Options,
    session::{
        job::{Answer, Job, Question, Slot},
        notice::Notices,
        opened::Opened,
        view::{BranchRow, EditRow, OutcomeView, WhatIfView, grouped},
    },
    store::StoreError,
    work::{Work, estimate::Task},
};

use drafts::{Draft, DraftOf};
use standing::Built;

pub use drafts::{DraftTexts, content_of};
pub use exports::{ExportKind, ExportQuestion};

/// Branches of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhatIfAction {
    /// Leaves an event out.
    LeaveOut(Target),
    /// Asks what an event is to say instead.
    Edit(Target),
    /// Asks what an event before another is to say.
    InsertBefore(Target),
    /// Asks what an event after another is to say.
    InsertAfter(Target),
    /// Asks where an event is to stand instead.
    Move(Target),
    /// Opens an edit of the branch, to say something else.
    Revise(usize),
    /// Does what was asked, as typed.
    ApplyDraft(DraftTexts),
    /// Leaves everything as it was.
    DropDraft,
    /// Switches an edit of the branch on or off.
    ToggleEdit(usize),
    /// Takes an edit of the branch away.
    RemoveEdit(usize),
    /// Begins a branch of the chosen stream.
    New,
    /// Stands on a branch.
    Choose(usize),
    /// Calls a branch otherwise.
    Rename(usize, String),
    /// Takes a branch away.
    Remove(usize),
    /// Stands on what was recorded again; the branch stays beside it.
    StandOnTruth,
    /// Another reducer makes the states of the branch.
    UseReducer(BranchReducer),
    /// Takes the last change of a branch back.
    Undo,
    /// Does it again.
    Redo,
    /// Goes where the branch parts from the truth.
    GoToParting,
    /// Writes down what was found, to be copied or saved.
    Export(ExportKind),
    /// Writes it into a new file.
    SaveExport(PathBuf),
    /// Takes it away again.
    CloseExport,
}

/// An event that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// In this row of the events.
    Row(u64),
    /// At the cursor.
    Cursor,
}

/// What is asked of jobs.
pub enum WhatIfQuestion {
    /// Where the truth and the branch differ.
    Compare(Pair),
    /// Both states after so many steps.
    Beside(Pair, usize),
    /// What an event says, to edit it.
    Draft(DraftOf),
    /// What is to be written down.
    Export(ExportQuestion),
    /// The reducer in a file: as the user named it, and where it lies.
    Reducer(Arc<str>, PathBuf, Box<Options>),
    /// A new file with this text, but never the store's.
    Save(PathBuf, Arc<str>),
}

/// What they found.
pub enum WhatIfAnswer {
    /// Where the truth and the branch differ.
    Compared(Box<Comparison>),
    /// Both states at a step.
    Beside(Box<Beside>),
    /// What an event says.
    Draft(Box<Draft>),
    /// What is written down.
    Exported(ExportKind, Arc<str>),
    /// A reducer, by the file as the user named it; or why it cannot be used.
    Reducer(Arc<str>, Result<Arc<dyn Reducer>, Failure>),
    /// The file was written, or why not.
    Saved(PathBuf, Result<(), String>),
}

impl WhatIfQuestion {
    /// Finds the answer.
    pub(crate) fn run(self, work: &Work) -> Result<Answer, StoreError> {
        let answer = match self {
            Self::Compare(pair) => WhatIfAnswer::Compared(Box::new(pair.compare(work)?)),
            Self::Beside(pair, step) => WhatIfAnswer::Beside(Box::new(pair.beside(step, work)?)),
            Self::Draft(of) => WhatIfAnswer::Draft(Box::new(of.read(work)?)),
            Self::Export(question) => {
                let (kind, text) = question.run(work)?;
                WhatIfAnswer::Exported(kind, text)
            }
            Self::Reducer(name, path, options) => {
                let reducer = reducers::load(&name, &path, &options, work);
                work.advance(0)?;
                WhatIfAnswer::Reducer(name, reducer)
            }
            Self::Save(path, text) => {
                let result = exports::save(&path, &text);
                WhatIfAnswer::Saved(path, result)
            }
        };
        Ok(Answer::WhatIf(answer))
    }
}

/// What is known.
#[derive(Default)]
pub(crate) struct WhatIf {
    branches: Vec<Branch>,
    /// What the branches were before each change.
    undo: Vec<Vec<Branch>>,
    redo: Vec<Vec<Branch>>,
    chosen: Option<usize>,
    /// The chosen branch, applied to the stream that is shown.
    built: Option<Built>,
    /// Whether the window shows the branch, and not the truth.
    is_standing: bool,
    comparison: Option<Arc<Comparison>>,
    /// Whether the user stopped the comparison.
    is_stopped: bool,
    beside: Option<Arc<Beside>>,
    draft: Option<Arc<Draft>>,
    /// Raised with each draft, so that the panel fills its fields anew.
    drafts: u64,
    export: Option<(ExportKind, Arc<str>)>,
    /// The reducers of files that branches name.
    reducers: BTreeMap<Arc<str>, Result<Arc<dyn Reducer>, Failure>>,
    /// Streams of branches that the store does not have.
    strayed: BTreeSet<Arc<str>>,
}

/// Changes that can be taken back.
const MOST_UNDO: usize = 200;

impl WhatIf {
    /// The branch that was chosen.
    fn branch(&self) -> Option<&Branch> {
        self.branches.get(self.chosen?)
    }

    /// The chosen branch as it stands beside the truth, if the window shows its stream.
    pub(crate) fn pair(&self) -> Option<Pair> {
        self.built.as_ref().map(Built::pair)
    }

    /// What the branch is called that the window stands on.
    pub(crate) fn standing_name(&self) -> Option<Arc<str>> {
        self.branch().filter(|_| self.is_standing).map(|branch| Arc::clone(&branch.name))
    }

    /// What the chosen branch is called.
    pub(crate) fn chosen_name(&self) -> Option<Arc<str>> {
        self.branch().map(|branch| Arc::clone(&branch.name))
    }

    /// What the branch at a place of the list is called.
    pub(crate) fn name_of(&self, place: usize) -> Option<&Arc<str>> {
        self.branches.get(place).map(|branch| &branch.name)
    }

    fn forget_outcome(&mut self) {
        self.comparison = None;
        self.is_stopped = false;
        self.beside = None;
        self.export = None;
    }
}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_what_if(&mut self, action: WhatIfAction, notices: &mut Notices) -> Vec<Job> {
        match action {
            WhatIfAction::LeaveOut(target) => self.leave_out(target, notices),
            WhatIfAction::Edit(_)
            | WhatIfAction::InsertBefore(_)
            | WhatIfAction::InsertAfter(_)
            | WhatIfAction::Move(_)
            | WhatIfAction::Revise(_) => self.begin_draft(&action, notices),
            WhatIfAction::ApplyDraft(texts) => self.apply_draft(&texts, notices),
            WhatIfAction::DropDraft => {
                self.what_if.draft = None;
                Vec::new()
            }
            WhatIfAction::ToggleEdit(place) => self.change_branch(None, |branch| {
                branch.edits.get_mut(place).map(|edit| edit.is_on = !edit.is_on).is_some()
            }),
            WhatIfAction::RemoveEdit(place) => self.change_branch(None, |branch| {
                let is_there = place < branch.edits.len();
                is_there.then(|| branch.edits.remove(place)).is_some()
            }),
            WhatIfAction::UseReducer(reducer) => self.use_branch_reducer(reducer),
            WhatIfAction::New => self.new_branch(),
            WhatIfAction::Choose(place) => self.choose_branch(place, notices),
            WhatIfAction::Rename(place, name) => self.rename_branch(place, &name),
            WhatIfAction::Remove(place) => self.remove_branch(place),
            WhatIfAction::StandOnTruth => self.stand_on_truth(),
            WhatIfAction::Undo => self.turn_back(false),
            WhatIfAction::Redo => self.turn_back(true),
            WhatIfAction::GoToParting => self.go_to_parting(),
            WhatIfAction::Export(kind) => self.export(kind),
            WhatIfAction::SaveExport(path) => self.save_export(path, notices),
            WhatIfAction::CloseExport => {
                self.what_if.export = None;
                Vec::new()
            }
        }
    }

    /// Takes what a job found.
    pub(crate) fn take_what_if(&mut self, answer: WhatIfAnswer, notices: &mut Notices) -> Vec<Job> {
        match answer {
            // Of a branch that became another meanwhile, and waits for its reducer or is gone.
            WhatIfAnswer::Compared(_) | WhatIfAnswer::Beside(_)
                if self.what_if.built.is_none() || self.branch_reducer_job().is_some() => {}
            WhatIfAnswer::Compared(comparison) => self.what_if.comparison = Some(Arc::new(*comparison)),
            WhatIfAnswer::Beside(beside) => self.what_if.beside = Some(Arc::new(*beside)),
            WhatIfAnswer::Draft(draft) => self.take_draft(*draft),
            WhatIfAnswer::Reducer(name, reducer) => {
                self.what_if.reducers.insert(name, reducer);
                // The branches are what they were: there is nothing to keep.
                return self.rebuild_as(self.what_if.is_standing, None);
            }
            WhatIfAnswer::Exported(kind, text) => self.what_if.export = Some((kind, text)),
            WhatIfAnswer::Saved(path, Ok(())) => {
                self.what_if.export = None;
                notices.info(format!("Written to {}", path.display()));
            }
            WhatIfAnswer::Saved(path, Err(reason)) => notices.error(
                format!("{} cannot be written", path.display()),
                reason,
                "Give the path of a file that does not exist yet",
            ),
        }
        Vec::new()
    }

    fn leave_out(&mut self, target: Target, notices: &mut Notices) -> Vec<Job> {
        let Some((event, mut jobs)) = self.target_event(target, notices) else { return Vec::new() };
        jobs.extend(self.add_edit(EditKind::LeaveOut(event)));
        jobs
    }

    /// The event of the truth that is meant, with its stream chosen.
    fn target_event(&mut self, target: Target, notices: &mut Notices) -> Option<(EventRef, Vec<Job>)> {
        let ordinal = match target {
            Target::Row(row) => self.listing()?.ordinal(row),
            Target::Cursor if self.is_on_inserted() => None,
            Target::Cursor => self.standing(),
        };
        let Some(ordinal) = ordinal else {
            notices.warning(
                "No recorded event is here",
                "",
                "Choose an event; what a branch puts in is changed in its list of edits",
            );
            return None;
        };
        let stream = self.index.as_ref()?.row(ordinal)?.stream;
        let place = self.index.as_ref()?.stream_events(stream).place_of(ordinal)?;
        let event = self.truth(stream, |truth| truth.name(place + 1))??;
        let mut jobs = Vec::new();
        if self.browse.focus != Some(stream) {
            self.trail.leave(self.spot());
            jobs = self.stand_at(ordinal);
        }
        Some((event, jobs))
    }

    /// Adds an edit to the chosen branch of this stream, which is begun if there is none.
    fn add_edit(&mut self, kind: EditKind) -> Vec<Job> {
        self.remember_branches();
        if !self.is_branch_of_focus() {
            self.begin_branch();
        }
        let mut place = None;
        if let Some(branch) = self.what_if.chosen.and_then(|chosen| self.what_if.branches.get_mut(chosen)) {
            place = Some(branch.edits.len());
            branch.edits.push(Edit { is_on: true, kind });
        }
        self.what_if.draft = None;
        self.rebuild_and_stand(place)
    }

    /// Changes the chosen branch; `change` tells whether there was anything to do.
    fn change_branch(&mut self, wish: Option<usize>, change: impl FnOnce(&mut Branch) -> bool) -> Vec<Job> {
        let before = self.what_if.branches.clone();
        let branch = self.what_if.chosen.and_then(|chosen| self.what_if.branches.get_mut(chosen));
        if !branch.is_some_and(change) {
            return Vec::new();
        }
        self.remember_as(before);
        self.rebuild(wish)
    }

    fn is_branch_of_focus(&self) -> bool {
        let name = self.focus_name();
        self.what_if.branch().is_some_and(|branch| Some(&branch.stream) == name.as_ref())
    }

    fn begin_branch(&mut self) {
        let Some(stream) = self.focus_name() else { return };
        let taken: Vec<&Arc<str>> = self.what_if.branches.iter().map(|branch| &branch.name).collect();
        let names = (1..).map(|number| Arc::<str>::from(format!("branch {number}")));
        let name = names.into_iter().find(|name| !taken.contains(&name)).unwrap_or_default();
        self.what_if.branches.push(Branch { name, stream, ..Branch::default() });
        self.what_if.chosen = self.what_if.branches.len().checked_sub(1);
    }

    fn new_branch(&mut self) -> Vec<Job> {
        if !self.has_stream() {
            return Vec::new();
        }
        self.remember_branches();
        self.begin_branch();
        self.rebuild_and_stand(None)
    }

    fn rename_branch(&mut self, place: usize, name: &str) -> Vec<Job> {
        let name = name.trim();
        let is_taken = self.what_if.branches.iter().any(|branch| *branch.name == *name);
        if name.is_empty() || is_taken || place >= self.what_if.branches.len() {
            return Vec::new();
        }
        self.remember_branches();
        if let Some(branch) = self.what_if.branches.get_mut(place) {
            branch.name = name.into();
        }
        self.keep_branches()
    }

    fn remove_branch(&mut self, place: usize) -> Vec<Job> {
        if place >= self.what_if.branches.len() {
            return Vec::new();
        }
        let mut jobs = if self.what_if.chosen == Some(place) { self.stand_on_truth() } else { Vec::new() };
        self.remember_branches();
        self.what_if.branches.remove(place);
        self.what_if.chosen = match self.what_if.chosen {
            Some(chosen) if chosen == place => None,
            Some(chosen) if chosen > place => Some(chosen - 1),
            other => other,
        };
        jobs.extend(self.rebuild(None));
        jobs
    }

    fn remember_branches(&mut self) {
        self.remember_as(self.what_if.branches.clone());
    }

    fn remember_as(&mut self, before: Vec<Branch>) {
        let what_if = &mut self.what_if;
        what_if.undo.push(before);
        what_if.redo.clear();
        if what_if.undo.len() > MOST_UNDO {
            what_if.undo.remove(0);
        }
    }

    fn turn_back(&mut self, is_forward: bool) -> Vec<Job> {
        let what_if = &mut self.what_if;
        let (from, to) = if is_forward {
            (&mut what_if.redo, &mut what_if.undo)
        } else {
            (&mut what_if.undo, &mut what_if.redo)
        };
        let Some(branches) = from.pop() else { return Vec::new() };
        let chosen_name = what_if.chosen.and_then(|chosen| what_if.branches.get(chosen)).cloned();
        to.push(std::mem::replace(&mut what_if.branches, branches));
        // The same branch stays chosen: by its name, or by its place if that was what changed.
        let by_name = what_if
            .branches
            .iter()
            .position(|branch| chosen_name.as_ref().is_some_and(|chosen| chosen.name == branch.name));
        let by_place = what_if.chosen.filter(|chosen| *chosen < what_if.branches.len());
        let chosen = by_name.or(by_place);
        if chosen.is_none() {
            let mut jobs = self.stand_on_truth();
            self.what_if.chosen = None;
            jobs.extend(self.rebuild(None));
            return jobs;
        }
        self.what_if.chosen = chosen;
        self.rebuild(None)
    }

    fn go_to_parting(&mut self) -> Vec<Job> {
        let Some(step) = self.what_if.comparison.as_ref().and_then(|comparison| comparison.parts_at) else {
            return Vec::new();
        };
        let Some(built) = &self.what_if.built else { return Vec::new() };
        let (truth, branch) = built.alignment.at(step);
        let count = if self.what_if.is_standing { branch } else { truth };
        self.trail.leave(self.spot());
        self.go_to_shown(count)
    }

    pub(crate) fn what_if_view(&self) -> WhatIfView {
        let what_if = &self.what_if;
        let focus = self.focus_name();
        let misfits = what_if.built.as_ref().map(|built| built.misfits.as_slice()).unwrap_or_default();
        let edit_row = |(place, edit): (usize, &Edit)| EditRow {
            words: edit.kind.to_string(),
            is_on: edit.is_on,
            misfit: misfits.iter().find(|misfit| misfit.edit == place).map(ToString::to_string),
            can_revise: !matches!(edit.kind, EditKind::LeaveOut(_)),
        };
        let branch_row = |branch: &Branch| BranchRow {
            name: Arc::clone(&branch.name),
            stream: Arc::clone(&branch.stream),
            edits: branch.edits.len(),
            is_here: focus.as_ref() == Some(&branch.stream),
            trouble: what_if
                .strayed
                .contains(&branch.stream)
                .then(|| format!("{} is not in this store", branch.stream)),
        };
        let chosen = what_if.branch();
        WhatIfView {
            stream: focus.clone().unwrap_or_default(),
            branches: what_if.branches.iter().map(branch_row).collect(),
            chosen: what_if.chosen,
            is_standing: what_if.is_standing,
            edits: chosen
                .into_iter()
                .flat_map(|branch| branch.edits.iter().enumerate().map(edit_row))
                .collect(),
            reducer: chosen.map(|branch| branch.reducer.clone()).unwrap_or_default(),
            reducer_trouble: what_if.built.as_ref().and_then(|built| built.trouble.clone()),
            outcome: self.outcome_view(),
            draft: what_if.draft.as_ref().map(|draft| Arc::new(draft.view(what_if.drafts))),
            export: what_if.export.clone(),
            can_undo: !what_if.undo.is_empty(),
            can_redo: !what_if.redo.is_empty(),
            estimate: self.words_of_stream(Task::Compare),
            case_estimate: self.words_of_stream(Task::Copy),
        }
    }

    fn outcome_view(&self) -> Option<OutcomeView> {
        let built = self.what_if.built.as_ref()?;
        let beside = self.what_if.beside.as_deref();
        let words = |step: usize| {
            let (truth, branch) = built.alignment.at(step);
            (self.truth_words(built.stream, truth), built.branch_words(self, branch))
        };
        let comparison = self.what_if.comparison.as_deref();
        let parting = match comparison {
            None if self.what_if.is_stopped => "The comparison with the truth was stopped".to_owned(),
            None => "Comparing with the truth…".to_owned(),
            Some(comparison) => match comparison.parts_at {
                None => "The states are the same at every step".to_owned(),
                Some(step) => {
                    let (truth, branch) = words(step);
                    let steps = grouped(comparison.differing as u64);
                    let all = grouped(comparison.alignment.len() as u64);
                    let has_moves = self.what_if.branch().is_some_and(Branch::has_moves);
                    let moved = if has_moves { MOVED } else { "" };
                    format!(
                        "Parts from the truth at {branch} (truth: {truth}); {steps} of {all} steps differ{moved}"
                    )
                }
            },
        };
        let failed = comparison.map(|comparison| {
            let [truth, branch] = &comparison.failed;
            [truth.len(), branch.len()]
        });
        Some(OutcomeView {
            parting,
            is_stopped: self.what_if.is_stopped,
            has_parted: comparison.is_some_and(|comparison| comparison.parts_at.is_some()),
            failed: failed.unwrap_or_default(),
            places: beside.map(|beside| words(beside.step)).unwrap_or_default(),
            at_cursor: beside.map(|beside| Arc::new(beside.changes.clone())),
            at_end: comparison.map(|comparison| Arc::new(comparison.at_end.clone())),
        })
    }

    /// The comparison was not made: nothing waits for it any more.
    pub(crate) fn what_if_failed(&mut self, slot: Slot) {
        match slot {
            Slot::Export => self.what_if.export = None,
            Slot::WhatIf | Slot::BranchReducer => self.what_if.is_stopped = self.what_if.comparison.is_none(),
            _ => (),
        }
    }
}

fn job(slot: Slot, question: WhatIfQuestion) -> Job {
    Job { slot, question: Question::WhatIf(question) }
}
