//! Where stored read models no longer agree with the events.

use crate::{
    session::{
        job::{Answer, Job},
        notice::Notices,
        opened::Opened,
        view::DriftView,
    },
    store::StoreResult,
    work::Work,
};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriftAction {
    /// Compares the chosen projection's table with what the events make.
    Compare,
}

/// What a job is to find out.
pub enum DriftQuestion {}

/// What a job found out.
pub enum DriftAnswer {}

/// The comparisons of the open store.
#[derive(Default)]
pub(crate) struct Drifts {}

impl DriftQuestion {
    /// Finds the answer. `Err` if the work was withdrawn or the store could not be asked.
    pub fn run(self, _work: &Work) -> StoreResult<Answer> {
        match self {}
    }
}

impl Opened {
    pub(crate) fn apply_drift(&mut self, action: DriftAction, _: &mut Notices) -> Vec<Job> {
        match action {
            DriftAction::Compare => Vec::new(),
        }
    }

    pub(crate) fn take_drift(&mut self, answer: DriftAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {}
    }

    pub(crate) fn drift_view(&self) -> DriftView {
        DriftView {}
    }
}
