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
    /// Whether a job writes the file. Another one beside it would start from a text that is not there any more.
    is_writing: bool,
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
        Self { now: sections.clone(), in_file: sections, file, named, is_writing: false }
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
    /// Writes what has changed; nothing to do if nothing has. What changes while the file is being
    /// written is written after that.
    pub(crate) fn keep_job(&mut self) -> Option<Job> {
        if self.kept.is_writing {
            return None;
        }
        let job = self.last_keep_job();
        self.kept.is_writing = job.is_some();
        job
    }

    /// The same for a store that is left: nobody takes the answer any more.
    pub(crate) fn last_keep_job(&self) -> Option<Job> {
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
        if written.store != self.path {
            return Vec::new();
        }
        self.kept.is_writing = false;
        self.kept.file = Some(written.file);
        self.kept.in_file = written.sections;
        self.keep_job().into_iter().collect()
    }

    pub(crate) fn keep_failed(&mut self, err: &ProjectError, notices: &mut Notices) -> Vec<Job> {
        notices.project_error(err);
        self.stop_keeping();
        Vec::new()
    }

    /// The file was not written: the next change tries again.
    pub(crate) fn stop_keeping(&mut self) {
        self.kept.is_writing = false;
    }
}
