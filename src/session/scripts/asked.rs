//! What the user asks of reducers.

use std::{path::PathBuf, sync::Arc};

use crate::{
    project::sections::OnFailureEntry,
    replay::OnFailure,
    session::{
        job::{Job, Slot},
        notice::Notices,
        opened::Opened,
        scripts::{ScriptAction, ScriptQuestion, script_job, source::ReducerFile},
    },
};

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_scripts(&mut self, action: ScriptAction, _: &mut Notices) -> Vec<Job> {
        let mut jobs = match action {
            ScriptAction::Show(category) => {
                self.scripts.asked_for = Some((self.chosen_category(), category));
                Vec::new()
            }
            ScriptAction::Scaffold(category) => self.scaffold_job(category, None).into_iter().collect(),
            ScriptAction::ScaffoldShown => {
                let shown = self.shown_category();
                shown.and_then(|category| self.scaffold_job(category, None)).into_iter().collect()
            }
            ScriptAction::Use(category, path) => self.choose_file(&category, path),
            ScriptAction::StopUsing(category) => self.stop_using(&category),
            ScriptAction::Edit { category, revision, text } => {
                self.with_file(&category, |file| file.edit(revision, text));
                self.scripts.wants_load = true;
                Vec::new()
            }
            ScriptAction::Save => {
                if let Some(category) = self.shown_category() {
                    self.with_file(&category, ReducerFile::ask_to_save);
                    self.scripts.wants_save = true;
                }
                Vec::new()
            }
            ScriptAction::InsertHandlers(category) => {
                let unhandled = self.scripts.files.get(&category).map(|file| Arc::clone(&file.unhandled));
                let unhandled = unhandled.unwrap_or_default();
                self.scaffold_job(category, Some(unhandled)).into_iter().collect()
            }
            ScriptAction::KeepMine(category) => {
                self.with_file(&category, ReducerFile::keep_mine);
                Vec::new()
            }
            ScriptAction::TakeTheirs(category) => {
                self.with_file(&category, ReducerFile::take_theirs);
                self.scripts.wants_load = true;
                Vec::new()
            }
            ScriptAction::SetOnFailure(on_failure) => self.set_on_failure(on_failure),
            ScriptAction::ShowFailure => {
                self.show_failure();
                Vec::new()
            }
        };
        self.arrange_lines();
        jobs.extend(self.file_jobs());
        jobs
    }

    fn with_file(&mut self, category: &str, change: impl FnOnce(&mut ReducerFile)) {
        if let Some(file) = self.scripts.files.get_mut(category) {
            change(file);
        }
    }

    fn scaffold_job(&mut self, category: Arc<str>, only: Option<Arc<[Arc<str>]>>) -> Option<Job> {
        let index = Arc::clone(self.whole_index()?);
        self.scripts.is_scaffolding = true;
        let question = ScriptQuestion::Scaffold { store: Arc::clone(&self.store), index, category, only };
        Some(script_job(Slot::Scaffold, question))
    }

    fn choose_file(&mut self, category: &Arc<str>, path: PathBuf) -> Vec<Job> {
        let inside = path.strip_prefix(self.script_folder()).map(PathBuf::from);
        let file = inside.ok().filter(|inside| inside.components().count() > 0).unwrap_or(path);
        self.kept.now.reducers.insert(Arc::clone(category), file.clone());
        self.use_file(Arc::clone(category), file);
        self.scripts.asked_for = Some((self.chosen_category(), Arc::clone(category)));
        let mut jobs = self.reducer_changed(category);
        jobs.extend(self.keep_job());
        jobs.extend(self.look_job());
        jobs
    }

    fn stop_using(&mut self, category: &Arc<str>) -> Vec<Job> {
        let old = self.scripts.files.remove(category);
        self.scripts.idle_drafts.extend(old.as_ref().and_then(ReducerFile::to_draft));
        self.kept.now.reducers.remove(category);
        let mut jobs = self.reducer_changed(category);
        jobs.extend(self.keep_job());
        jobs
    }

    fn set_on_failure(&mut self, on_failure: OnFailure) -> Vec<Job> {
        self.kept.now.scripts.on_failure = Some(match on_failure {
            OnFailure::GoOn => OnFailureEntry::GoOn,
            OnFailure::Stop => OnFailureEntry::Stop,
        });
        let mut jobs: Vec<Job> = self.keep_job().into_iter().collect();
        if let Some(category) = self.chosen_category() {
            jobs.extend(self.reducer_changed(&category));
        }
        jobs
    }

    fn show_failure(&mut self) {
        let Some(category) = self.chosen_category() else { return };
        self.scripts.asked_for = Some((Some(Arc::clone(&category)), category));
        let place = self.scripts.notes.failure.as_ref().and_then(|failure| failure.line.zip(failure.column));
        if let Some((line, column)) = place {
            let number = self.scripts.target.map_or(1, |(number, ..)| number + 1);
            self.scripts.target = Some((number, line, column));
        }
    }
}
