//! Branches under a reducer of their own.

use std::{path::Path, sync::Arc};

use crate::{
    model::Failure,
    project::read_script,
    replay::{BranchReducer, Reducer, Scripted},
    script::{Options, Script},
    session::{
        job::{Job, Slot},
        opened::Opened,
        scripts::options,
        what_if::{WhatIf, WhatIfQuestion, job},
    },
    work::Work,
};

/// Reads a reducer.
pub(super) fn load(
    name: &Arc<str>,
    path: &Path,
    options: &Options,
    work: &Work,
) -> Result<Arc<dyn Reducer>, Failure> {
    let failure = |message: String| Failure { file: Some(Arc::clone(name)), ..Failure::new(message) };
    let text = read_script(path).map_err(|err| failure(err.to_string()))?;
    let script = Script::load_reducer(name, &text, options, work);
    Ok(Arc::new(Scripted::new(script.map_err(|err| err.failure)?)))
}

impl WhatIf {
    /// The reducer in a file that a branch names.
    pub(super) fn file_reducer(&self, name: &str) -> Result<Arc<dyn Reducer>, Failure> {
        match self.reducers.get(name) {
            Some(found) => found.clone(),
            None => Err(Failure::new(format!("{name} is being read"))),
        }
    }
}

impl Opened {
    /// Another reducer makes the states of the branch. The same file again is read again.
    pub(super) fn use_branch_reducer(&mut self, reducer: BranchReducer) -> Vec<Job> {
        let mut is_file = false;
        if let BranchReducer::File(name) = &reducer {
            self.what_if.reducers.remove(name);
            is_file = true;
        }
        self.change_branch(None, |branch| {
            let is_other = branch.reducer != reducer;
            branch.reducer = reducer;
            is_other || is_file
        })
    }

    /// Asks for the reducer of the chosen branch, if it is in a file that was not read yet.
    pub(super) fn branch_reducer_job(&self) -> Option<Job> {
        let BranchReducer::File(name) = &self.what_if.branch()?.reducer else { return None };
        if self.what_if.reducers.contains_key(name) {
            return None;
        }
        let beside = || self.path.parent().unwrap_or_else(|| Path::new(""));
        let path = self.kept.folder().unwrap_or_else(beside).join(&**name);
        let options = options(&self.kept.now.scripts);
        Some(job(Slot::BranchReducer, WhatIfQuestion::Reducer(Arc::clone(name), path, Box::new(options))))
    }
}
