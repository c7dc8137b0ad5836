//! Changing the rows that were found, and reading them back.

use std::sync::Arc;

use rusqlite::params_from_iter;

use crate::{
    model::Stored,
    publish::{
        PublishError, RowEdit, Step, TableEdits,
        locate::{Located, Locator, RowId, Table, words},
    },
    store::sqlite::{Bound, quote, stored},
    work::{Cancelled, Work},
};

/// Whoever watches a publication.
pub(super) type Observer<'a> = &'a dyn Fn(Step) -> Result<(), Cancelled>;

/// Columns and values of a row.
type Values = [(Arc<str>, Stored)];

/// A whole row and what names it.
type Whole<'a> = (Vec<(Arc<str>, Stored)>, &'a RowId);

/// SQLite's extended codes for a value that another row has already: in a key, as a row number, in a column.
const TAKEN: [i32; 3] = [1555, 2579, 2067];

/// Counts steps, and passes them on.
pub(super) struct Counter<'a> {
    pub(super) work: &'a Work,
    pub(super) observe: Observer<'a>,
    pub(super) located: u64,
    pub(super) applied: u64,
}

impl Counter<'_> {
    fn located(&mut self) -> Result<(), Cancelled> {
        self.located += 1;
        self.work.advance(1)?;
        (self.observe)(Step::Located(self.located))
    }

    fn applied(&mut self) -> Result<(), Cancelled> {
        self.applied += 1;
        self.work.advance(1)?;
        (self.observe)(Step::Applied(self.applied))
    }
}

/// Finds every row that is to be updated or deleted, before any of them changes.
pub(super) fn locate(
    table: &Table<'_>,
    edits: &TableEdits,
    counter: &mut Counter<'_>,
) -> Result<Located, PublishError> {
    let mut locator = Locator::new(table);
    let places = edits.updates.iter().map(|edit| &edit.place).chain(&edits.deletes);
    locator.look_ahead(places, counter.work)?;
    let mut located = Located::default();
    for edit in &edits.updates {
        located.updates.push(locator.find(&edit.place)?);
        counter.located()?;
    }
    for place in &edits.deletes {
        located.deletes.push(locator.find(place)?);
        counter.located()?;
    }
    Ok(located)
}

/// Deletes, updates and inserts, in this order, so that a value is free before another row takes it.
/// Returns what names the inserted rows.
pub(super) fn apply(
    table: &Table<'_>,
    edits: &TableEdits,
    located: &Located,
    counter: &mut Counter<'_>,
) -> Result<Vec<RowId>, PublishError> {
    for row in &located.deletes {
        delete(table, row)?;
        counter.applied()?;
    }
    let mut waiting: Vec<(&RowEdit, &RowId)> = edits.updates.iter().zip(&located.updates).collect();
    while !waiting.is_empty() {
        let mut refused = Vec::new();
        let before = waiting.len();
        for (edit, row) in waiting {
            if update(table, &edit.values, row)? {
                counter.applied()?;
            } else {
                refused.push((edit, row));
            }
        }
        if refused.len() == before {
            exchange(table, &refused, counter)?;
            break;
        }
        waiting = refused;
    }
    let mut inserted = Vec::with_capacity(edits.inserts.len());
    for values in &edits.inserts {
        inserted.push(insert(table, values, None)?);
        counter.applied()?;
    }
    Ok(inserted)
}

fn delete(table: &Table<'_>, row: &RowId) -> Result<(), PublishError> {
    let sql = format!("DELETE FROM {} WHERE {}", table.name, table.is_row(1));
    let changed = run(table, &sql, row.iter()).map_err(table.failed("deleting a row"))?;
    one(table, changed)
}

/// Changes a row. False if another row has the new value still.
fn update(table: &Table<'_>, values: &Values, row: &RowId) -> Result<bool, PublishError> {
    let set: Vec<String> =
        (1..).zip(values).map(|(at, (name, _))| format!("{} = ?{at}", quote(name))).collect();
    // What the table itself says of conflicts, such as replacing the other row, must not happen.
    let sql = format!(
        "UPDATE OR ABORT {} SET {} WHERE {}",
        table.name,
        set.join(", "),
        table.is_row(values.len() + 1)
    );
    match run(table, &sql, values.iter().map(|(_, value)| value).chain(row)) {
        Ok(changed) => one(table, changed).map(|()| true),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(refused(table, values, &error)),
    }
}

/// Updates rows that wait for each other's values: they are taken out and put in again as they are to be.
fn exchange(
    table: &Table<'_>,
    rows: &[(&RowEdit, &RowId)],
    counter: &mut Counter<'_>,
) -> Result<(), PublishError> {
    let kept: Vec<&Arc<str>> =
        table.shape.columns.iter().filter(|column| !column.is_generated).map(|column| &column.name).collect();
    let columns: Vec<String> = kept.iter().map(|name| quote(name)).collect();
    let sql = format!("SELECT {} FROM {} WHERE {}", columns.join(", "), table.name, table.is_row(1));
    let mut whole: Vec<Whole<'_>> = Vec::new();
    for (edit, row) in rows {
        let values = table.connection.prepare_cached(&sql).and_then(|mut statement| {
            statement.query_row(params_from_iter(row.iter().map(Bound)), |found| {
                (0..kept.len()).map(|at| found.get_ref(at).map(stored)).collect::<Result<Vec<_>, _>>()
            })
        });
        let values = values.map_err(table.failed("reading a row"))?;
        let is_new = |name: &str| edit.values.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        let values = kept
            .iter()
            .zip(values)
            .map(|(name, value)| (Arc::clone(name), is_new(name).map_or(value, |(_, value)| value.clone())));
        whole.push((values.collect(), row));
        delete(table, row)?;
    }
    for (values, row) in whole {
        insert(table, &values, Some(row))?;
        counter.applied()?;
    }
    Ok(())
}

/// Puts a row in, under its old number if it had one. Returns what names it.
fn insert(table: &Table<'_>, values: &Values, old: Option<&RowId>) -> Result<RowId, PublishError> {
    let number = old.filter(|_| table.has_own_number);
    let own = number.map(|_| table.row.iter().cloned()).into_iter().flatten();
    let columns: Vec<String> = values.iter().map(|(name, _)| quote(name)).chain(own).collect();
    let marks: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
    let sql = if columns.is_empty() {
        format!("INSERT OR ABORT INTO {} DEFAULT VALUES", table.name)
    } else {
        format!("INSERT OR ABORT INTO {} ({}) VALUES ({})", table.name, columns.join(", "), marks.join(", "))
    };
    let bound = values.iter().map(|(_, value)| value).chain(number.into_iter().flatten());
    let changed = run(table, &sql, bound).map_err(|error| refused(table, values, &error))?;
    one(table, changed)?;
    Ok(id_of(table, values))
}

/// What names the row that was just inserted.
fn id_of(table: &Table<'_>, values: &Values) -> RowId {
    let is_number = matches!(table.row.as_slice(), [one] if !one.starts_with('"'));
    if is_number {
        return vec![Stored::Integer(table.connection.last_insert_rowid())];
    }
    let value = |quoted: &String| values.iter().find(|(name, _)| quote(name).eq_ignore_ascii_case(quoted));
    table.row.iter().map(|column| value(column).map_or(Stored::Null, |(_, value)| value.clone())).collect()
}

/// Reads rows back: every value must be what was bound, as the column's type takes it.
pub(super) fn verify(
    table: &Table<'_>,
    edits: &TableEdits,
    located: &Located,
    inserted: &[RowId],
) -> Result<(), PublishError> {
    let updated = edits.updates.iter().map(|edit| &*edit.values).zip(&located.updates);
    let inserted = edits.inserts.iter().map(|values| &**values).zip(inserted);
    for (values, row) in updated.chain(inserted) {
        let condition =
            |(at, (name, _)): (usize, &(Arc<str>, Stored))| format!(" AND {} IS ?{at}", quote(name));
        let conditions: String = (table.row.len() + 1..).zip(values).map(condition).collect();
        let sql = format!("SELECT count(*) FROM {} WHERE {}{conditions}", table.name, table.is_row(1));
        let bound = row.iter().chain(values.iter().map(|(_, value)| value)).map(Bound);
        let count = table.connection.prepare_cached(&sql).and_then(|mut statement| {
            statement.query_row(params_from_iter(bound), |found| found.get::<_, i64>(0))
        });
        if count.map_err(table.failed("reading rows back"))? != 1 {
            let what = format!("the row with {} is another", words(values));
            return Err(PublishError::NotVerified { table: Arc::clone(&table.shape.table), what });
        }
    }
    Ok(())
}

fn run<'a>(
    table: &Table<'_>,
    sql: &str,
    values: impl Iterator<Item = &'a Stored>,
) -> rusqlite::Result<usize> {
    table.connection.prepare_cached(sql)?.execute(params_from_iter(values.map(Bound)))
}

/// Exactly one row must have changed.
fn one(table: &Table<'_>, changed: usize) -> Result<(), PublishError> {
    if changed == 1 {
        return Ok(());
    }
    let what = format!("{changed} rows changed where one was meant");
    Err(PublishError::NotVerified { table: Arc::clone(&table.shape.table), what })
}

fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| TAKEN.contains(&error.extended_code))
}

/// A constraint of the table speaks for itself; anything else is a failure of ours or of the disk.
fn refused(table: &Table<'_>, values: &Values, error: &rusqlite::Error) -> PublishError {
    PublishError::Refused {
        table: Arc::clone(&table.shape.table),
        row: words(values),
        reason: error.to_string(),
    }
}
