//! What the statements of one event did to the rows of a projection's table, in order, as SQLite tells it.
//!
//! The update hook names every row that is inserted or updated, at hardly any cost. It is silent about rows that
//! `REPLACE` or a `DELETE` without `WHERE` takes away, and about the old number of a row that is given another
//! one; triggers of ours tell those, through two functions that nobody else can call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    hooks::Action,
};

use crate::projection::guard::OURS;

/// Something that happened to a row, named by its rowid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Inserted(i64),
    Updated(i64),
    Gone(i64),
    /// Its rowid or its key is another now. `Updated` tells of the new rowid before that.
    Moved {
        from: i64,
        to: i64,
    },
}

/// The steps since it was last emptied.
#[derive(Debug, Clone, Default)]
pub(super) struct Journal {
    steps: Arc<Mutex<Vec<Step>>>,
}

impl Journal {
    /// Listens to what happens to the rows of this table, and makes the functions that our triggers call.
    pub(super) fn attach(connection: &mut Connection, table: &str) -> rusqlite::Result<Self> {
        let journal = Self::default();
        let (own, table) = (journal.clone(), table.to_owned());
        connection.update_hook(Some(move |action, schema: &str, name: &str, rowid| {
            if schema == "main" && name.eq_ignore_ascii_case(&table) {
                own.note(action, rowid);
            }
        }))?;
        // Triggers may call it though nothing in a schema is trusted.
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        let own = journal.clone();
        let gone = move |context: &Context<'_>| -> rusqlite::Result<Option<i64>> {
            own.steps().push(Step::Gone(context.get(0)?));
            Ok(None)
        };
        connection.create_scalar_function(format!("{OURS}gone").as_str(), 1, flags, gone)?;
        let own = journal.clone();
        let moved = move |context: &Context<'_>| -> rusqlite::Result<Option<i64>> {
            own.steps().push(Step::Moved { from: context.get(0)?, to: context.get(1)? });
            Ok(None)
        };
        connection.create_scalar_function(format!("{OURS}moved").as_str(), 2, flags, moved)?;
        Ok(journal)
    }

    fn note(&self, action: Action, rowid: i64) {
        let mut steps = self.steps();
        let is_known = matches!(
            steps.last(), Some(Step::Inserted(last) | Step::Updated(last)) if *last == rowid);
        match action {
            Action::SQLITE_INSERT => steps.push(Step::Inserted(rowid)),
            Action::SQLITE_UPDATE if !is_known => steps.push(Step::Updated(rowid)),
            // Deletions are told by the trigger, which sees all of them.
            _ => {}
        }
    }

    /// Takes the steps, and leaves `emptied` for the next ones.
    pub(super) fn take(&self, emptied: &mut Vec<Step>) {
        emptied.clear();
        std::mem::swap(&mut *self.steps(), emptied);
    }

    /// Forgets them: they were undone.
    pub(super) fn forget(&self) {
        self.steps().clear();
    }

    fn steps(&self) -> MutexGuard<'_, Vec<Step>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
