//! What the user decides about projections goes into the project file; each decision can be taken back.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    project::{
        SavedScript,
        sections::{OnFailureEntry, ProjectionEntry},
    },
    projection::OnFailure,
    session::{
        action::Action,
        job::{Job, Slot},
        notice::Notices,
        opened::Opened,
        projections::list::file_stem,
        projections::{ProjectionAction, ProjectionQuestion, job},
        shell::file_name,
    },
};

impl Opened {
    pub(super) fn add_definition(&mut self, path: &Path, notices: &mut Notices) -> Vec<Job> {
        let inside = path.strip_prefix(self.definition_folder()).map(PathBuf::from).ok();
        let file = inside.filter(|inside| inside.components().count() > 0).unwrap_or_else(|| path.to_owned());
        let mut entries = self.kept.now.projections.clone();
        if entries.iter().any(|entry| entry.file == file && entry.name.is_none()) {
            notices.info(format!("{} is in the project file already", file_name(path)));
            return Vec::new();
        }
        entries.push(ProjectionEntry { file, ..ProjectionEntry::default() });
        self.change_projections(entries, format!("{} is in the project file now", file_name(path)), notices)
    }

    pub(super) fn remove_definition(&mut self, name: &str, notices: &mut Notices) -> Vec<Job> {
        self.name_entries_of(name);
        let mut entries = self.kept.now.projections.clone();
        let Some(place) = self.entry_place(name) else { return Vec::new() };
        let file = entries.remove(place).file;
        let words = format!("{name} is out of the project file; {} stays", file_name(&file));
        let mut jobs = self.change_projections(entries, words, notices);
        jobs.extend(self.drop_run(name));
        jobs
    }

    pub(super) fn pair(&mut self, name: &str, table: &Arc<str>, notices: &mut Notices) -> Vec<Job> {
        let words = format!("{name} is compared with {table}");
        self.change_entry(name, Some((words, notices)), |entry| entry.table = Some(Arc::clone(table)))
    }

    pub(super) fn set_projection_failure(&mut self, name: &str, choice: OnFailure) -> Vec<Job> {
        let choice = match choice {
            OnFailure::Stop => OnFailureEntry::Stop,
            OnFailure::Skip => OnFailureEntry::GoOn,
        };
        let mut jobs = self.change_entry(name, None, |entry| entry.on_failure = Some(choice));
        jobs.extend(self.failure_choice_changed(name));
        jobs
    }

    /// Changes what the project file says of one projection.
    pub(crate) fn change_entry(
        &mut self,
        name: &str,
        told: Option<(String, &mut Notices)>,
        change: impl FnOnce(&mut ProjectionEntry),
    ) -> Vec<Job> {
        let before = self.kept.now.projections.clone();
        self.name_entries_of(name);
        let Some(place) = self.entry_place(name) else { return Vec::new() };
        if let Some(entry) = self.kept.now.projections.get_mut(place) {
            change(entry);
        }
        if let Some((words, notices)) = told {
            notices.undoable(words, Action::Projections(ProjectionAction::Restore(before)));
        }
        self.projections_kept()
    }

    pub(super) fn keep_projections(&mut self, entries: Vec<ProjectionEntry>) -> Vec<Job> {
        self.kept.now.projections = entries;
        self.projections_kept()
    }

    pub(super) fn save_definition(&mut self, name: &str, text: Arc<str>, known: Arc<str>) -> Vec<Job> {
        let Some(place) = self.entry_place(name) else { return Vec::new() };
        let entry = self.kept.now.projections.get(place);
        let file = entry.and_then(|entry| self.projections.definitions.file(&entry.file));
        let Some(path) = file.map(|file| file.path.clone()) else { return Vec::new() };
        self.projections.is_writing = true;
        self.projections.drafts.start_saving(&path, &text);
        vec![job(Slot::DefinitionSave, ProjectionQuestion::Save { path, text, known })]
    }

    pub(super) fn take_saved_definition(
        &mut self,
        found: Result<(PathBuf, SavedScript), Arc<str>>,
        notices: &mut Notices,
    ) -> Vec<Job> {
        self.projections.is_writing = false;
        self.projections.drafts.end_saving(matches!(found, Ok((_, SavedScript::Saved))));
        match found {
            Ok((path, SavedScript::Saved)) => notices.info(format!("{} is saved", file_name(&path))),
            Ok((path, SavedScript::Changed(_))) => notices.warning(
                format!("{} was changed elsewhere", file_name(&path)),
                "Nothing was written",
                "Copy your text, take theirs by undoing your changes, and put yours in again",
            ),
            Err(why) => notices.error("The definition cannot be saved", why.to_string(), ""),
        }
        self.definitions_job().into_iter().collect()
    }

    fn change_projections(
        &mut self,
        entries: Vec<ProjectionEntry>,
        words: String,
        notices: &mut Notices,
    ) -> Vec<Job> {
        let before = std::mem::replace(&mut self.kept.now.projections, entries);
        notices.undoable(words, Action::Projections(ProjectionAction::Restore(before)));
        self.projections_kept()
    }

    fn projections_kept(&mut self) -> Vec<Job> {
        self.name_definitions();
        self.arrange_projections();
        let mut jobs: Vec<Job> = self.keep_job().into_iter().collect();
        jobs.extend(self.definitions_job());
        jobs.extend(self.overview_job());
        jobs
    }

    /// The entry that a projection comes from.
    pub(super) fn entry_place(&self, name: &str) -> Option<usize> {
        let defines = |entry: &ProjectionEntry| {
            let file = self.projections.definitions.file(&entry.file);
            file.is_some_and(|file| file.definitions.iter().any(|definition| *definition.name == *name))
        };
        let entries = &self.kept.now.projections;
        let by_name = entries.iter().position(|entry| entry.name.as_deref() == Some(name));
        by_name
            .or_else(|| entries.iter().position(|entry| entry.name.is_none() && defines(entry)))
            // A file that does not load yet is listed by its own name.
            .or_else(|| entries.iter().position(|entry| file_stem(&entry.file) == name))
    }

    /// An entry that stands for all projections of a file becomes one entry for each, so that something can be
    /// said of this one alone.
    fn name_entries_of(&mut self, name: &str) {
        let Some(place) = self.entry_place(name) else { return };
        let Some(entry) = self.kept.now.projections.get(place).filter(|entry| entry.name.is_none()) else {
            return;
        };
        let Some(file) = self.projections.definitions.file(&entry.file) else { return };
        if file.definitions.len() < 2 {
            return;
        }
        let named = |definition: &crate::projection::Definition| ProjectionEntry {
            name: Some(Arc::clone(&definition.name)),
            ..entry.clone()
        };
        let entries: Vec<ProjectionEntry> = file.definitions.iter().map(named).collect();
        self.kept.now.projections.splice(place..=place, entries);
    }
}
