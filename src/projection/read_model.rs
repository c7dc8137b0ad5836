//! A rebuilt table at any point in time, and the history of its rows.

use std::sync::Arc;

use crate::{
    model::{Json, Stored},
    projection::{
        Definition, Kind, Progress, Scratch, ScratchError,
        scripted::{self, States},
    },
    work::Work,
};

/// A rebuilt table with the history of its rows.
///
/// Rows are listed in the order of their birth, so that the first rows of the table at one time are the first
/// rows at every later time and nothing jumps while the cursor moves. A row that was deleted keeps its place.
#[derive(Debug, Clone)]
pub struct ReadModel {
    scratch: Scratch,
    columns: Arc<[Column]>,
    progress: Arc<Progress>,
    /// Whether it was made by a script.
    is_script: bool,
}

/// A column of a rebuilt table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Arc<str>,
    /// Its declared type; empty without one.
    pub declared: Arc<str>,
    /// Whether it is part of the key.
    pub is_key: bool,
}

/// What tells a row from others: the values of the key columns; of all columns and its number among equal ones
/// where there is no key.
#[derive(Debug, Clone, PartialEq)]
pub struct RowKey(pub Arc<[Stored]>);

/// Which rows are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowsQuery {
    /// How many events lie behind.
    pub count: u64,
    /// The first row, in order of birth.
    pub first: u64,
    /// At most so many.
    pub limit: usize,
    /// Only rows in which a column contains this text, in any case of letters; empty means all.
    pub contains: Arc<str>,
}

/// A row as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct RowAt {
    /// Its key.
    pub key: RowKey,
    /// Its values; those it had last, if it was deleted.
    pub values: Arc<[Stored]>,
    /// Whether it had been deleted.
    pub is_deleted: bool,
    /// How many events lay behind after the event that made it so.
    pub since: u64,
}

/// One change of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// How many events lay behind after the event that made it.
    pub count: u64,
    /// The values before; `None` if the row was made here.
    pub before: Option<Arc<[Stored]>>,
    /// The values after; `None` if it was deleted here.
    pub after: Option<Arc<[Stored]>>,
}

impl ReadModel {
    /// Opens what a rebuild made, whether it came to its end or not.
    pub fn open(scratch: &Scratch, definition: &Definition) -> Result<Self, ScratchError> {
        if let Kind::Script(_) = definition.kind {
            return Ok(Self {
                scratch: scratch.clone(),
                columns: scripted::columns(),
                progress: Arc::new(scripted::progress(scratch)?),
                is_script: true,
            });
        }
        Ok(Self { scratch: scratch.clone(), columns: Arc::from([]), progress: Arc::default(), is_script: false })
    }

    /// The database it lies in.
    #[must_use]
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Its columns in order.
    #[must_use]
    pub fn columns(&self) -> &Arc<[Column]> {
        &self.columns
    }

    /// How far the rebuild came when this was opened.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// How many rows had ever been made by then, deleted ones among them: the length of the list.
    pub fn len_at(&self, work: &Work, count: u64) -> Result<u64, ScratchError> {
        if let Some(states) = self.states()? {
            return states.len_at(count);
        }
        let _ = (work, count);
        Ok(0)
    }

    /// Rows as they were.
    pub fn rows_at(&self, work: &Work, query: &RowsQuery) -> Result<Vec<RowAt>, ScratchError> {
        if let Some(states) = self.states()? {
            return states.rows_at(work, query);
        }
        let _ = (work, query);
        Ok(Vec::new())
    }

    /// Meets every row that existed then, in order of birth.
    pub fn each_at(
        &self,
        work: &Work,
        count: u64,
        visit: &mut dyn FnMut(&RowAt),
    ) -> Result<(), ScratchError> {
        if let Some(states) = self.states()? {
            return states.each_at(work, count, visit);
        }
        let _ = (work, count, visit);
        Ok(())
    }

    /// Everything that ever happened to a row, oldest first.
    pub fn history(&self, work: &Work, key: &RowKey) -> Result<Vec<RowChange>, ScratchError> {
        if let Some(states) = self.states()? {
            return states.history(work, key);
        }
        let _ = (work, key);
        Ok(Vec::new())
    }

    /// The state that all partitions share, as it was, with the count of the event that made it so; nothing if
    /// the projection has none.
    pub fn shared_at(&self, count: u64) -> Result<Option<(u64, Json)>, ScratchError> {
        self.states()?.map_or(Ok(None), |states| states.shared_at(count))
    }

    /// The state of a script's partition, as it was, with the count of the event that made it so.
    pub fn state_at(&self, partition: &str, count: u64) -> Result<Option<(u64, Json)>, ScratchError> {
        self.states()?.map_or(Ok(None), |states| states.state_at(partition, count))
    }

    /// The states of partitions, if a script made them.
    fn states(&self) -> Result<Option<States>, ScratchError> {
        self.is_script.then(|| States::open(&self.scratch)).transpose()
    }
}
