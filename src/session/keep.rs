//! What the user decided about this store goes into its project file.

use std::path::{Path, PathBuf};

use crate::{
    project::{ProjectError, Sections},
    session::{
        job::{Answer, Job, Question, Slot},
        notice::Notices,
        opened::Opened,
    },
};

/// What is kept of this store, and what the file holds of it.
pub(crate) struct Kept {
    /// As it is to be.
    pub(crate) now: Sections,
    /// As the file held it when it was last read or written.
    in_file: Sections,
    /// Where the file lies; `None` while there is none.
    file: Option<PathBuf>,
    /// The file that the user named, instead of the one beside the store.
    named: Option<PathBuf>,
}

/// A change of the project file.
pub struct KeepQuestion {
    /// The store it is about.
    pub store: PathBuf,
    /// The file that the user named.
    pub named: Option<PathBuf>,
    /// What the file held.
    pub before: Sections,
    /// What it is to hold.
    pub after: Sections,
}

/// A project file that was written.
pub struct Written {
    /// The store it is about; another may be open by now.
    pub store: PathBuf,
    /// Where it lies.
    pub file: PathBuf,
    /// What it holds.
    pub sections: Sections,
}

impl KeepQuestion {
    /// Writes the file.
    pub fn run(self) -> Answer {
        match crate::project::keep(&self.store, self.named.as_deref(), &self.before, &self.after) {
            Ok(file) => Answer::Kept(Box::new(Written { store: self.store, file, sections: self.after })),
            Err(err) => Answer::KeepFailed(err),
        }
    }
}

impl Kept {
    pub(crate) fn new(file: Option<PathBuf>, named: Option<PathBuf>, sections: Sections) -> Self {
        Self { now: sections.clone(), in_file: sections, file, named }
    }

    /// The folder that paths in the project file start from; nothing while there is no file.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.file.as_deref().and_then(Path::parent)
    }

    /// Whether there is a project file. What a user did not ask to keep makes none.
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }
}

impl Opened {
    /// Writes what has changed; nothing to do if nothing has.
    pub(crate) fn keep_job(&self) -> Option<Job> {
        let kept = &self.kept;
        let question = KeepQuestion {
            store: self.path.clone(),
            named: kept.named.clone(),
            before: kept.in_file.clone(),
            after: kept.now.clone(),
        };
        (kept.now != kept.in_file)
            .then(|| Job { slot: Slot::Keep, question: Question::Keep(Box::new(question)) })
    }

    pub(crate) fn take_written(&mut self, written: Written) -> Vec<Job> {
        if written.store == self.path {
            self.kept.file = Some(written.file);
            self.kept.in_file = written.sections;
        }
        Vec::new()
    }

    pub(crate) fn keep_failed(err: &ProjectError, notices: &mut Notices) -> Vec<Job> {
        notices.project_error(err);
        Vec::new()
    }
}
