//! The first rows of a table as text, for the mapping dialog.

use std::sync::Arc;

use rusqlite::{Connection, types::ValueRef};

use crate::{
    model::Stored,
    store::detect::{
        DetectError, DetectResult,
        schema::{self, quoted},
    },
};

/// Some rows of a table, cut to what a table of cells can show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The names of the columns.
    pub columns: Vec<Arc<str>>,
    /// The rows; `None` is NULL.
    pub rows: Vec<Vec<Option<Arc<str>>>>,
}

/// Characters shown of a cell; of bytes, half as many bytes in hexadecimal digits.
const CELL: usize = 200;

/// The first rows of a table, at most `limit`, each cell at most 200 characters and an ellipsis.
pub fn preview(connection: &Connection, table: &str, limit: usize) -> DetectResult<Preview> {
    let tables = schema::read(connection)?;
    let at = tables.into_iter().find(|known| *known.name == *table);
    let table = at.ok_or_else(|| DetectError::NoTable { table: table.to_owned() })?;
    let cells =
        table.columns.iter().map(|column| format!("substr({0}, 1, {1})", quoted(&column.name), CELL + 1));
    let cells = cells.collect::<Vec<_>>().join(", ");
    let columns = table.columns.iter().map(|column| Arc::clone(&column.name)).collect();
    if cells.is_empty() {
        return Ok(Preview { columns, rows: Vec::new() });
    }
    let mut statement =
        connection.prepare(&format!("SELECT {cells} FROM {} LIMIT {limit}", quoted(&table.name)))?;
    let mut found = statement.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let cells = (0..table.columns.len()).map(|at| Ok(cell(row.get_ref(at)?)));
        rows.push(cells.collect::<rusqlite::Result<_>>()?);
    }
    Ok(Preview { columns, rows })
}

fn cell(value: ValueRef<'_>) -> Option<Arc<str>> {
    let (text, is_cut) = match value {
        ValueRef::Null => return None,
        ValueRef::Integer(number) => (number.to_string(), false),
        ValueRef::Real(number) => (number.to_string(), false),
        ValueRef::Text(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            (text.chars().take(CELL).collect(), text.chars().nth(CELL).is_some())
        }
        ValueRef::Blob(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.chars().any(|c| c.is_control() && c != '\n') => {
                (text.chars().take(CELL).collect(), text.chars().nth(CELL).is_some())
            }
            _ => {
                let shown = bytes.get(..bytes.len().min(CELL / 2)).unwrap_or_default();
                (format!("0x{}", Stored::Blob(shown.into()).to_hex()), bytes.len() > CELL / 2)
            }
        },
    };
    Some(if is_cut { format!("{text}…").into() } else { text.into() })
}
