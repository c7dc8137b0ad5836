//! Stored snapshots held against the events.

use std::sync::Arc;

use crate::{
    replay::Sketch,
    snapshot::{Check, CostLine, Parting, Verdict},
};

/// What the snapshots panel shows beside the list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VerifyView {
    /// What is said of each listed snapshot; `None` for one that was not compared yet.
    pub verdicts: Arc<Vec<Option<Verdict>>>,
    /// The rows that pass the filter; `None` for all.
    pub shown: Option<Arc<Vec<usize>>>,
    /// The verdict that is filtered for.
    pub filter: Option<Verdict>,
    /// How many of the listed ones have which verdict; those that nobody has are left out.
    pub counts: Arc<Vec<(Verdict, usize)>>,
    /// The categories without a reducer, if any snapshot differs: theirs were compared with a merge.
    pub merged: Arc<[Arc<str>]>,
    /// While snapshots are compared: how many are done, and of how many if that is known.
    pub progress: Option<(usize, Option<usize>)>,
    /// What is said of the chosen snapshot.
    pub chosen: Option<ChosenCheck>,
    /// What loading costs, if the user asked.
    pub cost: Option<Arc<CostView>>,
    /// Whether that is being counted.
    pub is_counting: bool,
    /// How many events of the chosen stream lie behind the cursor.
    pub here: usize,
    /// Whether a snapshot can be made at the cursor.
    pub can_create: bool,
    /// How long verifying the listed snapshots takes; nothing if it is soon done.
    pub estimate: Option<Arc<str>>,
    /// How long counting the cost of loading takes; nothing if it is soon done.
    pub cost_estimate: Option<Arc<str>>,
}

/// What is said of the chosen snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenCheck {
    /// The verdict, and what differs.
    pub check: Arc<Check>,
    /// Where it parts from the replay, once that is known.
    pub parting: Option<Arc<Parting>>,
    /// Whether that is being looked for.
    pub is_looking: bool,
}

/// What loading costs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CostView {
    /// The categories, or the whole store alone.
    pub lines: Vec<CostLine>,
    /// The streams that take the most events: name, events to replay, events in all, number.
    pub longest: Vec<(Arc<str>, usize, usize, u32)>,
    /// The chosen stream's events since its last snapshot, along its history.
    pub along: Option<(Arc<str>, Arc<Sketch>)>,
}
