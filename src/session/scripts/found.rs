//! What jobs found out about reducers.

use std::{path::PathBuf, sync::Arc};

use crate::{
    project::SavedScript,
    schema::file_name,
    session::{
        job::Job,
        notice::Notices,
        opened::Opened,
        scripts::{
            ScriptAnswer,
            insert::with_handlers,
            question::{Loaded, Looked, Saved},
            source::ReducerFile,
        },
    },
    store::index::nearest_names,
};

impl Opened {
    /// Takes what a job found.
    pub(crate) fn take_scripts(&mut self, answer: ScriptAnswer, notices: &mut Notices) -> Vec<Job> {
        let mut jobs = match answer {
            // Twice a second, as a rule.
            ScriptAnswer::Looked(found) if found.is_empty() => return Vec::new(),
            ScriptAnswer::Types(types) => {
                let is_first = self.scripts.types.is_none();
                self.scripts.types = Some(Arc::new(types));
                if is_first {
                    self.warn_of_unknown_categories(notices);
                }
                Vec::new()
            }
            ScriptAnswer::Looked(found) => self.take_looked(found, notices),
            ScriptAnswer::Loaded(found) => self.take_loaded(found),
            ScriptAnswer::Saved(found) => self.take_saved(found, notices),
            ScriptAnswer::Scaffolded(category, text) => {
                self.take_scaffold(category, text.into());
                Vec::new()
            }
            ScriptAnswer::Handlers(category, text) => {
                self.take_handlers(&category, &text, notices);
                Vec::new()
            }
        };
        self.arrange_lines();
        jobs.extend(self.file_jobs());
        jobs
    }

    fn take_looked(&mut self, found: Vec<Looked>, notices: &mut Notices) -> Vec<Job> {
        let mut jobs = Vec::new();
        for Looked { category, path, found } in found {
            let Some(file) = self.scripts.files.get_mut(&category) else { continue };
            // What was read while it is being written may be the text before.
            if file.path != path || file.is_saving() {
                continue;
            }
            match found {
                Ok(text) => self.scripts.wants_load |= file.take_text(text),
                Err(why) => {
                    let name = file.name();
                    let is_first = file.reducer.is_none();
                    file.take_problem(Arc::clone(&why));
                    notices.warning(
                        format!("The reducer {name} cannot be read"),
                        &*why,
                        "Its last text stays in use; choose another file in the Reducer panel",
                    );
                    if is_first {
                        jobs.extend(self.reducer_changed(&category));
                    }
                }
            }
        }
        jobs
    }

    fn take_loaded(&mut self, found: Vec<Loaded>) -> Vec<Job> {
        let mut jobs = Vec::new();
        for Loaded { of, found } in found {
            let Some(file) = self.scripts.files.get_mut(&of.category) else { continue };
            if of.is_check {
                file.take_check(&of.text, found);
                continue;
            }
            let had_none = file.reducer.is_none();
            if file.take_run(&of.text, found) || had_none {
                jobs.extend(self.reducer_changed(&of.category));
            }
        }
        jobs
    }

    fn take_saved(&mut self, found: Vec<Saved>, notices: &mut Notices) -> Vec<Job> {
        let folder = self.script_folder();
        let mut is_new = false;
        self.scripts.is_saving = false;
        for Saved { of, found } in found {
            let Some(file) = self.scripts.files.get_mut(&of.category) else { continue };
            self.scripts.wants_load = true;
            match found {
                Ok((path, SavedScript::Saved)) => {
                    file.take_saved(&path, &of.text);
                    if of.is_new {
                        notices.info(format!("The reducer is kept in {}", path.display()));
                        file.file = path.strip_prefix(&folder).map_or_else(|_| path.clone(), PathBuf::from);
                        self.kept.now.reducers.insert(Arc::clone(&of.category), file.file.clone());
                        is_new = true;
                    }
                }
                Ok((_, SavedScript::Changed(theirs))) => file.take_conflict(theirs),
                Err(why) => {
                    let name = file.name();
                    file.take_unwritable(Arc::clone(&why));
                    notices.error(
                        format!("{name} cannot be written"),
                        &*why,
                        "The text is used all the same, and stays in the editor until it can be saved",
                    );
                }
            }
        }
        if is_new { self.keep_job().into_iter().collect() } else { Vec::new() }
    }

    fn take_scaffold(&mut self, category: Arc<str>, text: Arc<str>) {
        self.scripts.is_scaffolding = false;
        let file = PathBuf::from("reducers").join(file_name(&category));
        let path = self.script_folder().join(&file);
        self.put_file(Arc::clone(&category), ReducerFile::unwritten(file, path, text));
        self.scripts.asked_for = Some((self.chosen_category(), category));
        self.scripts.wants_save = true;
    }

    fn take_handlers(&mut self, category: &str, handlers: &str, notices: &mut Notices) {
        self.scripts.is_scaffolding = false;
        let Some(file) = self.scripts.files.get_mut(category) else { return };
        match with_handlers(&file.text(), handlers) {
            Some(text) => {
                file.rewrite(text.into());
                self.scripts.wants_load = true;
            }
            None => notices.warning(
                "The place for new handlers was not found",
                "The text has no object of handlers, as in `.when({ … })` or `({ … })`",
                "Correct what is marked in the editor first",
            ),
        }
    }

    /// Says which categories of the project file the store does not have.
    fn warn_of_unknown_categories(&self, notices: &mut Notices) {
        let Some(index) = &self.index else { return };
        let names = || index.categories().iter().filter_map(|info| info.name.clone());
        for category in self.scripts.files.keys() {
            if self.knows_category(category) {
                continue;
            }
            let near = nearest_names(category, names(), 3);
            let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
            let hint = if near.is_empty() { String::new() } else { format!("There is {}", near.join(", ")) };
            notices.warning(
                format!("There is no category `{category}` for its reducer"),
                "The project file names one under [reducers]",
                hint,
            );
        }
    }

    /// Whether the store has such a category; the empty name stands for streams without one.
    pub(super) fn knows_category(&self, category: &str) -> bool {
        let Some(index) = &self.index else { return true };
        index.categories().iter().any(|info| info.name.as_deref().unwrap_or_default() == category)
    }
}
