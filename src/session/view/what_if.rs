//! What-if: branches of a history, beside the truth.

use std::sync::Arc;

use crate::{
    model::{Change, Failure},
    replay::BranchReducer,
    session::what_if::{DraftTexts, ExportKind},
};

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WhatIfView {
    /// The stream that is shown; empty while none is chosen.
    pub stream: Arc<str>,
    /// All branches.
    pub branches: Arc<[BranchRow]>,
    /// The chosen one, by its place.
    pub chosen: Option<usize>,
    /// Whether the window stands on it.
    pub is_standing: bool,
    /// The edits of the chosen one.
    pub edits: Arc<[EditRow]>,
    /// What makes its states.
    pub reducer: BranchReducer,
    /// Why its own reducer cannot be used.
    pub reducer_trouble: Option<Failure>,
    /// What came of it; `None` while its stream is not shown.
    pub outcome: Option<OutcomeView>,
    /// What is being written.
    pub draft: Option<Arc<DraftView>>,
    /// What was written down, to be copied or saved.
    pub export: Option<(ExportKind, Arc<str>)>,
    /// Whether a change can be taken back.
    pub can_undo: bool,
    /// Whether it can be done again.
    pub can_redo: bool,
    /// How long comparing it with the truth takes after a change; nothing if that is soon done.
    pub estimate: Option<Arc<str>>,
    /// How long writing it down as a test case takes; nothing if that is soon done.
    pub case_estimate: Option<Arc<str>>,
}

/// A branch in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchRow {
    /// What it is called.
    pub name: Arc<str>,
    /// The stream that it departs from.
    pub stream: Arc<str>,
    /// How many edits it has.
    pub edits: usize,
    /// Whether it is of the stream that is shown.
    pub is_here: bool,
    /// Why it cannot be shown.
    pub trouble: Option<String>,
}

/// An edit in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditRow {
    /// What it does: `leave out OrderPaid v3`.
    pub words: String,
    /// Whether it counts.
    pub is_on: bool,
    /// Why it is not applied.
    pub misfit: Option<String>,
    /// Whether there is anything to say otherwise.
    pub can_revise: bool,
}

/// What came of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutcomeView {
    /// Where it parts from the truth, in words.
    pub parting: String,
    /// Whether the user stopped the comparison.
    pub is_stopped: bool,
    /// Whether it does.
    pub has_parted: bool,
    /// Steps that failed, in the truth and in the branch.
    pub failed: [usize; 2],
    /// Where the truth and the branch stand at the cursor.
    pub places: (String, String),
    /// What differs there, truth to branch; `None` until it is known.
    pub at_cursor: Option<Arc<Vec<Change>>>,
    /// What differs at the end.
    pub at_end: Option<Arc<Vec<Change>>>,
}

/// What is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftView {
    /// Another number is another draft: its fields are filled anew.
    pub number: u64,
    /// What it is for.
    pub title: String,
    /// Whether a place is asked for, and not an event.
    pub is_move: bool,
    /// What the fields start with.
    pub texts: DraftTexts,
    /// What is wrong with what was entered.
    pub trouble: Option<String>,
}
