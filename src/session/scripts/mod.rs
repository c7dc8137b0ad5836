//! Reducers in JavaScript: which make the state, their source, what is wrong with it.
//!
//! Each category has at most one reducer, a file that the project file names. The user may edit it
//! here or in an editor of their own; what is not saved yet is a draft, and no draft is ever lost.
//! The reducer in use stays until a newer text of its file loads.

mod asked;
mod found;
mod insert;
mod question;
mod shown;
mod source;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    project::sections::OnFailureEntry,
    replay::{Merge, OnFailure, Reducer},
    schema::CategoryTypes,
    session::{
        job::{Job, Question, Slot},
        opened::Opened,
        view::{CategoryLine, FailureLine, StepNotes},
        workspace::{Draft, Workspace},
    },
};

pub use question::{Loaded, Loading, Looked, Saved, Saving, ScriptAnswer, ScriptQuestion, Watched, options};

use source::ReducerFile;

/// Reducers: choosing, editing, scaffolding. A category is named; the empty name stands for streams
/// without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptAction {
    /// Shows a category's reducer in the editor.
    Show(Arc<str>),
    /// Writes a new reducer for a category from its events, and uses it.
    Scaffold(Arc<str>),
    /// The same for the category that the editor shows.
    ScaffoldShown,
    /// Uses a file for a category.
    Use(Arc<str>, PathBuf),
    /// Uses no reducer for a category any more; the file stays.
    StopUsing(Arc<str>),
    /// The text in the editor was changed.
    Edit {
        /// Whose reducer.
        category: Arc<str>,
        /// Which text it started from.
        revision: u64,
        /// The text now.
        text: Arc<str>,
    },
    /// Writes the text in the editor into its file, and uses it.
    Save,
    /// Puts handlers for all event types that lack one into the editor's text.
    InsertHandlers(Arc<str>),
    /// The file was changed elsewhere: goes on with the text in the editor.
    KeepMine(Arc<str>),
    /// The file was changed elsewhere: takes its text, and drops the one in the editor.
    TakeTheirs(Arc<str>),
    /// What happens to the rest of a history when an event cannot be applied.
    SetOnFailure(OnFailure),
    /// Shows where the step at the cursor failed, in the editor.
    ShowFailure,
}

/// What is known of reducers.
#[derive(Default)]
pub(crate) struct Scripts {
    /// The reducers in use, by category.
    files: BTreeMap<Arc<str>, ReducerFile>,
    /// Drafts of files that are not in use now.
    idle_drafts: Vec<Draft>,
    /// Whose reducer the user asked to see, and whose stream was chosen then: another stream shows
    /// its own.
    asked_for: Option<(Option<Arc<str>>, Arc<str>)>,
    types: Option<Arc<Vec<CategoryTypes>>>,
    lines: Arc<[CategoryLine]>,
    failures: Arc<[FailureLine]>,
    /// What `failures` was made of: stream, generation, number of failures.
    failures_of: Option<(u32, u64, usize)>,
    notes: Arc<StepNotes>,
    since_look: Duration,
    /// Rises with every change of any reducer.
    generation: u64,
    /// The generation of the merge, which makes the states where there is no reducer.
    base_generation: u64,
    /// Where the editor is to go: a number that rises, line and column.
    target: Option<(u64, u32, u32)>,
    is_scaffolding: bool,
    /// Whether texts are to be loaded that no job was asked for yet.
    wants_load: bool,
    wants_save: bool,
    /// Whether a job writes files. Another one beside it would take what that one wrote for a foreign change.
    is_saving: bool,
}

/// How often the files are looked at for changes made in the user's own editor.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Scripts {
    pub(crate) fn has_reducers(&self) -> bool {
        !self.files.is_empty()
    }
}

impl Opened {
    /// Starts with the reducers that the project file names; their files are read by the job.
    pub(crate) fn start_scripts(&mut self, workspace: &Workspace) -> Option<Job> {
        self.scripts.idle_drafts.clone_from(&workspace.drafts);
        for (category, file) in self.kept.now.reducers.clone() {
            self.use_file(category, file);
        }
        self.arrange_lines();
        self.look_job()
    }

    /// What makes the states of a category's streams, and a number that is another whenever that is.
    pub(crate) fn reducer_for(&self, category: Option<&str>) -> (Arc<dyn Reducer>, u64) {
        match self.scripts.files.get(category.unwrap_or_default()) {
            None => (Arc::new(Merge::for_category(category)), self.scripts.base_generation),
            Some(ReducerFile { reducer: Some(reducer), generation, .. }) => {
                (Arc::clone(reducer), *generation)
            }
            Some(file) => {
                let why = if file.is_unread() { "is being read" } else { "does not load" };
                (Arc::new(Merge::named(format!("merged; `{}` {why}", file.name()))), file.generation)
            }
        }
    }

    /// How many events of a stream its category's reducer treats as the one of another generation did:
    /// all before the first whose handler was edited, if nothing but handlers was.
    pub(crate) fn alike_until(&self, stream: u32, generation: u64) -> usize {
        let Some(index) = &self.index else { return 0 };
        let category = index.stream(stream).and_then(|info| info.name.category.clone()).unwrap_or_default();
        let file = self.scripts.files.get(&category);
        if file.map_or(self.scripts.base_generation, |file| file.generation) == generation {
            return usize::MAX;
        }
        let edit = file.and_then(|file| file.edit.as_ref());
        let Some(edit) = edit.filter(|edit| edit.from_generation == generation) else { return 0 };
        let is_edited = |ordinal: &u32| {
            let name = index.row(*ordinal).and_then(|row| index.type_name(row.event_type));
            name.is_none_or(|name| edit.types.contains(name))
        };
        let events = index.stream_events(stream);
        events.iter().position(is_edited).unwrap_or(events.len())
    }

    /// What happens to the rest of a history when an event cannot be applied.
    pub(crate) fn on_failure(&self) -> OnFailure {
        match self.kept.now.scripts.on_failure {
            Some(OnFailureEntry::Stop) => OnFailure::Stop,
            Some(OnFailureEntry::GoOn) | None => OnFailure::GoOn,
        }
    }

    /// Time has passed: the files may have changed.
    pub(crate) fn tick_scripts(&mut self, elapsed: Duration) -> Option<Job> {
        self.scripts.since_look += elapsed;
        if self.scripts.since_look < LOOK_EVERY {
            return None;
        }
        self.scripts.since_look = Duration::ZERO;
        self.look_job()
    }

    /// The files that may change meanwhile.
    pub(crate) fn script_files(&self) -> impl Iterator<Item = PathBuf> {
        let files = self.scripts.files.values().filter(|file| !file.is_new);
        files.map(|file| file.path.clone())
    }

    /// Whether something is asked for when time has passed.
    pub(crate) fn scripts_need_time(&self) -> bool {
        self.scripts.wants_load || self.scripts.wants_save
    }

    /// The index is new, so other types may be there.
    pub(crate) fn types_job(&self) -> Option<Job> {
        let index = Arc::clone(self.whole_index()?);
        Some(script_job(Slot::ScriptTypes, ScriptQuestion::Types(index)))
    }

    /// A job ended without an answer: nothing waits for it any more.
    pub(crate) fn scripts_job_failed(&mut self, slot: Slot) {
        match slot {
            Slot::ScriptLoad => self.scripts.files.values_mut().for_each(ReducerFile::stop_loading),
            Slot::ScriptSave => {
                self.scripts.is_saving = false;
                self.scripts.files.values_mut().for_each(ReducerFile::stop_saving);
            }
            Slot::Scaffold => self.scripts.is_scaffolding = false,
            _ => return,
        }
        self.arrange_lines();
    }

    /// The category of the chosen stream; empty if it has none.
    pub(crate) fn chosen_category(&self) -> Option<Arc<str>> {
        let stream = self.index.as_ref()?.stream(self.browse.focus?)?;
        Some(stream.name.category.clone().unwrap_or_default())
    }

    /// Copies what is not saved into the workspace, so that it outlives the window.
    pub(crate) fn remember_drafts(&self, workspace: &mut Workspace) {
        let drafts = self.scripts.files.values().filter_map(ReducerFile::to_draft);
        workspace.drafts = drafts.chain(self.scripts.idle_drafts.iter().cloned()).collect();
    }

    /// The reducer of a category changed: what depends on it is made anew.
    fn reducer_changed(&mut self, category: &str) -> Vec<Job> {
        self.scripts.generation += 1;
        let generation = self.scripts.generation;
        match self.scripts.files.get_mut(category) {
            Some(file) => file.change_generation(generation),
            None => self.scripts.base_generation = generation,
        }
        self.arrange_verdicts();
        if self.chosen_category().as_deref() != Some(category) {
            return Vec::new();
        }
        let mut jobs = self.refold();
        jobs.extend(self.step_job());
        self.place_ticks();
        jobs
    }

    /// A category's file is in use from now on; its text is read by the next look.
    fn use_file(&mut self, category: Arc<str>, file: PathBuf) {
        let path = self.script_folder().join(&file);
        let mut entry = ReducerFile::new(file, path);
        let place = self.scripts.idle_drafts.iter().position(|draft| draft.path == entry.path);
        if let Some(place) = place {
            entry.restore(self.scripts.idle_drafts.remove(place));
        }
        self.put_file(category, entry);
    }

    /// Puts a reducer in the place of the one before, whose draft is kept.
    fn put_file(&mut self, category: Arc<str>, file: ReducerFile) {
        let old = self.scripts.files.insert(category, file);
        self.scripts.idle_drafts.extend(old.as_ref().and_then(ReducerFile::to_draft));
    }

    /// Where paths in the project file start from.
    fn script_folder(&self) -> PathBuf {
        self.kept.folder().or_else(|| self.path.parent()).map(PathBuf::from).unwrap_or_default()
    }

    fn look_job(&self) -> Option<Job> {
        let files = self.scripts.files.iter().filter(|(_, file)| !file.is_new);
        let watched: Vec<Watched> = files.map(|(category, file)| file.watched(category)).collect();
        (!watched.is_empty()).then(|| script_job(Slot::ScriptLook, ScriptQuestion::Look(watched)))
    }

    /// Asks for what is to be loaded and saved: all of it, what was asked for before among it, since
    /// a new question in a slot withdraws the old one. Files are written one after the other.
    fn file_jobs(&mut self) -> Vec<Job> {
        let mut jobs = Vec::new();
        if self.scripts.wants_save && !self.scripts.is_saving {
            self.scripts.wants_save = false;
            let saving: Vec<Saving> =
                self.scripts.files.iter().filter_map(|(category, file)| file.saving(category)).collect();
            self.scripts.is_saving = !saving.is_empty();
            let job = || script_job(Slot::ScriptSave, ScriptQuestion::Save(saving));
            jobs.extend(self.scripts.is_saving.then(job));
        }
        if self.scripts.wants_load {
            let loading: Vec<Loading> =
                self.scripts.files.iter().flat_map(|(category, file)| file.loading(category)).collect();
            let is_asked = !loading.is_empty();
            let question = ScriptQuestion::Load(loading, Box::new(options(&self.kept.now.scripts)));
            jobs.extend(is_asked.then(|| script_job(Slot::ScriptLoad, question)));
        }
        self.scripts.wants_load = false;
        jobs
    }
}

fn script_job(slot: Slot, question: ScriptQuestion) -> Job {
    Job { slot, question: Question::Scripts(question) }
}
