//! How far a projection of the store's owner came, as the store says.

use std::sync::Arc;

use crate::model::{Stored, Timestamp};

/// One row of a table of checkpoints.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checkpoint {
    /// The table it stands in.
    pub table: Arc<str>,
    /// The projection's name; empty where the table has no column for it.
    pub projection: Arc<str>,
    /// What was handled last: a global position, or an event's id. Where the table marks every handled event,
    /// the highest mark.
    pub position: Stored,
    /// The owner's word for how it is: "running", "failed".
    pub status: Option<Arc<str>>,
    /// What went wrong, in the owner's words.
    pub error: Option<Arc<str>>,
    /// When it was written.
    pub time: Option<Timestamp>,
    /// How many events are marked as handled, where the table has one row for each of them.
    pub marks: Option<u64>,
}

/// A table of any kind as SQLite declares it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableShape {
    /// Its name as it is spelled there.
    pub table: Arc<str>,
    /// Its columns in order.
    pub columns: Vec<ColumnShape>,
    /// The statement that made it, as the database keeps it.
    pub sql: Arc<str>,
    /// What it is to SQLite.
    pub form: TableForm,
    /// The names of the triggers on it.
    pub triggers: Vec<Arc<str>>,
}

/// What a table is to SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableForm {
    /// A table that holds its own rows.
    #[default]
    Table,
    /// A view of other tables.
    View,
    /// A table that a module makes up, such as a full-text index.
    Virtual,
    /// Where such a module keeps its rows.
    Shadow,
}

/// A column as SQLite declares it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnShape {
    /// Its name.
    pub name: Arc<str>,
    /// Its declared type; empty without one.
    pub declared: Arc<str>,
    /// The text of its default, if it has one: `CURRENT_TIMESTAMP`, `'active'`.
    pub default: Option<Arc<str>>,
    /// Its place in the primary key, from 1; 0 outside.
    pub key: usize,
    /// Whether it refuses NULL.
    pub is_not_null: bool,
    /// Whether its values are computed from other columns.
    pub is_generated: bool,
}
