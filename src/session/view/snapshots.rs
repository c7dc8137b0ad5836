//! The table of stored snapshots.

use std::sync::Arc;

use crate::{
    model::StoredSnapshot,
    snapshot::{Check, SnapshotKey},
    store::snapshots::SnapshotPlace,
};

/// The stored snapshots.
#[derive(Debug, Clone, Default)]
pub struct SnapshotsView {
    /// The rows.
    pub rows: Arc<Vec<SnapshotRow>>,
    /// Whether only the chosen stream's are listed.
    pub is_of_stream: bool,
    /// Whether they are still being read.
    pub is_reading: bool,
    /// Whether reading them was stopped, or failed.
    pub is_broken_off: bool,
    /// The chosen row.
    pub chosen: Option<usize>,
    /// The chosen snapshot.
    pub detail: Option<Arc<StoredSnapshot>>,
    /// Whether the chosen snapshot is not in the store any more.
    pub is_gone: bool,
    /// Why the rows are not all there are, if they are not.
    pub trouble: Option<Arc<str>>,
    /// Whether a stream is chosen.
    pub has_stream: bool,
    /// Whether the store has a table for them at all.
    pub has_table: bool,
}

/// A row of the table of snapshots.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotRow {
    /// The stream's name; empty if unknown.
    pub stream: Arc<str>,
    /// Where the id begins in it, in bytes.
    pub id_at: usize,
    /// The stream, if the index knows it.
    pub stream_number: Option<u32>,
    /// Its version.
    pub version: String,
    /// When it was stored.
    pub time: String,
    /// What tells it from others of the same stream.
    pub label: Arc<str>,
    /// Its size in bytes, as text.
    pub size: String,
    /// How it is written.
    pub encoding: String,
    /// The state on one line, or why it cannot be shown.
    pub preview: String,
    /// Whether it cannot be shown.
    pub is_problem: bool,
    /// What tells it from all others.
    pub key: SnapshotKey,
    /// Where it stood when it was listed.
    pub place: SnapshotPlace,
    /// What can be said of it without a comparison, if it cannot be compared.
    pub look: Option<Arc<Check>>,
}
