//! One reducer's file: what it holds, what the user made of it, and what came of loading it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    model::Failure,
    replay::Reducer,
    script::Script,
    session::{
        scripts::question::{Loading, Saving, Watched},
        shell::file_name,
        workspace::Draft,
    },
};

/// A category's reducer.
#[derive(Default)]
pub(crate) struct ReducerFile {
    /// As the project file names it.
    pub(crate) file: PathBuf,
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Whether it is not on disk yet, and gets the next free name when it is saved.
    pub(crate) is_new: bool,
    /// What it held when it was last read or written.
    pub(crate) saved: Option<Arc<str>>,
    /// What the editor holds, if that is something else.
    pub(crate) draft: Option<Arc<str>>,
    /// Whether the file changed elsewhere while there was a draft, and the user has not chosen yet.
    pub(crate) has_conflict: bool,
    /// Rises whenever the editor's text is to be replaced.
    pub(crate) revision: u64,
    /// Why the file cannot be read or written.
    pub(crate) problem: Option<Arc<str>>,
    /// Why the text that is to make the states does not load.
    pub(crate) failure: Option<Failure>,
    /// Why the draft would not load.
    pub(crate) draft_failure: Option<Failure>,
    /// What makes the states.
    pub(crate) reducer: Option<Arc<dyn Reducer>>,
    /// The script that it was made of.
    pub(crate) script: Option<Arc<Script>>,
    /// The newest script that loads: of the draft, if there is one.
    pub(crate) newest: Option<Newest>,
    /// Changes with `reducer`.
    pub(crate) generation: u64,
    /// What the last change of the reducer was, if it concerned handlers only.
    pub(crate) edit: Option<HandlerEdit>,
    /// The same before it got its generation.
    edited: Option<BTreeSet<Arc<str>>>,
    /// Event types of the category that the newest script does nothing with.
    pub(crate) unhandled: Arc<[Arc<str>]>,
    /// Handlers of the newest script whose event types the category does not have.
    pub(crate) unseen: Arc<[Arc<str>]>,
    /// Whether `saved` was read in this session, and not in the one that left the draft.
    is_read: bool,
    to_run: Option<Arc<str>>,
    to_check: Option<Arc<str>>,
    to_save: Option<Arc<str>>,
}

/// A script that loads, in use or not.
#[derive(Clone)]
pub(crate) struct Newest {
    pub(crate) script: Arc<Script>,
    pub(crate) reducer: Arc<dyn Reducer>,
}

/// A change of some handlers and of nothing else.
pub(crate) struct HandlerEdit {
    /// The generation before.
    pub(crate) from_generation: u64,
    /// The event types whose handlers were changed, added or removed.
    pub(crate) types: BTreeSet<Arc<str>>,
}

impl ReducerFile {
    pub(crate) fn new(file: PathBuf, path: PathBuf) -> Self {
        Self { file, path, ..Self::default() }
    }

    /// A reducer that was just written and has no file yet.
    pub(crate) fn unwritten(file: PathBuf, path: PathBuf, text: Arc<str>) -> Self {
        let mut new =
            Self { is_new: true, revision: 1, draft: Some(Arc::clone(&text)), ..Self::new(file, path) };
        new.to_save = Some(text);
        new
    }

    /// Its name for people: `order.js`.
    pub(crate) fn name(&self) -> String {
        file_name(&self.path)
    }

    /// What the editor holds.
    pub(crate) fn text(&self) -> Arc<str> {
        self.draft.as_ref().or(self.saved.as_ref()).map_or_else(|| "".into(), Arc::clone)
    }

    /// Whether nothing is known of it yet.
    pub(crate) fn is_unread(&self) -> bool {
        self.problem.is_none() && self.failure.is_none()
    }

    /// Why what the editor holds does not load.
    pub(crate) fn editor_failure(&self) -> Option<&Failure> {
        if self.draft.is_some() { self.draft_failure.as_ref() } else { self.failure.as_ref() }
    }

    /// Whether what makes the states is older than what the user sees.
    pub(crate) fn is_older_in_use(&self) -> bool {
        self.reducer.is_some() && (self.failure.is_some() || self.problem.is_some())
    }

    /// The draft of a window that was closed.
    pub(crate) fn restore(&mut self, draft: Draft) {
        self.draft = Some(draft.text);
        self.saved = draft.based_on;
        self.revision += 1;
    }

    pub(crate) fn to_draft(&self) -> Option<Draft> {
        let text = Arc::clone(self.draft.as_ref()?);
        Some(Draft { path: self.path.clone(), text, based_on: self.saved.clone() })
    }

    /// The user typed.
    pub(crate) fn edit(&mut self, revision: u64, text: Arc<str>) {
        if revision != self.revision {
            // It was typed over a text that is not there any more: nothing of either is lost.
            self.has_conflict = true;
        }
        let is_saved = self.saved.as_ref() == Some(&text) && !self.has_conflict;
        self.to_check = Some(Arc::clone(&text));
        self.draft = (!is_saved).then_some(text);
    }

    /// The text in the editor is replaced by another, which is not saved yet.
    pub(crate) fn rewrite(&mut self, text: Arc<str>) {
        self.revision += 1;
        self.edit(self.revision, text);
    }

    /// What the file holds now. Tells whether that is new.
    pub(crate) fn take_text(&mut self, text: Arc<str>) -> bool {
        self.problem = None;
        let is_same_as_known = self.saved.as_ref() == Some(&text);
        if is_same_as_known && self.is_read {
            return false;
        }
        self.is_read = true;
        match &self.draft {
            None => self.revision += 1,
            Some(draft) if *draft == text => self.draft = None,
            Some(_) => self.has_conflict |= !is_same_as_known,
        }
        self.to_run = Some(Arc::clone(&text));
        self.to_check.clone_from(&self.draft);
        self.saved = Some(text);
        true
    }

    /// The file cannot be read.
    pub(crate) fn take_problem(&mut self, why: Arc<str>) {
        self.problem = Some(why);
    }

    pub(crate) fn ask_to_save(&mut self) {
        self.to_save = Some(self.text());
    }

    /// The text is in the file now.
    pub(crate) fn take_saved(&mut self, path: &Path, text: &Arc<str>) {
        self.to_save.take_if(|wanted| wanted == text);
        self.problem = None;
        self.has_conflict = false;
        self.is_new = false;
        self.is_read = true;
        path.clone_into(&mut self.path);
        self.saved = Some(Arc::clone(text));
        self.draft.take_if(|draft| draft == text);
        self.to_run = Some(Arc::clone(text));
    }

    /// The file was changed elsewhere, and was left alone.
    pub(crate) fn take_conflict(&mut self, theirs: Arc<str>) {
        self.to_save = None;
        self.has_conflict = true;
        self.saved = Some(theirs);
    }

    /// The file cannot be written. The text is used all the same.
    pub(crate) fn take_unwritable(&mut self, why: Arc<str>) {
        self.problem = Some(why);
        self.to_run = self.to_save.take();
    }

    pub(crate) fn keep_mine(&mut self) {
        self.has_conflict = false;
    }

    pub(crate) fn take_theirs(&mut self) {
        self.has_conflict = false;
        self.draft = None;
        self.revision += 1;
        self.to_run.clone_from(&self.saved);
        self.to_check = None;
    }

    /// A text that was to be used loads, or does not.
    pub(crate) fn take_run(&mut self, text: &Arc<str>, found: Result<Newest, Failure>) -> bool {
        if self.to_run.as_ref() != Some(text) {
            return false;
        }
        self.to_run = None;
        match found {
            Ok(newest) => {
                self.failure = None;
                self.edited = self.script.as_ref().and_then(|old| edited_types(old, &newest.script));
                self.reducer = Some(Arc::clone(&newest.reducer));
                self.script = Some(Arc::clone(&newest.script));
                self.newest = Some(newest);
                true
            }
            Err(failure) => {
                self.failure = Some(failure);
                false
            }
        }
    }

    /// The reducer is another from now on.
    pub(crate) fn change_generation(&mut self, generation: u64) {
        let from_generation = std::mem::replace(&mut self.generation, generation);
        self.edit = self.edited.take().map(|types| HandlerEdit { from_generation, types });
    }

    /// A draft would load, or would not.
    pub(crate) fn take_check(&mut self, text: &Arc<str>, found: Result<Newest, Failure>) {
        if self.to_check.as_ref() != Some(text) {
            return;
        }
        self.to_check = None;
        self.draft_failure = None;
        match found {
            Ok(newest) => self.newest = Some(newest),
            Err(failure) => self.draft_failure = Some(failure),
        }
    }

    pub(crate) fn watched(&self, category: &Arc<str>) -> Watched {
        Watched {
            category: Arc::clone(category),
            path: self.path.clone(),
            known: self.saved.clone().filter(|_| self.is_read),
            problem: self.problem.clone(),
        }
    }

    /// What is to be loaded: first the text to run, then the draft, whose faults are shown.
    pub(crate) fn loading(&self, category: &Arc<str>) -> Vec<Loading> {
        let name: Arc<str> = self.name().into();
        let of = |text: &Arc<str>, is_check: bool| Loading {
            category: Arc::clone(category),
            name: Arc::clone(&name),
            text: Arc::clone(text),
            is_check,
        };
        let run = self.to_run.as_ref().map(|text| of(text, false));
        let check = self.to_check.as_ref().map(|text| of(text, true));
        run.into_iter().chain(check).collect()
    }

    pub(crate) fn saving(&self, category: &Arc<str>) -> Option<Saving> {
        Some(Saving {
            category: Arc::clone(category),
            path: self.path.clone(),
            text: Arc::clone(self.to_save.as_ref()?),
            known: self.saved.clone(),
            is_new: self.is_new,
        })
    }

    pub(crate) fn is_saving(&self) -> bool {
        self.to_save.is_some()
    }

    pub(crate) fn stop_loading(&mut self) {
        let failure = || Failure::new("loading it was stopped; save it to try again");
        if self.to_run.take().is_some() {
            self.failure = Some(failure());
        }
        if self.to_check.take().is_some() {
            self.draft_failure = Some(failure());
        }
    }

    pub(crate) fn stop_saving(&mut self) {
        self.to_save = None;
    }
}

/// The event types that two texts of a reducer treat otherwise; nothing if that cannot be known,
/// since more than handlers differs.
fn edited_types(old: &Script, new: &Script) -> Option<BTreeSet<Arc<str>>> {
    if old.shared_source() != new.shared_source() || old.options() != new.options() {
        return None;
    }
    let (old, new) = (old.handler_sources(), new.handler_sources());
    let names = old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name));
    let edited: BTreeSet<Arc<str>> = names.cloned().collect();
    // These concern every event, or those of any type.
    let is_special = edited.iter().any(|name| name.starts_with('$'));
    (!is_special).then_some(edited)
}
