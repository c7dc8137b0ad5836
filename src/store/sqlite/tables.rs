//! Any table of the database, as it is declared and row by row.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, types::ValueRef};

use crate::{
    model::{ColumnShape, Stored, TableForm, TableShape},
    store::{
        StoreResult,
        sqlite::{access::Access, plan::quote},
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

/// Meets every row with the values of these columns.
pub(super) fn rows(
    access: &Access,
    work: &Work,
    table: &str,
    columns: &[Arc<str>],
    visit: &mut dyn FnMut(&[Stored]),
) -> StoreResult<()> {
    let names: Vec<String> = columns.iter().map(|column| quote(column)).collect();
    let sql = format!("SELECT {} FROM {}", names.join(", "), quote(table));
    let mut found: Vec<Vec<Stored>> = Vec::new();
    access.read(work, &format!("reading \"{table}\""), |connection| {
        found.clear();
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            found.push((0..names.len()).map(|at| row.get_ref(at).map(stored)).collect::<Result<_, _>>()?);
        }
        Ok(())
    })?;
    for row in &found {
        visit(row);
        work.advance(1)?;
    }
    Ok(())
}

/// A value of a row, kept.
pub(crate) fn stored(value: ValueRef<'_>) -> Stored {
    match value {
        ValueRef::Null => Stored::Null,
        ValueRef::Integer(number) => Stored::Integer(number),
        ValueRef::Real(number) => Stored::Real(number),
        ValueRef::Text(bytes) => Stored::Text(bytes.into()),
        ValueRef::Blob(bytes) => Stored::Blob(bytes.into()),
    }
}
