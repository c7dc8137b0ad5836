//! A SQLite file before its layout is known: detection, and look-ups for the mapping dialog.

use std::{collections::BTreeMap, path::Path};

use rusqlite::Connection;

use crate::{
    store::{
        StoreError, StoreResult,
        detect::{self, DetectError, DetectResult, Preview},
        layout::{Detection, Layout, Role, Source},
        sqlite::access::Access,
    },
    work::Work,
};

/// A SQLite file that may hold an event store.
#[derive(Debug)]
pub struct SqliteFile {
    pub(super) access: Access,
}

/// Why a mapping by hand cannot be completed.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The mapping names something that is not there.
    #[error("{0}")]
    Unknown(String),
}

impl SqliteFile {
    /// Checks that the file is a SQLite database; says in words what it is otherwise.
    pub fn open(path: &Path, work: &Work) -> StoreResult<Self> {
        Ok(Self { access: Access::open(path, work)? })
    }

    /// What is odd about the file as a whole: cut off, unfinished transaction, pending log.
    pub fn problems(&self) -> StoreResult<Vec<String>> {
        self.access.problems()
    }

    /// Looks for an event store.
    pub fn detect(&self, work: &Work) -> StoreResult<Detection> {
        let asked = self.ask(work, "looking for events", |connection| detect::detect(connection, work));
        asked.map_err(|error| match error {
            MappingError::Store(error) => error,
            // Detection names only tables that it found itself: if one is gone, the file changed.
            MappingError::Unknown(what) => StoreError::Busy {
                path: self.access.path().to_owned(),
                doing: format!("looking for events ({what})"),
            },
        })
    }

    /// The first rows of a table, for the mapping dialog.
    pub fn preview(&self, work: &Work, table: &str, limit: usize) -> Result<Preview, MappingError> {
        self.ask(work, "reading the first rows", |connection| detect::preview(connection, table, limit))
    }

    /// A whole layout for `table` in which the user's choices stand and the rest is found.
    pub fn complete(
        &self,
        work: &Work,
        table: &str,
        chosen: &BTreeMap<Role, Option<Source>>,
    ) -> Result<Layout, MappingError> {
        self.ask(work, "completing the mapping", |connection| {
            detect::complete(connection, table, chosen, work)
        })
    }

    /// Asks something that may find the user's mapping wrong.
    fn ask<T>(
        &self,
        work: &Work,
        doing: &str,
        mut ask: impl FnMut(&Connection) -> DetectResult<T>,
    ) -> Result<T, MappingError> {
        let mut wrong = None;
        let found = self.access.reader(work).read_loosely(doing, |connection| {
            wrong = None;
            match ask(connection) {
                Ok(found) => Ok(Some(found)),
                Err(DetectError::Sqlite(error)) => Err(error),
                Err(DetectError::Cancelled(cancelled)) => {
                    wrong = Some(StoreError::Cancelled(cancelled).into());
                    Ok(None)
                }
                Err(error @ (DetectError::NoTable { .. } | DetectError::NoColumn { .. })) => {
                    wrong = Some(MappingError::Unknown(error.to_string()));
                    Ok(None)
                }
            }
        })?;
        match (found, wrong) {
            (Some(found), _) => Ok(found),
            (None, Some(wrong)) => Err(wrong),
            (None, None) => Err(MappingError::Unknown("nothing was found".into())),
        }
    }
}
