//! Why nothing was written.

use std::{path::PathBuf, sync::Arc};

use crate::{store::StoreError, work::Cancelled};

/// Why a publication did not happen. Whichever it is, the database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// It was stopped before the end of the transaction.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store is not unlocked for writing.
    #[error("{} is not unlocked for writing", path.display())]
    Locked {
        /// Which.
        path: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("{} cannot be written: {reason}", path.display())]
    ReadOnly {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another program holds the database.
    #[error("another program is using {} while {doing}", path.display())]
    Busy {
        /// Which.
        path: PathBuf,
        /// What we wanted.
        doing: &'static str,
    },
    /// Events came, went, or the tables are others since the rebuild.
    #[error("the store has moved since the dry run: {what}")]
    Moved {
        /// What is new: "3 more events".
        what: String,
    },
    /// A table or column cannot be written; in words.
    #[error("table \"{table}\" is not written: {reason}")]
    Target {
        /// The table.
        table: Arc<str>,
        /// Why not.
        reason: String,
    },
    /// A row is not as the edits describe it.
    #[error("a row of \"{table}\" is not what it was: {row} ({found} found, {wanted} expected)")]
    RowMoved {
        /// The table.
        table: Arc<str>,
        /// The row, by its key and values.
        row: String,
        /// How many rows look so.
        found: u64,
        /// How many should.
        wanted: u64,
    },
    /// The database refuses a row.
    #[error("\"{table}\" does not take {row}: {reason}")]
    Refused {
        /// The table.
        table: Arc<str>,
        /// The row.
        row: String,
        /// SQLite's words.
        reason: String,
    },
    /// Rows would point to rows that are not there.
    #[error("{rows} rows of \"{table}\" would refer to rows of \"{parent}\" that are not there")]
    Orphans {
        /// The table whose rows refer.
        table: Arc<str>,
        /// The table they refer to.
        parent: Arc<str>,
        /// How many rows.
        rows: u64,
    },
    /// What was written did not read back.
    #[error("what was written into \"{table}\" did not read back: {what}")]
    NotVerified {
        /// The table.
        table: Arc<str>,
        /// What is wrong.
        what: String,
    },
    /// There is a file where the backup should go.
    #[error("there is a file {} already", path.display())]
    BackupExists {
        /// Where.
        path: PathBuf,
    },
    /// The backup cannot be made.
    #[error("the backup {} cannot be made: {reason}", path.display())]
    Backup {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The copy is not sound, so the database itself is not.
    #[error("the copy {} has damage, as the database does: {reason}", path.display())]
    Damaged {
        /// Where the copy would have been.
        path: PathBuf,
        /// SQLite's words.
        reason: String,
    },
    /// Any other answer of SQLite.
    #[error("SQLite failed in {} while {doing}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What we were doing.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}
