//! Blame: which events wrote a value.

use crate::session::{job::Job, notice::Notices, opened::Opened, view::BlameView};

/// Asking why a value is as it is.
#[derive(Debug, Clone, PartialEq)]
pub enum BlameAction {}

/// What is asked of jobs.
pub enum BlameQuestion {}

/// What they found.
pub enum BlameAnswer {}

/// What is known.
#[derive(Default)]
pub(crate) struct Blame {}

impl Blame {
    /// Which counts the timeline marks.
    pub(crate) fn ticks(&self) -> Vec<usize> {
        Vec::new()
    }
}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_blame(&mut self, action: BlameAction, _: &mut Notices) -> Vec<Job> {
        match action {}
    }

    /// Takes what a job found.
    pub(crate) fn take_blame(&mut self, answer: BlameAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {}
    }

    pub(crate) fn blame_view(&self) -> BlameView {
        BlameView::default()
    }
}
