//! Opening a store through its project file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    store::{
        EventStore, Head, StoreError,
        layout::{Candidate, Role, Source, TableNote},
    },
    work::Work,
};

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file itself.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The project file.
    #[error(transparent)]
    Project(#[from] super::ProjectError),
    /// The chosen layout cannot be read.
    #[error("{0}")]
    Mapping(String),
}

/// What opening a file gave.
pub enum Opening {
    /// A store with events.
    Store(OpenedStore),
    /// A database without an events table.
    NoEvents {
        /// The file.
        path: PathBuf,
        /// What came nearest.
        nearest: Option<Candidate>,
        /// Every table.
        tables: Vec<TableNote>,
    },
}

/// A store that was opened.
pub struct OpenedStore {
    /// The file.
    pub path: PathBuf,
    /// The store.
    pub store: Arc<dyn EventStore>,
    /// Its head when it was opened.
    pub head: Head,
    /// Whether another reading of the layout is nearly as good, and the user has not chosen.
    pub is_uncertain: bool,
    /// What the project file says that we do not understand.
    pub warnings: Vec<String>,
    /// The project file that was just written.
    pub saved_to: Option<PathBuf>,
}

/// What the mapping dialog shows of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preview {
    /// Every table that could hold events.
    pub tables: Vec<Arc<str>>,
    /// The table.
    pub table: Arc<str>,
    /// Its columns, and the JSON paths found in them.
    pub sources: Vec<Source>,
    /// What we think plays each role.
    pub roles: Vec<(Role, Option<Source>)>,
    /// Column names of the first rows.
    pub columns: Vec<String>,
    /// Cells of the first rows.
    pub rows: Vec<Vec<String>>,
    /// What is odd.
    pub message: String,
}
/// x
pub fn open(_: &Path, _: Option<&Path>, _: &Work) -> Result<Opening, OpenError> {
    Err(OpenError::Mapping(String::new()))
}
/// x
pub fn preview(_: &Path, _: Option<&str>, _: &Work) -> Result<Preview, OpenError> {
    Err(OpenError::Mapping(String::new()))
}
/// x
pub fn save_mapping(_: &Path, _: &str, _: &[(Role, Option<Source>)], _: &Work) -> Result<Opening, OpenError> {
    Err(OpenError::Mapping(String::new()))
}
