//! Stored snapshots held against the events, and what they save.

use crate::{
    session::{
        job::{Answer, Job},
        notice::Notices,
        opened::Opened,
        view::VerifyView,
    },
    store::StoreResult,
    work::Work,
};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyAction {
    /// Compares every listed snapshot with what the events make.
    Listed,
}

/// What a job is to find out.
pub enum VerifyQuestion {}

/// What a job found out.
pub enum VerifyAnswer {}

/// What was verified of the open store's snapshots.
#[derive(Default)]
pub(crate) struct Verified {}

impl VerifyQuestion {
    /// Finds the answer. `Err` if the work was withdrawn or the store could not be asked.
    pub fn run(self, _work: &Work) -> StoreResult<Answer> {
        match self {}
    }
}

impl Opened {
    pub(crate) fn apply_verify(&mut self, action: VerifyAction, _: &mut Notices) -> Vec<Job> {
        match action {
            VerifyAction::Listed => Vec::new(),
        }
    }

    pub(crate) fn take_verify(&mut self, answer: VerifyAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {}
    }

    pub(crate) fn verify_view(&self) -> VerifyView {
        VerifyView {}
    }
}
