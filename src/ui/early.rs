//! What is done before there is a window: the store is opened while the system still makes one.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use crate::{
    jobs::{Jobs, Wake},
    session::job::{Answer, Question, Slot},
    ui::Start,
};

/// Questions that may be worked on at once: folding, watches, hits, a search, two comparisons and blame
/// may all take long, and there is to be room for what a drag asks meanwhile.
const WORKERS: usize = 10;

/// Worker threads, and what they were asked already.
pub(super) struct Early {
    pub(super) start: Start,
    pub(super) jobs: Jobs<Slot, Answer>,
    pub(super) wake: Wake,
    pub(super) asked: Option<Asked>,
    window: Arc<OnceLock<egui::Context>>,
}

/// A store that is being opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    path: PathBuf,
    project: Option<PathBuf>,
}

impl Early {
    /// Starts the workers, and has them open the store that the window is to show.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread.
    pub(super) fn begin(start: Start) -> std::io::Result<Self> {
        let window: Arc<OnceLock<egui::Context>> = Arc::default();
        let woken = Arc::clone(&window);
        // Before there is a window nobody sleeps.
        let wake: Wake = Arc::new(move || {
            if let Some(window) = woken.get() {
                window.request_repaint();
            }
        });
        let mut jobs = Jobs::new(WORKERS, &wake)?;
        let asked = start.store.clone().map(|path| Asked { path, project: start.project.clone() });
        if let Some(Asked { path, project }) = &asked {
            let question = Question::Open { path: path.clone(), project: project.clone() };
            jobs.start(Slot::Open, move |work| question.run(work));
        }
        Ok(Self { start, jobs, wake, asked, window })
    }

    /// From now on answers wake this window.
    pub(super) fn wakes(&self, window: &egui::Context) {
        self.window.get_or_init(|| window.clone());
    }
}

impl Asked {
    /// Whether this is what was asked.
    pub(super) fn is(&self, question: &Question) -> bool {
        matches!(question, Question::Open { path, project } if *path == self.path && *project == self.project)
    }
}
