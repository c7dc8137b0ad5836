//! Stored snapshots held against what the events make.

use std::sync::Arc;

use crate::model::Change;

/// What can be said of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The events make the same state.
    Agrees,
    /// They make another.
    Differs,
    /// It cannot be read.
    Unreadable,
    /// There is no stream that it could be a state of.
    Orphan,
    /// Its version lies behind the last event of its stream.
    Ahead,
    /// It was not compared.
    NotChecked,
}

/// A verdict, and what differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, where the verdict alone does not say: "Python pickle: a program, never run".
    pub reason: Option<Arc<str>>,
    /// From what the events make to what is stored.
    pub changes: Vec<Change>,
}
