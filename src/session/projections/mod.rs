//! Projections: what the store and the project file have of them, rebuilds, and read models at the cursor.

use crate::{
    session::{
        job::{Answer, Job},
        notice::Notices,
        opened::Opened,
        view::ProjectionsView,
    },
    store::StoreResult,
    work::Work,
};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectionAction {
    /// Chooses a projection, by its place in the list.
    Choose(usize),
}

/// What a job is to find out.
pub enum ProjectionQuestion {}

/// What a job found out.
pub enum ProjectionAnswer {}

/// The projections of the open store.
#[derive(Default)]
pub(crate) struct Projections {
    chosen: Option<usize>,
}

impl ProjectionQuestion {
    /// Finds the answer. `Err` if the work was withdrawn or the store could not be asked.
    pub fn run(self, _work: &Work) -> StoreResult<Answer> {
        match self {}
    }
}

impl Opened {
    pub(crate) fn apply_projections(&mut self, action: ProjectionAction, _: &mut Notices) -> Vec<Job> {
        match action {
            ProjectionAction::Choose(place) => self.projections.chosen = Some(place),
        }
        Vec::new()
    }

    pub(crate) fn take_projections(&mut self, answer: ProjectionAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {}
    }

    pub(crate) fn projections_view(&self) -> ProjectionsView {
        ProjectionsView { chosen: self.projections.chosen }
    }
}
