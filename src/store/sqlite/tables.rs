//! Any table of the database, as it is declared and row by row.

use std::{ops::Range, sync::Arc};

use rusqlite::{Connection, OptionalExtension as _, types::Value as Bound};

use crate::{
    model::{ColumnShape, Stored, TableForm, TableShape},
    store::{
        StoreResult,
        decode::Value,
        sqlite::{
            access::Access,
            facts::TableFacts,
            plan::{own, quote},
            value::stored,
        },
    },
    work::Work,
};

/// A table as it is declared; `None` if there is none of that name.
pub(super) fn shape(access: &Access, work: &Work, table: &str) -> StoreResult<Option<TableShape>> {
    access.read(work, &format!("looking at \"{table}\""), |connection| read_shape(connection, table))
}

/// A table as it is declared, by any connection.
pub(crate) fn read_shape(connection: &Connection, table: &str) -> rusqlite::Result<Option<TableShape>> {
    let named = "SELECT s.name, coalesce(s.sql, ''), l.type FROM sqlite_schema AS s \
                 JOIN pragma_table_list AS l ON l.schema = 'main' AND l.name = s.name \
                 WHERE s.type IN ('table', 'view') AND s.name = ?1 COLLATE NOCASE";
    let found = connection
        .query_row(named, [table], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })
        .optional()?;
    let Some((name, sql, kind)) = found else { return Ok(None) };
    let form = match &*kind {
        "view" => TableForm::View,
        "virtual" => TableForm::Virtual,
        "shadow" => TableForm::Shadow,
        _ => TableForm::Table,
    };
    let mut triggers = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE ORDER BY name",
    )?;
    let triggers = triggers.query_map([&name], |row| Ok(row.get::<_, String>(0)?.into()))?;
    let triggers = triggers.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare(
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1) WHERE hidden <> 1",
    )?;
    let columns = statement.query_map([&name], |row| {
        Ok(ColumnShape {
            name: row.get::<_, String>(0)?.into(),
            declared: row.get::<_, String>(1)?.into(),
            is_not_null: row.get(2)?,
            default: row.get::<_, Option<String>>(3)?.map(Into::into),
            key: usize::try_from(row.get::<_, i64>(4)?).unwrap_or_default(),
            is_generated: row.get::<_, i64>(5)? > 1,
        })
    })?;
    let columns = columns.collect::<Result<_, _>>()?;
    Ok(Some(TableShape { table: name.into(), columns, sql: sql.into(), form, triggers }))
}

/// Rows of the first batch and of the largest.
const BATCH: Range<usize> = 128..4096;

/// A batch whose values fill more bytes than this ends there.
const MOST_BYTES: usize = 4 << 20;

/// A view or a virtual table has no key to go on from, so it is read at once, and refused if its values fill
/// more than this.
const MOST_AT_ONCE: usize = 64 << 20;

/// Meets every row with the values of these columns.
pub(super) fn rows(
    access: &Access,
    work: &Work,
    table: &str,
    columns: &[Arc<str>],
    visit: &mut dyn FnMut(&[Stored]),
) -> StoreResult<()> {
    let doing = format!("reading \"{table}\"");
    let mut reader = access.reader(work);
    let key = reader.read(&doing, |connection| key_of(connection, table))?;
    let most = if key.is_empty() { MOST_AT_ONCE } else { MOST_BYTES };
    let mut batch = Batch { width: columns.len(), most, ..Batch::default() };
    let mut size = BATCH.start;
    loop {
        let (sql, behind) = (select(table, &key, columns, &batch.last, size), batch.last.clone());
        reader.read(&doing, |connection| batch.fill(connection, &sql, &behind, key.len()))?;
        if key.is_empty() && batch.is_full {
            return Err(access.too_large(&doing, MOST_AT_ONCE));
        }
        for row in batch.values() {
            visit(row);
        }
        work.advance(batch.rows as u64)?;
        if key.is_empty() || (batch.rows < size && !batch.is_full) {
            return Ok(());
        }
        size = (size * 2).min(BATCH.end);
    }
}

/// What rows are told apart and sorted by: the row number, or the primary key of a table without; nothing for
/// a view or a virtual table.
fn key_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let kind = "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ?1 COLLATE NOCASE";
    let kind: Option<String> = connection.query_row(kind, [table], |row| row.get(0)).optional()?;
    if kind.as_deref() != Some("table") {
        return Ok(Vec::new());
    }
    let facts = TableFacts::read(connection, table)?;
    Ok(match facts.rowid() {
        Some(rowid) => vec![own(rowid)],
        // A table without row numbers has a primary key without NULL.
        None if facts.has_row_numbers() => Vec::new(),
        None => facts.sorted_key().iter().map(|column| own(column)).collect(),
    })
}

/// The next rows behind a key; all of them where there is no key.
fn select(table: &str, key: &[String], columns: &[Arc<str>], behind: &[Stored], size: usize) -> String {
    let wanted = columns.iter().map(|column| own(column));
    let mut expressions: Vec<String> = key.iter().cloned().chain(wanted).collect();
    if expressions.is_empty() {
        expressions.push("NULL".to_owned());
    }
    let all = format!("SELECT {} FROM {} AS e", expressions.join(", "), quote(table));
    if key.is_empty() {
        return all;
    }
    let key = key.join(", ");
    let order = format!("ORDER BY {key} LIMIT {size}");
    if behind.is_empty() {
        return format!("{all} {order}");
    }
    let values = behind.iter().map(placeholder).collect::<Vec<_>>().join(", ");
    format!("{all} WHERE ({key}) > ({values}) {order}")
}

/// A text that is not UTF-8 can only be handed over as bytes.
fn placeholder(value: &Stored) -> &'static str {
    match value {
        Stored::Text(bytes) if std::str::from_utf8(bytes).is_err() => "CAST(? AS TEXT)",
        _ => "?",
    }
}

fn bound(value: &Stored) -> Bound {
    match value {
        Stored::Null => Bound::Null,
        Stored::Integer(number) => Bound::Integer(*number),
        Stored::Real(number) => Bound::Real(*number),
        Stored::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Bound::Text(text.to_owned()),
            Err(_) => Bound::Blob(bytes.to_vec()),
        },
        Stored::Blob(bytes) => Bound::Blob(bytes.to_vec()),
    }
}

/// Rows copied out of the database, because their read may still prove void.
#[derive(Default)]
struct Batch {
    /// Values of a row.
    width: usize,
    /// The values may fill so many bytes.
    most: usize,
    cells: Vec<Stored>,
    rows: usize,
    bytes: usize,
    /// The key of the last row.
    last: Vec<Stored>,
    is_full: bool,
}

impl Batch {
    fn fill(
        &mut self,
        connection: &Connection,
        sql: &str,
        behind: &[Stored],
        key: usize,
    ) -> rusqlite::Result<()> {
        self.cells.clear();
        (self.rows, self.bytes, self.is_full) = (0, 0, false);
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(behind.iter().map(bound)))?;
        while let Some(row) = rows.next()? {
            for at in key..key + self.width {
                let cell = stored(row.get_ref(at)?);
                self.bytes += size_of::<Stored>() + Value::from(&cell).len();
                self.cells.push(cell);
            }
            self.rows += 1;
            self.last.clear();
            for at in 0..key {
                self.last.push(stored(row.get_ref(at)?));
            }
            if self.bytes > self.most {
                self.is_full = true;
                break;
            }
        }
        Ok(())
    }

    fn values(&self) -> impl Iterator<Item = &[Stored]> {
        (0..self.rows).map(|row| self.cells.get(row * self.width..(row + 1) * self.width).unwrap_or_default())
    }
}
