//! Watches: paths and expressions followed over the whole history.

use crate::session::{job::Job, notice::Notices, opened::Opened, view::WatchesView};

/// Watched paths and expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchAction {}

/// What is asked of jobs.
pub enum WatchQuestion {}

/// What they found.
pub enum WatchAnswer {}

/// What is known.
#[derive(Default)]
pub(crate) struct Watches {}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_watches(&mut self, action: WatchAction, _: &mut Notices) -> Vec<Job> {
        match action {}
    }

    /// Takes what a job found.
    pub(crate) fn take_watches(&mut self, answer: WatchAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {}
    }

    pub(crate) fn watches_view(&self) -> WatchesView {
        WatchesView::default()
    }
}
