//! The publication itself, step by step.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::{
    model::{TableShape, Timestamp},
    publish::{
        BackupPlace, Edits, Expected, PublishError, Step, TableEdits, Unlock,
        apply::{Counter, Observer, apply, locate, verify},
        backup::Copy,
        guard,
        locate::{Located, RowId, Table},
        target,
    },
    store::{
        EventsHead,
        layout::Layout,
        sqlite::{alone, events_head, quote, read_shape},
    },
    work::Work,
};

/// What is to be published, and where.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// The database file.
    pub path: &'a Path,
    /// Its layout, which says what must not be touched.
    pub layout: &'a Layout,
    /// What is to change.
    pub edits: &'a Edits,
    /// What the database must look like still.
    pub expected: &'a Expected,
    /// Where the backup goes.
    pub backup: &'a BackupPlace,
    /// The time now, for the backup's name.
    pub at: Timestamp,
    /// How long to wait for other programs that hold the database.
    pub patience: Duration,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Where the copy from before lies.
    pub backup: PathBuf,
    /// Whether the rows were read again after the transaction and are as written. If not, another program
    /// has changed them since, or the disk does not keep what it is given.
    pub is_confirmed: bool,
}

/// How many rows refer to nothing, by their table and the one they refer to.
type Orphans = BTreeMap<(Arc<str>, Arc<str>), u64>;

/// So often the database may change while it is copied.
const COPIES: u32 = 3;

/// One table on its way: what is to change, where its rows are, and what was inserted.
struct Written<'a> {
    table: Table<'a>,
    edits: &'a TableEdits,
    located: Located,
    inserted: Vec<RowId>,
}

/// Writes the edits: a backup, one transaction, a last look. Whatever goes wrong before the end of the
/// transaction, the database is as it was, and no backup is left.
///
/// `observe` is told every step, and may stop it. `work` counts pages copied and rows found and written.
pub fn publish(
    work: &Work,
    what: &Publication<'_>,
    unlock: &Unlock,
    observe: Observer<'_>,
) -> Result<Published, PublishError> {
    if !unlock.is_for(what.path) {
        return Err(PublishError::Locked { path: what.path.to_owned() });
    }
    let tables: Vec<Arc<str>> = what.edits.tables.iter().map(|edits| Arc::clone(&edits.table)).collect();
    let _alone = alone(what.path, work)?;
    what.check_file()?;
    let connection =
        guard::open(what.path, what.patience, &tables).map_err(|source| what.failed("opening it", source))?;
    what.check_writable(&connection)?;
    observe(Step::Opened)?;
    // All of this is asked again inside the transaction; who is to be told no is told before the copy.
    let shapes = what.check(&connection)?;
    let (_, pages) = what.size(&connection)?;
    work.expect_total(pages + what.edits.rows() * 2);
    let (transaction, copy) = what.begin(work, &connection, observe)?;
    observe(Step::Begun)?;
    if what.check(&transaction)? != shapes {
        return Err(PublishError::Moved { what: "a table was altered".to_owned() });
    }
    let counter = Counter { work, observe, located: 0, applied: 0 };
    let written = what.write(&transaction, shapes, counter)?;
    observe(Step::Verified)?;
    let rows: Vec<(Located, Vec<RowId>)> =
        written.into_iter().map(|written| (written.located, written.inserted)).collect();
    transaction.commit().map_err(|source| what.failed("ending the transaction", source))?;
    // From here on it is done, and nobody can stop it.
    let backup = copy.keep();
    observe(Step::Committed).ok();
    let is_confirmed = what.confirm(&connection, &rows);
    observe(Step::Confirmed).ok();
    let sum = |count: fn(&TableEdits) -> usize| what.edits.tables.iter().map(count).sum::<usize>() as u64;
    Ok(Published {
        inserted: sum(|edits| edits.inserts.len()),
        updated: sum(|edits| edits.updates.len()),
        deleted: sum(|edits| edits.deletes.len()),
        backup,
        is_confirmed,
    })
}

impl<'a> Publication<'a> {
    fn failed(&self, doing: &'static str, source: rusqlite::Error) -> PublishError {
        let path = self.path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => PublishError::Busy { path, doing },
            Some(ErrorCode::ReadOnly) => PublishError::ReadOnly { path, reason: source.to_string() },
            Some(ErrorCode::CannotOpen) => {
                let reason = format!("{source}; its folder may be read-only");
                PublishError::ReadOnly { path, reason }
            }
            _ => PublishError::Sqlite { path, doing, source },
        }
    }

    /// Asks the system before SQLite does: that would open the file for reading alone, and a log that it made
    /// for that could not be taken away again. No lock is held yet that closing the file could drop.
    fn check_file(&self) -> Result<(), PublishError> {
        let reason = match fs::metadata(self.path) {
            Ok(data) if data.is_dir() => "it is a folder".to_owned(),
            // Whoever may write anything is held to the mark as well: somebody set it.
            Ok(data) if data.permissions().readonly() => "the file is marked read-only".to_owned(),
            Ok(_) => match fs::OpenOptions::new().write(true).open(self.path) {
                Ok(_) => return Ok(()),
                Err(err) => err.to_string(),
            },
            Err(err) => err.to_string(),
        };
        Err(PublishError::ReadOnly { path: self.path.to_owned(), reason })
    }

    fn check_writable(&self, connection: &Connection) -> Result<(), PublishError> {
        let is_read_only = connection.is_readonly("main");
        if is_read_only.map_err(|source| self.failed("opening it", source))? {
            let reason = "the file may only be read".to_owned();
            return Err(PublishError::ReadOnly { path: self.path.to_owned(), reason });
        }
        Ok(())
    }

    /// The number that changes whenever another program commits, and how many pages there are.
    fn size(&self, connection: &Connection) -> Result<(i64, u64), PublishError> {
        let number = |pragma: &str| {
            let value = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0));
            value.map_err(|source| self.failed("looking at its size", source))
        };
        Ok((number("data_version")?, number("page_count")?.unsigned_abs()))
    }

    /// Whether the database is still what the edits were made for. Returns the tables' declarations.
    fn check(&self, connection: &Connection) -> Result<Vec<TableShape>, PublishError> {
        let failed = |source| self.failed("looking at the tables", source);
        let head = events_head(connection, &self.layout.events).map_err(failed)?;
        if let Some(what) = difference(&self.expected.head, &head) {
            return Err(PublishError::Moved { what });
        }
        let mut shapes: Vec<TableShape> = Vec::new();
        for edits in &self.edits.tables {
            let shape = read_shape(connection, &edits.table).map_err(failed)?;
            target::check(self.layout, edits, shape.as_ref())?;
            let Some(shape) = shape else { continue };
            if shapes.iter().any(|other| other.table == shape.table) {
                let reason = "it stands among the edits twice".to_owned();
                return Err(PublishError::Target { table: shape.table, reason });
            }
            let then = self.expected.declared.iter().find(|(table, _)| *table == shape.table);
            if then.is_none_or(|(_, sql)| *sql != shape.sql) {
                let what = format!("table \"{}\" was altered", shape.table);
                return Err(PublishError::Moved { what });
            }
            shapes.push(shape);
        }
        Ok(shapes)
    }

    /// Copies the database and begins the transaction, with nothing written by anybody in between.
    fn begin<'c>(
        &self,
        work: &Work,
        connection: &'c Connection,
        observe: Observer<'_>,
    ) -> Result<(Transaction<'c>, Copy), PublishError> {
        for _ in 0..COPIES {
            let (version, _) = self.size(connection)?;
            let copy = Copy::make(work, connection, self.path, (self.backup, self.at), observe)?;
            if let Err(err) = copy.check(&self.layout.events, &self.expected.head) {
                // That events came in meanwhile is no fault of the copy.
                drop(copy);
                return Err(self.check(connection).err().unwrap_or(err));
            }
            observe(Step::BackedUp)?;
            let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
                .map_err(|source| self.failed("it is to be written", source))?;
            if self.size(connection)?.0 == version {
                return Ok((transaction, copy));
            }
        }
        Err(PublishError::Busy { path: self.path.to_owned(), doing: "it is copied" })
    }

    /// Finds, changes and reads back every row.
    fn write<'c>(
        &self,
        connection: &'c Connection,
        shapes: Vec<TableShape>,
        mut counter: Counter<'_>,
    ) -> Result<Vec<Written<'c>>, PublishError>
    where
        'a: 'c,
    {
        let orphans = self.orphans(connection, &shapes)?;
        let mut all = Vec::new();
        for (edits, shape) in self.edits.tables.iter().zip(shapes) {
            let table = Table::new(connection, shape)
                .map_err(|source| self.failed("looking at the tables", source))?;
            if table.row.is_empty() {
                let reason = "its rows cannot be told apart".to_owned();
                return Err(PublishError::Target { table: table.shape.table, reason });
            }
            let located = locate(&table, edits, &mut counter)?;
            all.push(Written { table, edits, located, inserted: Vec::new() });
        }
        for written in &mut all {
            let before = written.table.count()?;
            written.inserted = apply(&written.table, written.edits, &written.located, &mut counter)?;
            verify(&written.table, written.edits, &written.located, &written.inserted)?;
            let (more, fewer) = (written.inserted.len() as u64, written.located.deletes.len() as u64);
            let after = written.table.count()?;
            if after + fewer != before + more {
                let what = format!("there are {after} rows instead of {}", before + more - fewer);
                return Err(PublishError::NotVerified {
                    table: Arc::clone(&written.table.shape.table),
                    what,
                });
            }
        }
        let shapes: Vec<TableShape> = all.iter().map(|written| written.table.shape.clone()).collect();
        for ((table, parent), rows) in self.orphans(connection, &shapes)? {
            let before = orphans.get(&(Arc::clone(&table), Arc::clone(&parent))).copied().unwrap_or_default();
            if rows > before {
                return Err(PublishError::Orphans { table, parent, rows: rows - before });
            }
        }
        Ok(all)
    }

    /// How many rows refer to rows that are not there, by table and the table it refers to: of the tables
    /// in the edits, and of those that refer to them.
    fn orphans(&self, connection: &Connection, shapes: &[TableShape]) -> Result<Orphans, PublishError> {
        let failed = |source| self.failed("looking at references", source);
        let is_written = |name: &str| shapes.iter().any(|shape| shape.table.eq_ignore_ascii_case(name));
        let list = "SELECT DISTINCT l.name, f.\"table\" FROM pragma_table_list AS l, \
                    pragma_foreign_key_list(l.name) AS f WHERE l.schema = 'main' AND l.type = 'table'";
        let mut statement = connection.prepare(list).map_err(failed)?;
        let found = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
        let found = found.and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(failed)?;
        let mut tables: Vec<String> = found
            .into_iter()
            .filter(|(child, parent)| is_written(child) || is_written(parent))
            .map(|(child, _)| child)
            .collect();
        tables.sort();
        tables.dedup();
        let mut orphans = Orphans::new();
        for table in tables {
            let sql = format!("PRAGMA foreign_key_check({})", quote(&table));
            // Where the declaration itself is wrong there is nothing to hold rows against.
            let Ok(mut statement) = connection.prepare(&sql) else { continue };
            let rows = statement.query_map([], |row| row.get::<_, String>(2));
            let Ok(parents) = rows.and_then(Iterator::collect::<Result<Vec<_>, _>>) else { continue };
            for parent in parents {
                *orphans.entry((Arc::from(&*table), Arc::from(parent))).or_default() += 1;
            }
        }
        Ok(orphans)
    }

    /// Reads the rows again, outside the transaction.
    fn confirm(&self, connection: &Connection, rows: &[(Located, Vec<RowId>)]) -> bool {
        self.edits.tables.iter().zip(rows).all(|(edits, (located, inserted))| {
            let shape = read_shape(connection, &edits.table).ok().flatten();
            let table = shape.and_then(|shape| Table::new(connection, shape).ok());
            table.is_some_and(|table| verify(&table, edits, located, inserted).is_ok())
        })
    }
}

/// What is new about the events, in words; nothing if nothing is.
fn difference(then: &EventsHead, now: &EventsHead) -> Option<String> {
    if then == now {
        return None;
    }
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    let (before, after) = (then.events(), now.events());
    Some(match after.cmp(&before) {
        Ordering::Greater => format!("{} more event{}", after - before, plural(after - before)),
        Ordering::Less => format!("{} event{} fewer", before - after, plural(before - after)),
        Ordering::Equal => "the last event is another".to_owned(),
    })
}
