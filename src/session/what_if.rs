//! What-if: branches of a history, beside the truth.

use crate::session::{job::Job, notice::Notices, opened::Opened, view::WhatIfView};

/// Branches of a history.
#[derive(Debug, Clone, PartialEq)]
pub enum WhatIfAction {}

/// What is asked of jobs.
pub enum WhatIfQuestion {}

/// What they found.
pub enum WhatIfAnswer {}

/// What is known.
#[derive(Default)]
pub(crate) struct WhatIf {}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_what_if(&mut self, action: WhatIfAction, _: &mut Notices) -> Vec<Job> {
        match action {}
    }

    /// Takes what a job found.
    pub(crate) fn take_what_if(&mut self, answer: WhatIfAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {}
    }

    pub(crate) fn what_if_view(&self) -> WhatIfView {
        WhatIfView::default()
    }
}
