//! Any table of the database, as it is declared and row by row.

use std::{ops::Range, sync::Arc};

use rusqlite::{Connection, OptionalExtension as _};

use crate::{
    model::{ColumnShape, Stored, TableForm, TableShape},
    store::{
        StoreError, StoreResult,
        decode::Value,
        layout::{Layout, TableKind},
        read::Onward,
        sqlite::{
            access::Access,
            facts::TableFacts,
            plan::{own, quote},
            value::{Bound, stored},
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

/// Meets the rows with the values of these columns, until the visitor has enough.
pub(super) fn rows(
    access: &Access,
    work: &Work,
    table: &str,
    columns: &[Arc<str>],
    visit: &mut dyn FnMut(&[Stored]) -> Onward,
) -> StoreResult<()> {
    let expressions: Vec<String> = columns.iter().map(|column| own(column)).collect();
    let wanted = Wanted { table, expressions: &expressions, doing: &format!("reading \"{table}\"") };
    wanted.rows((access, work), &mut |batch, row| {
        work.advance(1)?;
        Ok(visit(batch.values(row)))
    })
}

/// What is wanted of each row of a table.
pub(super) struct Wanted<'a> {
    pub(super) table: &'a str,
    /// Values, of the table under the name `e`.
    pub(super) expressions: &'a [String],
    /// What we are doing, for whoever is told that it went wrong.
    pub(super) doing: &'a str,
}

/// What is done with a row of a batch; `Err` ends the read.
type Meet<'v> = &'v mut dyn FnMut(&Batch, usize) -> StoreResult<Onward>;

impl Wanted<'_> {
    /// Meets the rows, batch by batch. Those of the batch that came before damage are met, too.
    pub(super) fn rows(&self, (access, work): (&Access, &Work), visit: Meet<'_>) -> StoreResult<()> {
        let mut reader = access.reader(work);
        let key = reader.read(self.doing, |connection| key_of(connection, self.table))?;
        let most = if key.is_empty() { MOST_AT_ONCE } else { MOST_BYTES };
        let mut batch = Batch::new(key.len(), self.expressions.len(), most);
        let mut size = BATCH.start;
        loop {
            let behind = batch.last();
            let sql = self.select(&key, &behind, size);
            let read = reader.read(self.doing, |connection| batch.fill(connection, &sql, &behind));
            if !matches!(read, Ok(()) | Err(StoreError::Damaged { .. })) {
                return read;
            }
            if key.is_empty() && batch.is_full {
                return Err(access.too_large(self.doing, MOST_AT_ONCE));
            }
            for row in 0..batch.rows {
                if visit(&batch, row)? == Onward::Enough {
                    return Ok(());
                }
            }
            read?;
            if key.is_empty() || (batch.rows < size && !batch.is_full) {
                return Ok(());
            }
            size = (size * 2).min(BATCH.end);
        }
    }

    /// The next rows behind a key; all of them where there is no key.
    fn select(&self, key: &[String], behind: &[Stored], size: usize) -> String {
        let mut expressions: Vec<&str> = key.iter().chain(self.expressions).map(String::as_str).collect();
        if expressions.is_empty() {
            expressions.push("NULL");
        }
        let all = format!("SELECT {} FROM {} AS e", expressions.join(", "), quote(self.table));
        if key.is_empty() {
            return all;
        }
        let key = key.join(", ");
        let order = format!("ORDER BY {key} LIMIT {size}");
        if behind.is_empty() {
            return format!("{all} {order}");
        }
        let values = vec!["?"; behind.len()].join(", ");
        format!("{all} WHERE ({key}) > ({values}) {order}")
    }
}

/// What rows are told apart and sorted by: the row number, or the primary key of a table without; nothing for
/// a view or a virtual table.
pub(super) fn key_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
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

/// How many rows each table of the layout has; views are not run, and damage is no number.
pub(super) fn count(access: &Access, work: &Work, layout: &Layout) -> StoreResult<Vec<Option<u64>>> {
    let mut reader = access.reader(work);
    let mut counts = Vec::new();
    for note in &layout.tables {
        if note.kind == TableKind::View {
            counts.push(None);
            continue;
        }
        let sql = format!("SELECT count(*) FROM {}", quote(&note.table));
        let doing = format!("counting \"{}\"", note.table);
        counts.push(
            match reader.read(&doing, |connection| connection.query_row(&sql, [], |row| row.get::<_, i64>(0)))
            {
                Ok(count) => u64::try_from(count).ok(),
                Err(error @ StoreError::Cancelled(_)) => return Err(error),
                // Damage, or a virtual table whose module is not here.
                Err(_) => None,
            },
        );
        work.advance(1)?;
    }
    Ok(counts)
}

/// Rows copied out of the database, because their read may still prove void.
pub(super) struct Batch {
    /// Values that tell a row from the others, and values that were asked for.
    key: usize,
    width: usize,
    /// The values may fill so many bytes.
    most: usize,
    cells: Vec<Stored>,
    rows: usize,
    bytes: usize,
    is_full: bool,
}

impl Batch {
    pub(super) fn new(key: usize, width: usize, most: usize) -> Self {
        Self { key, width, most, cells: Vec::new(), rows: 0, bytes: 0, is_full: false }
    }

    fn fill(&mut self, connection: &Connection, sql: &str, behind: &[Stored]) -> rusqlite::Result<()> {
        self.cells.clear();
        (self.rows, self.bytes, self.is_full) = (0, 0, false);
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(behind.iter().map(Bound)))?;
        while let Some(row) = rows.next()? {
            for at in 0..self.key + self.width {
                let cell = stored(row.get_ref(at)?);
                self.bytes += size_of::<Stored>() + Value::from(&cell).len();
                self.cells.push(cell);
            }
            self.rows += 1;
            if self.bytes > self.most {
                self.is_full = true;
                break;
            }
        }
        Ok(())
    }

    fn row(&self, row: usize) -> (&[Stored], &[Stored]) {
        let width = self.key + self.width;
        let cells = self.cells.get(row * width..(row + 1) * width).unwrap_or_default();
        cells.split_at_checked(self.key).unwrap_or_default()
    }

    /// What tells a row from the others of its table; nothing where nothing does.
    pub(super) fn key(&self, row: usize) -> &[Stored] {
        self.row(row).0
    }

    /// The values that were asked for.
    pub(super) fn values(&self, row: usize) -> &[Stored] {
        self.row(row).1
    }

    /// The key of the last row; nothing before the first.
    fn last(&self) -> Vec<Stored> {
        self.rows.checked_sub(1).map_or_else(Vec::new, |last| self.key(last).to_vec())
    }
}
