//! The tables of a database with their columns, keys, indexes, foreign keys and triggers.

use std::sync::Arc;

use rusqlite::Connection;

use crate::store::detect::DetectResult;

/// One table or view.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) name: Arc<str>,
    pub(super) is_view: bool,
    pub(super) columns: Vec<Column>,
    /// Whether `rowid` can be asked for and means SQLite's row number.
    pub(super) has_rowid: bool,
    /// Whether ids are never used again after a deletion.
    pub(super) never_reuses_ids: bool,
    /// The columns of the primary key, in its order.
    pub(super) primary: Vec<usize>,
    /// The columns of each unique key, the primary one first.
    pub(super) uniques: Vec<Vec<usize>>,
    /// The columns of each index, unique ones among them.
    pub(super) indexes: Vec<Vec<usize>>,
    pub(super) foreign: Vec<Foreign>,
    /// Whether triggers forbid changing or deleting rows.
    pub(super) is_append_only: bool,
    /// Number of rows: exact up to [`COUNTED`], else about.
    pub(super) rows: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: Arc<str>,
    pub(super) declared: Arc<str>,
    pub(super) is_generated: bool,
}

/// A reference to another table.
#[derive(Debug, Clone)]
pub(super) struct Foreign {
    pub(super) column: usize,
    pub(super) table: Arc<str>,
    /// `None` means the primary key over there.
    pub(super) to: Option<Arc<str>>,
}

/// Tables with more rows are not counted but estimated: what is counted is read.
pub(super) const COUNTED: u64 = 1_000;

impl Table {
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn name_of(&self, column: usize) -> Arc<str> {
        self.columns.get(column).map(|column| Arc::clone(&column.name)).unwrap_or_default()
    }

    /// Whether this column alone is a key.
    pub(super) fn is_unique(&self, column: usize) -> bool {
        self.uniques.iter().any(|key| *key == [column])
    }

    /// The column that is SQLite's row number under a name of its own.
    pub(super) fn rowid_alias(&self) -> Option<usize> {
        let [column] = *self.primary.as_slice() else {
            return None;
        };
        let declared = &self.columns.get(column)?.declared;
        (self.has_rowid && declared.trim_matches(['[', ']', '"']).eq_ignore_ascii_case("integer"))
            .then_some(column)
    }
}

/// A name in double quotes, as SQL takes any name.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// All tables and views but SQLite's own; one that cannot be read has no columns.
pub(super) fn read(connection: &Connection) -> DetectResult<Vec<Table>> {
    let mut statement = connection
        .prepare("SELECT name, type, coalesce(sql, '') FROM sqlite_schema WHERE type IN ('table', 'view')")?;
    let found = statement.query_map([], |row| {
        Ok((text(row.get_ref(0)?), text(row.get_ref(1)?) == "view", text(row.get_ref(2)?)))
    })?;
    let mut tables = Vec::new();
    for row in found {
        let (name, is_view, sql) = row?;
        if name.starts_with("sqlite_") {
            continue;
        }
        let mut table = Table { name: name.as_str().into(), is_view, ..Table::default() };
        if !name.contains('\0') && complete(connection, &mut table, &sql).is_err() {
            table.columns.clear();
        }
        tables.push(table);
    }
    tables.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(tables)
}

fn text(value: rusqlite::types::ValueRef<'_>) -> String {
    value.as_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

fn complete(connection: &Connection, table: &mut Table, sql: &str) -> rusqlite::Result<()> {
    read_columns(connection, table)?;
    if table.is_view {
        return Ok(());
    }
    let upper = sql.to_uppercase();
    table.never_reuses_ids = upper.contains("AUTOINCREMENT");
    let is_ordinary = upper.trim_start().starts_with("CREATE TABLE");
    let without_rowid: bool = connection.query_row(
        "SELECT coalesce(max(wr), 0) FROM pragma_table_list WHERE schema = 'main' AND name = ?1",
        [&*table.name],
        |row| row.get(0),
    )?;
    let has_other_rowid = |table: &Table| table.column("rowid").is_some_and(|at| table.primary != [at]);
    table.has_rowid = is_ordinary && !without_rowid && !has_other_rowid(table);
    read_indexes(connection, table)?;
    read_foreign(connection, table)?;
    table.is_append_only = has_guard(connection, &table.name)?;
    table.rows = count(connection, table);
    Ok(())
}

fn read_columns(connection: &Connection, table: &mut Table) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT name, type, pk, hidden FROM pragma_table_xinfo(?1)")?;
    let mut rows = statement.query([&*table.name])?;
    let mut primary = Vec::new();
    while let Some(row) = rows.next()? {
        let hidden: i64 = row.get(3)?;
        if hidden == 1 {
            continue;
        }
        let place: i64 = row.get(2)?;
        if place > 0 {
            primary.push((place, table.columns.len()));
        }
        let (name, declared) = (text(row.get_ref(0)?).into(), text(row.get_ref(1)?).into());
        table.columns.push(Column { name, declared, is_generated: hidden > 1 });
    }
    primary.sort_unstable();
    table.primary = primary.into_iter().map(|(_, column)| column).collect();
    Ok(())
}

fn read_indexes(connection: &Connection, table: &mut Table) -> rusqlite::Result<()> {
    if !table.primary.is_empty() {
        table.uniques.push(table.primary.clone());
    }
    let mut list =
        connection.prepare("SELECT name, \"unique\" AND NOT partial FROM pragma_index_list(?1)")?;
    let indexes =
        list.query_map([&*table.name], |row| Ok((text(row.get_ref(0)?), row.get::<_, bool>(1)?)))?;
    for index in indexes {
        let (name, is_unique) = index?;
        let mut info = connection.prepare("SELECT cid FROM pragma_index_info(?1) ORDER BY seqno")?;
        let places = info.query_map([&name], |row| row.get::<_, i64>(0))?;
        let places: rusqlite::Result<Vec<i64>> = places.collect();
        // An expression has no column; such an index says nothing that we can use.
        let columns: Option<Vec<usize>> =
            places?.into_iter().map(|place| usize::try_from(place).ok()).collect();
        let Some(columns) = columns else { continue };
        if is_unique && !table.uniques.contains(&columns) {
            table.uniques.push(columns.clone());
        }
        table.indexes.push(columns);
    }
    Ok(())
}

fn read_foreign(connection: &Connection, table: &mut Table) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare("SELECT \"from\", \"table\", \"to\" FROM pragma_foreign_key_list(?1)")?;
    let mut rows = statement.query([&*table.name])?;
    while let Some(row) = rows.next()? {
        let to = row.get_ref(2)?;
        let to = if to == rusqlite::types::ValueRef::Null { None } else { Some(text(to).into()) };
        if let Some(column) = table.column(&text(row.get_ref(0)?)) {
            table.foreign.push(Foreign { column, table: text(row.get_ref(1)?).into(), to });
        }
    }
    Ok(())
}

/// Whether a trigger raises an error before rows of the table change or go.
fn has_guard(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE
         AND upper(sql) LIKE '%RAISE%' AND (upper(sql) LIKE '%BEFORE UPDATE%' OR upper(sql) LIKE '%BEFORE DELETE%')",
        [table],
        |row| row.get(0),
    )
}

fn count(connection: &Connection, table: &Table) -> u64 {
    let name = quoted(&table.name);
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {})", COUNTED + 1);
    let counted: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap_or(0);
    let counted = counted.unsigned_abs();
    if counted <= COUNTED || !table.has_rowid {
        return counted;
    }
    let end = |which| {
        let sql = format!("SELECT {which}(rowid) FROM {name}");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).ok()
    };
    // Of a damaged table one end may be missing.
    let Some((first, last)) = end("min").zip(end("max")) else { return counted };
    last.saturating_sub(first).unsigned_abs().saturating_add(1)
}
