//! Texts of definitions that are not in their files yet. They outlive the window and a reload.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::session::{
    job::Job,
    opened::Opened,
    workspace::{Draft, Workspace},
};

/// What was typed into definitions and not saved, of other stores as well.
#[derive(Default)]
pub(super) struct Drafts {
    by_path: BTreeMap<PathBuf, Draft>,
    /// Rises whenever the editor's text is to be replaced.
    revision: u64,
    /// What is being written; more may be typed meanwhile.
    saving: Option<(PathBuf, Arc<str>)>,
}

impl Drafts {
    pub(super) fn new(kept: &[Draft]) -> Self {
        let by_path = kept.iter().map(|draft| (draft.path.clone(), draft.clone())).collect();
        Self { by_path, revision: 1, saving: None }
    }

    pub(super) fn of(&self, path: &Path) -> Option<&Draft> {
        self.by_path.get(path)
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// A file holds this now: what was saved is no draft any more.
    pub(super) fn take_text(&mut self, path: &Path, text: &Arc<str>) {
        match self.by_path.get(path) {
            Some(draft) if draft.text == *text => drop(self.by_path.remove(path)),
            Some(_) => (),
            None => self.revision += 1,
        }
    }

    pub(super) fn start_saving(&mut self, path: &Path, text: &Arc<str>) {
        self.saving = Some((path.to_owned(), Arc::clone(text)));
    }

    /// The file holds what was to be written, or it could not be written.
    pub(super) fn end_saving(&mut self, is_saved: bool) {
        if let Some((path, text)) = self.saving.take()
            && let Some(draft) = self.by_path.get_mut(&path)
            && is_saved
        {
            draft.based_on = Some(text);
        }
    }

    fn edit(&mut self, (path, file): (&Path, &Arc<str>), revision: u64, text: Arc<str>) {
        let old = self.by_path.remove(path);
        if text == *file {
            return;
        }
        let based_on = match old {
            Some(old) => old.based_on,
            // It was typed over a text that is not there any more: nothing of either is lost.
            None => (revision == self.revision).then(|| Arc::clone(file)),
        };
        self.by_path.insert(path.to_owned(), Draft { path: path.to_owned(), text, based_on });
    }
}

impl Opened {
    pub(super) fn edit_definition(&mut self, name: &str, revision: u64, text: Arc<str>) -> Vec<Job> {
        if let Some((path, file)) = self.text_of(name) {
            self.projections.drafts.edit((&path, &file), revision, text);
        }
        Vec::new()
    }

    pub(super) fn revert_definition(&mut self, name: &str) -> Vec<Job> {
        if let Some((path, _)) = self.text_of(name) {
            self.projections.drafts.by_path.remove(&path);
            self.projections.drafts.revision += 1;
        }
        Vec::new()
    }

    pub(super) fn keep_definition(&mut self, name: &str) -> Vec<Job> {
        if let Some((path, file)) = self.text_of(name)
            && let Some(draft) = self.projections.drafts.by_path.get_mut(&path)
        {
            draft.based_on = Some(file);
        }
        Vec::new()
    }

    /// Copies what is not saved into the workspace, so that it outlives the window.
    pub(crate) fn remember_definitions(&self, workspace: &mut Workspace) {
        workspace.definition_drafts = self.projections.drafts.by_path.values().cloned().collect();
    }

    /// The file that a projection comes from, and what it holds.
    fn text_of(&self, name: &str) -> Option<(PathBuf, Arc<str>)> {
        let listed = self.projections.list.iter().find(|listed| *listed.name == *name)?;
        let file = self.file_of(listed)?;
        Some((file.path.clone(), Arc::clone(file.text.as_ref()?)))
    }
}
