//! Writing down what a branch shows: into the clipboard or a new file, never into the store.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    project::new_file::{Existing, NewFileError, write_file},
    replay::{Branch, Pair, Plan, compensation, siblings, test_case},
    session::{
        job::{Job, Slot},
        notice::{Notices, chain},
        opened::Opened,
        what_if::{WhatIfQuestion, job},
    },
    store::{EventStore, StoreResult, index::Index},
    work::Work,
};

/// What is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportKind {
    /// Which events could bring the recorded state to that of the branch.
    Compensation,
    /// The branch as given, when, then.
    Case,
}

impl ExportKind {
    /// What it is called.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Compensation => "Compensating events (suggestions)",
            Self::Case => "Test case (given, when, then)",
        }
    }
}

/// What is to be written down, and of what.
pub struct ExportQuestion {
    kind: ExportKind,
    branch: Branch,
    plan: Arc<Plan>,
    pair: Pair,
    /// The store and its index, and the stream: from others of its category is learnt what happened there.
    of: (Arc<dyn EventStore>, Arc<Index>, u32),
}

impl ExportQuestion {
    pub(super) fn run(self, work: &Work) -> StoreResult<(ExportKind, Arc<str>)> {
        let Self { kind, branch, plan, pair, of: (store, index, stream) } = self;
        let json = match kind {
            ExportKind::Compensation => {
                let others = siblings(&store, &index, stream, pair.truth());
                compensation(&branch, &pair, &others, work)?
            }
            ExportKind::Case => test_case(&branch, &plan, &pair, work)?,
        };
        Ok((kind, json.to_pretty().into()))
    }
}

/// Writes a new file, and never over another.
pub(super) fn save(path: &Path, text: &str) -> Result<(), String> {
    let write = |out: &mut dyn Write| Ok::<_, NewFileError>(out.write_all(text.as_bytes())?);
    write_file(path, Existing::Kept, write).map_err(|err| chain(&err))
}

impl Opened {
    pub(super) fn export(&self, kind: ExportKind) -> Vec<Job> {
        let question = self.export_question(kind);
        question.map(|question| job(Slot::Export, WhatIfQuestion::Export(question))).into_iter().collect()
    }

    fn export_question(&self, kind: ExportKind) -> Option<ExportQuestion> {
        let built = self.what_if.built.as_ref()?;
        // What is learnt from other streams is learnt from all of them.
        let index = match kind {
            ExportKind::Compensation => self.whole_index()?,
            ExportKind::Case => self.index.as_ref()?,
        };
        let of = (Arc::clone(&self.store), Arc::clone(index), built.stream);
        Some(ExportQuestion {
            kind,
            branch: self.what_if.branch()?.clone(),
            plan: Arc::clone(&built.plan),
            pair: built.pair(),
            of,
        })
    }

    pub(super) fn save_export(&self, path: PathBuf, notices: &mut Notices) -> Vec<Job> {
        let Some((_, text)) = &self.what_if.export else { return Vec::new() };
        if path.as_os_str().is_empty() {
            notices.warning("A file needs a name", "", "");
            return Vec::new();
        }
        vec![job(Slot::Export, WhatIfQuestion::Save(path, Arc::clone(text)))]
    }
}
