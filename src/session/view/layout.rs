//! The layout with its evidence, and the dialog that corrects it.

use std::sync::Arc;

use crate::store::layout::{Role, Source, TableKind};

/// The layout, with its evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InfoView {
    /// The file.
    pub path: String,
    /// The layout's name.
    pub layout: Arc<str>,
    /// The events table.
    pub events_table: Arc<str>,
    /// Which source plays which role, and why.
    pub roles: Vec<RoleRow>,
    /// The global order, and why.
    pub order: String,
    /// Every table.
    pub tables: Vec<TableRow>,
    /// What is uncertain or wrong.
    pub problems: Vec<String>,
    /// Figures: name and value.
    pub figures: Vec<(String, String)>,
}

/// A role and what plays it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRow {
    /// The role.
    pub role: Role,
    /// What plays it; `None` if nothing does.
    pub source: Option<String>,
    /// How it is written.
    pub form: String,
    /// Why we think so.
    pub evidence: String,
    /// Whether another reading is nearly as good.
    pub is_uncertain: bool,
}

/// A table of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    /// Its name.
    pub name: Arc<str>,
    /// What it is for.
    pub kind: TableKind,
    /// How many rows, once counted.
    pub rows: Option<u64>,
    /// Why we think so.
    pub evidence: String,
    /// Its columns: "id INTEGER, name TEXT".
    pub columns: String,
}

/// The mapping dialog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappingView {
    /// Every table that could hold events.
    pub tables: Vec<Arc<str>>,
    /// The chosen one.
    pub table: Arc<str>,
    /// The columns of that table, and the JSON paths found in them.
    pub sources: Vec<Source>,
    /// What plays each role now.
    pub roles: Vec<(Role, Option<Source>)>,
    /// The first rows: column names.
    pub preview_columns: Vec<String>,
    /// The first rows: cells.
    pub preview_rows: Vec<Vec<String>>,
    /// Why it cannot be saved yet, or what is odd.
    pub message: String,
    /// Whether it can be saved.
    pub can_save: bool,
}
