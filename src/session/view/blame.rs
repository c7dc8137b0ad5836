//! Blame: which events wrote a value.

use std::sync::Arc;

use crate::model::{Json, Pointer};

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlameView {
    /// The path that is asked about; `None` while there is none.
    pub path: Option<Pointer>,
    /// Whose state it is a path of.
    pub stream: Arc<str>,
    /// What the path holds at the cursor; `None` if it does not exist there.
    pub value: Option<Json>,
    /// The last write at or before the cursor.
    pub last: Option<LastWrite>,
    /// How many events wrote the path, in the whole history.
    pub total: usize,
    /// The writes that are loaded, the newest first.
    pub rows: Arc<Vec<WriteRow>>,
    /// The place of the first of them among all.
    pub rows_from: usize,
    /// The place of the last write at or before the cursor, the newest write being 0.
    pub current: Option<usize>,
    /// Whether an answer is on its way.
    pub is_busy: bool,
    /// Whether the history is still being folded, so that there may be more.
    pub is_partial: bool,
    /// Why there is nothing to show, and what to do.
    pub empty: String,
    /// How long copying all writes takes; nothing if that is soon done.
    pub copy_estimate: Option<Arc<str>>,
    /// The text to copy, with a number that rises with each.
    pub copied: Option<(u64, Arc<str>)>,
}

/// The write that a value at the cursor comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWrite {
    /// The write.
    pub row: WriteRow,
    /// Where its event took the value from, in words; empty until it is found out.
    pub origin: String,
}

/// One write of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteRow {
    /// How many events of the history lie behind, this one included.
    pub count: usize,
    /// The event's version: "v17".
    pub version: String,
    /// When it was recorded.
    pub time: String,
    /// The event's type.
    pub event_type: Arc<str>,
    /// Who did it, if the store says so.
    pub actor: Option<Arc<str>>,
    /// What the path held before; `None` if it did not exist.
    pub old: Option<Json>,
    /// What it holds after; `None` if it does not exist any more.
    pub new: Option<Json>,
}
