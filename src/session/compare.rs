//! Two points or two streams side by side.

use crate::session::{job::Job, notice::Notices, opened::Opened, view::CompareView};

/// Two histories side by side.
#[derive(Debug, Clone, PartialEq)]
pub enum CompareAction {}

/// What is asked of jobs.
pub enum CompareQuestion {}

/// What they found.
pub enum CompareAnswer {}

/// What is known.
#[derive(Default)]
pub(crate) struct Compare {}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_compare(&mut self, action: CompareAction, _: &mut Notices) -> Vec<Job> {
        match action {}
    }

    /// Takes what a job found.
    pub(crate) fn take_compare(&mut self, answer: CompareAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {}
    }

    pub(crate) fn compare_view(&self) -> CompareView {
        CompareView::default()
    }
}
