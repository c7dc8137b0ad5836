//! Reducers in JavaScript: which make the state, their source, what is wrong with it.

use crate::session::{job::Job, notice::Notices, opened::Opened, view::ScriptsView};

/// Reducers: choosing, editing, scaffolding.
#[derive(Debug, Clone, PartialEq)]
pub enum ScriptAction {}

/// What is asked of jobs.
pub enum ScriptQuestion {}

/// What they found.
pub enum ScriptAnswer {}

/// What is known.
#[derive(Default)]
pub(crate) struct Scripts {}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_scripts(&mut self, action: ScriptAction, _: &mut Notices) -> Vec<Job> {
        match action {}
    }

    /// Takes what a job found.
    pub(crate) fn take_scripts(&mut self, answer: ScriptAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {}
    }

    pub(crate) fn scripts_view(&self) -> ScriptsView {
        ScriptsView::default()
    }
}
