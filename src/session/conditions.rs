//! Conditions: running forward and backward to where something holds.

use crate::session::{job::Job, notice::Notices, opened::Opened, view::ConditionsView};

/// Running to the next or previous hit of a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum ConditionAction {}

/// What is asked of jobs.
pub enum ConditionQuestion {}

/// What they found.
pub enum ConditionAnswer {}

/// What is known.
#[derive(Default)]
pub(crate) struct Conditions {}

impl Conditions {
    /// Which counts the timeline marks.
    pub(crate) fn ticks(&self) -> Vec<usize> {
        Vec::new()
    }
}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_conditions(&mut self, action: ConditionAction, _: &mut Notices) -> Vec<Job> {
        match action {}
    }

    /// Takes what a job found.
    pub(crate) fn take_conditions(&mut self, answer: ConditionAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {}
    }

    pub(crate) fn conditions_view(&self) -> ConditionsView {
        ConditionsView::default()
    }
}
