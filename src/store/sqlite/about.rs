//! About how many events there are, from a few looks into the tables.

use rusqlite::{Connection, OptionalExtension as _};

use crate::{
    model::{EventKey, KeyPart},
    store::{
        StoreError, StoreResult,
        sqlite::{
            access::Access,
            plan::{Plan, quote},
        },
    },
    work::Work,
};

/// So many places of a table are looked at.
const PLACES: i128 = 32;

/// So many rows at each of them.
const ROWS: i64 = 64;

/// About how many events come after a key; `None` if the tables have no row numbers to tell by.
pub(super) fn how_many(
    (access, work): (&Access, &Work),
    plan: &Plan,
    after: Option<&EventKey>,
) -> StoreResult<Option<u64>> {
    let Some(rowid) = plan.rowid else { return Ok(None) };
    let (first_part, behind) = match after {
        Some(key) if plan.is_by_rowid => {
            let (part, key) = plan.split(key);
            let Some(KeyPart::Integer(behind)) = key.first() else { return Ok(None) };
            (part, Some(*behind))
        }
        // Where rows do not lie in the order of their numbers, no number says what is behind.
        Some(_) => return Ok(None),
        None => (0, None),
    };
    let read = |connection: &Connection| -> rusqlite::Result<u64> {
        let mut rows = 0;
        for (number, table) in plan.parts.iter().enumerate().skip(first_part) {
            let behind = behind.filter(|_| number == first_part);
            rows += rows_of(connection, &quote(table), rowid, behind)?;
        }
        Ok(rows)
    };
    match access.read(work, "looking how many events there are", read) {
        Ok(rows) => Ok(Some(rows)),
        Err(error @ StoreError::Cancelled(_)) => Err(error),
        // Whoever reads the events meets the same trouble, and says it.
        Err(_) => Ok(None),
    }
}

/// About how many rows a table has behind a row number: as many as numbers, but for the holes that are seen at
/// some places.
fn rows_of(connection: &Connection, table: &str, rowid: &str, behind: Option<i64>) -> rusqlite::Result<u64> {
    let least = behind.map_or(i64::MIN, |behind| behind.saturating_add(1));
    let end = |direction: &str| {
        let sql =
            format!("SELECT {rowid} FROM {table} WHERE {rowid} >= ? ORDER BY {rowid} {direction} LIMIT 1");
        connection.query_row(&sql, [least], |row| row.get::<_, i64>(0)).optional()
    };
    let (Some(first), Some(last)) = (end("ASC")?, end("DESC")?) else { return Ok(0) };
    let span = i128::from(last) - i128::from(first) + 1;
    let sql = format!(
        "SELECT max(r), count(*) FROM (SELECT {rowid} AS r FROM {table} WHERE {rowid} >= ? ORDER BY {rowid} LIMIT {ROWS})"
    );
    let mut statement = connection.prepare(&sql)?;
    let (mut numbers, mut rows) = (0, 0);
    for place in 0..PLACES {
        let at = i128::from(first) + span * place / PLACES;
        let (last_there, there): (Option<i64>, i64) =
            statement.query_row([at as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some(last_there) = last_there else { continue };
        // The numbers that were passed, not just those up to the last row: at the end there are no more.
        let passed = if there < ROWS { i128::from(last) } else { i128::from(last_there) } - at + 1;
        numbers += passed;
        rows += i128::from(there);
    }
    if numbers <= 0 {
        return Ok(0);
    }
    Ok(u64::try_from((span * rows / numbers).min(span)).unwrap_or(u64::MAX))
}
