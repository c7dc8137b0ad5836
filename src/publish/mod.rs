//! The only door back: row edits of one table of the user's database, in one transaction, after a backup.
//!
//! Nothing here knows what the rows mean. A read model's drift and a new snapshot both come as [`Edits`].
//! Events are never written: the connection that writes refuses every change of the events table.

use std::sync::Arc;

use crate::model::Stored;

/// What is to change in a database.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Edits {
    /// What they are for, as a user calls it: `order_summaries`.
    pub subject: Arc<str>,
    /// The changes, table by table; the checkpoint's table last.
    pub tables: Vec<TableEdits>,
}

/// What is to change in one table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableEdits {
    /// The table.
    pub table: Arc<str>,
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

/// A row that must be there as described, once; otherwise nothing is written at all.
#[derive(Debug, Clone, PartialEq)]
pub struct RowPlace {
    /// Columns and their values now: the key, and whatever is to change.
    pub is: Vec<(Arc<str>, Stored)>,
}
