//! The only door back: row edits of one table of the user's database, in one transaction, after a backup.
//!
//! Nothing here knows what the rows mean. A read model's drift and a new snapshot both come as [`Edits`].
//! Events are never written: the connection that writes refuses every change of a table that is not named
//! in the edits, and edits that name the events are refused before that.
//!
//! [`dry_run`] says what would be written, [`Unlock`] is the user's word that it may be, [`publish`] writes.

mod apply;
mod backup;
mod door;
mod dry_run;
mod error;
mod guard;
mod locate;
mod step;
mod target;
mod unlock;

use std::sync::Arc;

use crate::model::Stored;

pub use backup::BackupPlace;
pub use door::{Publication, Published, publish};
pub use dry_run::{DryRun, Expected, LockTime, TableDryRun, dry_run};
pub use error::PublishError;
pub use step::{Step, keep_going};
pub use unlock::Unlock;

/// What is to change in a database.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Edits {
    /// What they are for, as a user calls it: `order_summaries`.
    pub subject: Arc<str>,
    /// The changes, table by table; the checkpoint's table last.
    pub tables: Vec<TableEdits>,
    /// What becomes of the checkpoint, to be shown; the change itself is among the tables.
    pub checkpoint: Option<CheckpointEdit>,
    /// What will not be as the owner's own projection would leave it; sentences to be shown before anything is
    /// written.
    pub notes: Vec<Arc<str>>,
}

/// A checkpoint before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckpointEdit {
    /// The table it stands in.
    pub table: Arc<str>,
    /// The column with the last position that was handled.
    pub column: Arc<str>,
    /// What it says now.
    pub from: Stored,
    /// What it will say.
    pub to: Stored,
}

/// What is to change in one table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableEdits {
    /// The table.
    pub table: Arc<str>,
    /// How many rows the table has before, where that is known.
    pub stored: Option<u64>,
    /// Rows to insert: column and value. Columns that are not named take their defaults.
    pub inserts: Vec<Vec<(Arc<str>, Stored)>>,
    /// Rows to update: which, and the new values.
    pub updates: Vec<RowEdit>,
    /// Rows to delete.
    pub deletes: Vec<RowPlace>,
}

/// A row to update.
#[derive(Debug, Clone, PartialEq)]
pub struct RowEdit {
    /// Which row.
    pub place: RowPlace,
    /// The new values.
    pub values: Vec<(Arc<str>, Stored)>,
}

/// A row that must be there as described; otherwise nothing is written at all.
#[derive(Debug, Clone, PartialEq)]
pub struct RowPlace {
    /// Columns and their values now: the key, and whatever is to change.
    pub is: Vec<(Arc<str>, Stored)>,
    /// How many rows look so, of which this names one: 1 wherever rows have a key. Several places may
    /// describe the same rows, and each then names another of them.
    pub alike: u64,
}

impl Edits {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// How many rows are inserted, updated or deleted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(TableEdits::rows).sum()
    }
}

impl TableEdits {
    /// How many rows are inserted, updated or deleted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        (self.inserts.len() + self.updates.len() + self.deletes.len()) as u64
    }
}

impl RowPlace {
    /// The one row with these values.
    #[must_use]
    pub fn one(is: Vec<(Arc<str>, Stored)>) -> Self {
        Self { is, alike: 1 }
    }
}
