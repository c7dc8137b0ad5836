//! Two histories side by side.

use std::sync::Arc;

use crate::{
    model::{Change, Json},
    session::compare::CompareAlign,
};

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompareView {
    /// Left and right.
    pub sides: [Option<CompareSideView>; 2],
    /// Which points stand side by side.
    pub align: CompareAlign,
    /// Whether that can be chosen: a branch is aligned with its truth by its edits.
    pub can_align: bool,
    /// Whether the two are being compared.
    pub is_comparing: bool,
    /// What was found, in words.
    pub summary: String,
    /// At which step both stand.
    pub step: usize,
    /// How many there are; `None` while nothing is compared.
    pub steps: Option<usize>,
    /// What differs there.
    pub changes: Option<Arc<Vec<Change>>>,
    /// Whether they differ anywhere.
    pub has_parted: bool,
    /// Whether other places differ before this step, and after it.
    pub turns: (bool, bool),
    /// Whether there is a history to take.
    pub has_stream: bool,
    /// Whether there is a branch of it.
    pub has_branch: bool,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompareSideView {
    /// What it is: "order-17", or "order-17, what-if: without the payment".
    pub title: String,
    /// What makes its states.
    pub reducer: Arc<str>,
    /// Where it stands: "v3 of 12".
    pub place: String,
    /// The last event that lies behind.
    pub event: String,
    /// Its state there.
    pub state: Option<Json>,
}
