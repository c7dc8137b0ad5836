//! Projections: what the store and the project file have of them, rebuilds, and read models at the cursor.
//!
//! Each projection is named; the list joins the definitions of the project file with the tables of the store.
//! A rebuild goes into a scratch database that lives as long as the store is open.

mod carried;
mod copies;
mod definitions;
mod drafts;
mod history;
mod kept;
mod list;
mod output;
mod question;
mod rows;
mod runs;
mod shown;
mod states;
mod stored;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    project::{new_file::Existing, sections::ProjectionEntry},
    projection::{Definition, OnFailure, ReadModel, export::Format},
    session::{
        job::{Job, Question, Slot},
        notice::Notices,
        opened::Opened,
        view::{ProjectionLine, Stage},
        workspace::Workspace,
    },
};

pub(crate) use carried::Carried;
pub use output::{FoundOutput, OutputWish};
pub use question::{ProjectionAnswer, ProjectionQuestion};

use definitions::Definitions;
use drafts::Drafts;
use history::RowStory;
use list::Listed;
use output::ModelOutput;
use rows::ModelRows;
use runs::Run;
use states::ShownStates;
use stored::StoreSide;

/// What the user asked for. Projections are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectionAction {
    /// Chooses a projection, by its place in the list.
    Choose(usize),
    /// Takes the definitions of a file into the project file.
    Add(PathBuf),
    /// Writes a definition for a stored table, to be filled in, and takes it into the project file.
    Scaffold(Arc<str>),
    /// Takes a definition out of the project file; its own file stays.
    Remove(Arc<str>),
    /// Says which stored table a projection makes.
    Pair {
        /// The projection.
        projection: Arc<str>,
        /// The stored table.
        table: Arc<str>,
    },
    /// Puts the project file's projections back as they were.
    Restore(Vec<ProjectionEntry>),
    /// What a projection does about an event that it cannot handle.
    SetOnFailure(Arc<str>, OnFailure),
    /// Writes a definition's file.
    SaveText {
        /// The projection.
        projection: Arc<str>,
        /// What it is to hold.
        text: Arc<str>,
        /// The text that the user started from.
        known: Arc<str>,
    },
    /// The text in the editor of a definition was changed.
    EditText {
        /// The projection.
        projection: Arc<str>,
        /// Which text it started from.
        revision: u64,
        /// The text now.
        text: Arc<str>,
    },
    /// Drops what was typed into a definition and not saved.
    RevertText(Arc<str>),
    /// The file was changed elsewhere: goes on with what was typed.
    KeepText(Arc<str>),
    /// Rebuilds a projection anew.
    Rebuild(Arc<str>, Extent),
    /// Rebuilds one partition of a projection in JavaScript anew, and nothing else.
    RebuildPartition(Arc<str>, Arc<str>),
    /// Rebuilds the chosen projection anew, all of it.
    RebuildChosen,
    /// Rebuilds every projection that has a definition.
    RebuildAll,
    /// Goes on where a rebuild stopped, or takes in what is new.
    Continue(Arc<str>),
    /// Stops a rebuild; whole batches stay.
    Stop(Arc<str>),
    /// Stops every rebuild.
    StopAll,
    /// The rows that are on screen, so that they are fetched.
    ShowRows {
        /// The first row, in order of birth.
        first: u64,
        /// How many.
        count: usize,
    },
    /// Shows only rows that contain this.
    Filter(Arc<str>),
    /// Chooses a row and shows what happened to it.
    ChooseRow(u64),
    /// Chooses no row any more.
    ForgetRow,
    /// Reads the state of the chosen partition at the cursor.
    ShowState,
    /// Goes to the event that last set a column of a row, up to the cursor.
    Why {
        /// The row.
        row: u64,
        /// The column's place.
        column: usize,
    },
    /// Goes to a change of the chosen row, by its place in the list.
    GoToChange(usize),
    /// Goes to the next change of the chosen row, or the one before.
    TurnChange(bool),
    /// Goes to an event that could not be handled, by how many events lay behind before it.
    GoToFailure(u64),
    /// What is to be seen of what the projection wrote, so that it is fetched.
    ShowOutput(OutputWish),
    /// Shows an output in full, by its number, and goes to the event at which it was written.
    ChooseOutput(u64),
    /// Copies the rows at the cursor as text.
    Copy(Format),
    /// Writes the rows at the cursor into a new file.
    Export(Format, PathBuf, Existing),
}

/// What of the events a rebuild takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Extent {
    /// All of them.
    #[default]
    Whole,
    /// Those from the cursor on.
    FromCursor,
    /// Those up to the cursor.
    UntilCursor,
    /// Those of the chosen stream.
    ChosenStream,
    /// Those of one partition.
    Partition,
}

/// The projections of the open store.
#[derive(Default)]
pub(crate) struct Projections {
    definitions: Definitions,
    stored: StoreSide,
    list: Vec<Listed>,
    lines: Arc<[ProjectionLine]>,
    /// The chosen one.
    chosen: Option<Arc<str>>,
    /// The one that was chosen before the store was read afresh, until it is listed again.
    asked_for: Option<Arc<str>>,
    drafts: Drafts,
    /// What was made of each, by name.
    runs: BTreeMap<Arc<str>, Run>,
    next_number: u16,
    rows: ModelRows,
    story: RowStory,
    states: ShownStates,
    output: ModelOutput,
    /// A text for the clipboard, with its number.
    copied: Option<(u64, Arc<str>)>,
    is_writing: bool,
}

/// The chosen projection with what was made of it, for what compares and publishes.
pub(crate) struct ChosenModel<'a> {
    /// Its name.
    pub(crate) name: &'a Arc<str>,
    /// What defines it.
    pub(crate) definition: Option<&'a Definition>,
    /// What the project file says of it.
    pub(crate) entry: Option<&'a ProjectionEntry>,
    /// The rebuilt read model, as far as it came.
    pub(crate) model: Option<&'a ReadModel>,
    /// The stored table that it is joined with.
    pub(crate) table: Option<&'a Arc<str>>,
    /// Whether a rebuild is under way or waits.
    pub(crate) is_rebuilding: bool,
    /// Whether only a part of the events was rebuilt, on purpose.
    pub(crate) is_part: bool,
}

impl Projections {
    /// The chosen projection.
    pub(crate) fn chosen_model(&self) -> Option<ChosenModel<'_>> {
        self.model_of(self.chosen.as_ref()?)
    }

    /// A projection by its name.
    pub(crate) fn model_of(&self, name: &str) -> Option<ChosenModel<'_>> {
        let listed = self.list.iter().find(|listed| *listed.name == *name)?;
        Some(ChosenModel {
            name: &listed.name,
            definition: listed.definition.as_ref(),
            entry: listed.entry.as_ref(),
            model: self.runs.get(name).and_then(Run::model),
            table: listed.table.as_ref(),
            is_rebuilding: self.runs.get(name).is_some_and(|run| run.stage != Stage::Idle),
            is_part: self.runs.get(name).is_some_and(Run::is_part),
        })
    }

    fn chosen_listed(&self) -> Option<&Listed> {
        let chosen = self.chosen.as_ref()?;
        self.list.iter().find(|listed| listed.name == *chosen)
    }

    fn chosen_run(&self) -> Option<&Run> {
        self.runs.get(self.chosen.as_ref()?)
    }
}

impl Opened {
    pub(crate) fn apply_projections(&mut self, action: ProjectionAction, notices: &mut Notices) -> Vec<Job> {
        let jobs = match action {
            ProjectionAction::Choose(place) => self.choose_projection(place),
            ProjectionAction::Add(path) => self.add_definition(&path, notices),
            ProjectionAction::Scaffold(table) => self.scaffold_projection(table),
            ProjectionAction::Remove(name) => self.remove_definition(&name, notices),
            ProjectionAction::Pair { projection, table } => self.pair(&projection, &table, notices),
            ProjectionAction::Restore(entries) => self.keep_projections(entries),
            ProjectionAction::SetOnFailure(name, choice) => self.set_projection_failure(&name, choice),
            ProjectionAction::SaveText { projection, text, known } => {
                self.save_definition(&projection, text, known)
            }
            ProjectionAction::EditText { projection, revision, text } => {
                self.edit_definition(&projection, revision, text)
            }
            ProjectionAction::RevertText(name) => self.revert_definition(&name),
            ProjectionAction::KeepText(name) => self.keep_definition(&name),
            ProjectionAction::Rebuild(name, extent) => self.rebuild_model(&name, extent),
            ProjectionAction::RebuildPartition(name, partition) => self.rebuild_partition(&name, &partition),
            ProjectionAction::RebuildChosen => {
                let chosen = self.projections.chosen.clone();
                chosen.map(|name| self.rebuild_model(&name, Extent::Whole)).unwrap_or_default()
            }
            ProjectionAction::RebuildAll => self.rebuild_all(),
            ProjectionAction::Continue(name) => self.continue_rebuild(&name),
            ProjectionAction::Stop(name) => self.stop_rebuild(&name),
            ProjectionAction::StopAll => self.stop_rebuilds(),
            ProjectionAction::ShowRows { first, count } => self.show_model_rows(first, count),
            ProjectionAction::Filter(text) => self.filter_model(text),
            ProjectionAction::ChooseRow(row) => self.choose_model_row(row, None),
            ProjectionAction::ForgetRow => self.forget_model_row(),
            ProjectionAction::ShowState => self.show_model_state(),
            ProjectionAction::Why { row, column } => self.choose_model_row(row, Some(column)),
            ProjectionAction::GoToChange(place) => self.go_to_change(place),
            ProjectionAction::TurnChange(is_forward) => self.turn_change(is_forward),
            ProjectionAction::GoToFailure(count) => self.go_to_model_count(count.saturating_add(1)),
            ProjectionAction::ShowOutput(wish) => self.show_output(wish),
            ProjectionAction::ChooseOutput(number) => self.choose_output(number),
            ProjectionAction::Copy(format) => self.copy_model(format),
            ProjectionAction::Export(format, path, existing) => {
                self.export_model(format, (path, existing), notices)
            }
        };
        self.arrange_projections();
        jobs
    }

    pub(crate) fn take_projections(&mut self, answer: ProjectionAnswer, notices: &mut Notices) -> Vec<Job> {
        let jobs = match answer {
            ProjectionAnswer::Looked(found) => self.take_definitions(found),
            ProjectionAnswer::Overview(overview) => {
                self.take_overview(overview, notices);
                Vec::new()
            }
            ProjectionAnswer::Rebuilt(rebuilt) => self.take_rebuilt(*rebuilt, notices),
            ProjectionAnswer::Rows(rows) => {
                self.projections.rows.take(rows);
                Vec::new()
            }
            ProjectionAnswer::Output(found) => {
                self.projections.output.take(found);
                Vec::new()
            }
            ProjectionAnswer::State(found) => {
                self.projections.states.found = Some(Arc::new(found));
                Vec::new()
            }
            ProjectionAnswer::History(history) => self.take_history(history),
            ProjectionAnswer::Scaffolded(found) => self.take_definition_scaffold(found, notices),
            ProjectionAnswer::Saved(found) => self.take_saved_definition(found, notices),
            ProjectionAnswer::Copied(text) => {
                let number = self.projections.copied.as_ref().map_or(1, |(number, _)| number + 1);
                self.projections.copied = Some((number, text));
                Vec::new()
            }
            ProjectionAnswer::Exported(words) => {
                match words {
                    Ok(words) => notices.info(words),
                    Err((title, detail)) => notices.error(title, detail, "Choose another name"),
                }
                Vec::new()
            }
            ProjectionAnswer::Trouble(title, detail) => {
                self.projections.rows.stop_waiting();
                self.projections.story.stop_waiting();
                self.projections.output.stop_waiting();
                notices.error(title, detail, "Rebuild the projection to make its scratch database anew");
                Vec::new()
            }
        };
        self.arrange_projections();
        jobs
    }

    /// Starts with the definitions that the project file names; their files are read by the job.
    pub(crate) fn start_projections(&mut self, workspace: &Workspace) -> Option<Job> {
        self.projections.drafts = Drafts::new(&workspace.definition_drafts);
        self.name_definitions();
        self.arrange_projections();
        self.definitions_job()
    }

    /// Time has passed: the files may have changed.
    pub(crate) fn tick_projections(&mut self, elapsed: Duration) -> Vec<Job> {
        let is_due = self.projections.definitions.is_due(elapsed);
        let look = is_due.then(|| self.definitions_job()).flatten();
        look.into_iter().chain(self.tick_overview(elapsed)).collect()
    }

    /// The files of definitions, which may change meanwhile.
    pub(crate) fn definition_files(&self) -> impl Iterator<Item = PathBuf> {
        self.projections.definitions.files.iter().map(|file| file.path.clone())
    }

    /// Whether something is asked for when time has passed.
    pub(crate) fn projections_need_time(&self) -> bool {
        self.projections.stored.is_waiting()
    }

    /// The index is new: projections that follow it go on, and the store's own lie elsewhere.
    pub(crate) fn projections_follow(&mut self) -> Vec<Job> {
        let mut jobs = self.catch_up();
        jobs.extend(self.overview_is_old());
        self.arrange_projections();
        jobs
    }

    /// A job ended without an answer: nothing waits for it any more.
    pub(crate) fn projections_job_failed(&mut self, slot: Slot) {
        match slot {
            Slot::Definitions => self.projections.definitions.stop_looking(),
            Slot::Projections => self.projections.stored.stop_waiting(),
            Slot::DefinitionSave => self.projections.is_writing = false,
            Slot::ModelRows => self.projections.rows.stop_waiting(),
            Slot::RowHistory => self.projections.story.stop_waiting(),
            Slot::Output => self.projections.output.stop_waiting(),
            Slot::Rebuild(number) => self.rebuild_crashed(number),
            _ => return,
        }
        self.arrange_projections();
    }

    /// Every job was stopped: what was being rebuilt is looked at, since whole batches of it stay.
    pub(crate) fn projections_stopped(&mut self) -> Vec<Job> {
        for slot in [
            Slot::Definitions,
            Slot::Projections,
            Slot::ModelRows,
            Slot::RowHistory,
            Slot::RowState,
            Slot::Output,
        ] {
            self.projections_job_failed(slot);
        }
        let jobs = self.stop_rebuilds();
        self.arrange_projections();
        jobs
    }

    /// How many events lie behind the cursor, in global order.
    pub(crate) fn model_count(&self) -> u64 {
        self.cursor.ordinal.map_or(0, |ordinal| u64::from(ordinal) + 1)
    }

    fn choose_projection(&mut self, place: usize) -> Vec<Job> {
        self.projections.asked_for = None;
        let Some(listed) = self.projections.list.get(place) else { return Vec::new() };
        if self.projections.chosen.as_ref() != Some(&listed.name) {
            self.projections.chosen = Some(Arc::clone(&listed.name));
            self.projections.rows = ModelRows::default();
            self.projections.story = RowStory::default();
            self.projections.states = ShownStates::default();
            self.forget_output();
        }
        Vec::new()
    }

    /// Puts the cursor behind so many events of the store.
    fn go_to_model_count(&mut self, count: u64) -> Vec<Job> {
        let Some(ordinal) = count.checked_sub(1).and_then(|ordinal| u32::try_from(ordinal).ok()) else {
            return Vec::new();
        };
        self.trail.leave(self.spot());
        self.stand_at(ordinal)
    }
}

fn job(slot: Slot, question: ProjectionQuestion) -> Job {
    Job { slot, question: Question::Projections(question) }
}
