//! Publishing: unlocking, the dry run, and what was written.

use crate::{
    session::{
        job::{Answer, Job},
        notice::Notices,
        opened::Opened,
        view::PublishView,
    },
    store::StoreResult,
    work::Work,
};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishAction {
    /// Closes the dialog and forgets the dry run.
    Close,
}

/// What a job is to find out or write.
pub enum PublishQuestion {}

/// What a job found out or wrote.
pub enum PublishAnswer {}

/// Publishing into the open store.
#[derive(Default)]
pub(crate) struct Publishing {}

impl PublishQuestion {
    /// Finds the answer. `Err` if the work was withdrawn or the store could not be asked.
    pub fn run(self, _work: &Work) -> StoreResult<Answer> {
        match self {}
    }
}

impl Opened {
    pub(crate) fn apply_publish(&mut self, action: PublishAction, _: &mut Notices) -> Vec<Job> {
        match action {
            PublishAction::Close => Vec::new(),
        }
    }

    pub(crate) fn take_publish(&mut self, answer: PublishAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {}
    }

    pub(crate) fn publish_view(&self) -> Option<PublishView> {
        None
    }
}
