//! A bounded look at a table's rows: the first and last ones whole, more of them in narrow columns.
//!
//! The cost does not grow with the table: rows are taken from both ends of its own order, and long
//! values are cut inside SQLite, so that no payload of a hundred megabytes is ever loaded here.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::{
    model::Stored,
    store::{
        decode::Value,
        detect::{
            DetectResult,
            schema::{Table, quoted},
        },
    },
    work::Work,
};

/// Rows taken whole from each end.
const WHOLE: usize = 150;
/// Rows taken from the start in narrow columns, of a table of short rows…
const NARROW: usize = 3000;
/// …and of any other, unless so many bytes hold more: the whole rows are read to get at their columns.
const FEWEST_NARROW: usize = 500;
/// What a store whose file nobody has read yet can be asked for without a wait.
const NARROW_READ: usize = 480 << 10;
/// Values looked at in narrow columns, so that a table of many columns takes no longer.
const CELLS: usize = 200_000;
/// Longer values are cut to [`KEPT`].
const LONGEST: usize = 64 << 10;
/// Bytes or characters kept of a value that is too long.
const KEPT: usize = 4 << 10;
/// A column whose values are longer on average is not narrow.
const NARROW_BYTES: usize = 200;

/// What was looked at.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// Whole rows: the first ones in order, then the last ones in order.
    pub(super) rows: Vec<Vec<Stored>>,
    /// Of each column, the first rows' values as small numbers that are equal where the values are;
    /// `None` stands for NULL. Empty for columns that are not narrow.
    pub(super) ids: Vec<Vec<Option<u32>>>,
    /// Of each column, the first rows' values as integers, where they are.
    pub(super) integers: Vec<Vec<Option<i64>>>,
    /// What went wrong while reading.
    pub(super) trouble: Option<String>,
}

/// Takes the sample; damage in the file ends it early and is noted.
pub(super) fn take(connection: &Connection, table: &Table, work: &Work) -> DetectResult<Sample> {
    work.advance(1)?;
    let mut sample = Sample::default();
    if table.columns.is_empty() {
        return Ok(sample);
    }
    let columns =
        table.columns.iter().map(|column| cut(&quoted(&column.name))).collect::<Vec<_>>().join(", ");
    let (forwards, backwards) = orders(table);
    let name = quoted(&table.name);
    let sql = format!("SELECT {columns} FROM {name}{forwards} LIMIT {WHOLE}");
    let outcome = rows(connection, &sql, &mut sample.rows);
    note(&mut sample, outcome);
    if let Some(backwards) = backwards.filter(|_| table.rows as usize > WHOLE) {
        let left = WHOLE.min(table.rows as usize - WHOLE);
        let sql = format!("SELECT {columns} FROM {name}{backwards} LIMIT {left}");
        let mut last = Vec::new();
        let outcome = rows(connection, &sql, &mut last);
        note(&mut sample, outcome);
        sample.rows.extend(last.into_iter().rev());
    }
    work.advance(1)?;
    Ok(sample)
}

impl Sample {
    /// The whole rows from the table's end, the last one first; none of a table that is short.
    pub(super) fn last_rows(&self) -> impl Iterator<Item = &[Stored]> {
        self.rows.iter().skip(WHOLE).rev().map(Vec::as_slice)
    }
}

fn note(sample: &mut Sample, outcome: rusqlite::Result<()>) {
    if let Err(err) = outcome {
        sample.trouble = Some(err.to_string());
    }
}

/// The clause for the table's own order, and for the same backwards.
fn orders(table: &Table) -> (String, Option<String>) {
    if table.has_rowid {
        return (" ORDER BY rowid".to_owned(), Some(" ORDER BY rowid DESC".to_owned()));
    }
    if table.primary.is_empty() {
        return (String::new(), None);
    }
    let clause = |direction: &str| {
        let columns = table.primary.iter().map(|at| format!("{}{direction}", quoted(&table.name_of(*at))));
        format!(" ORDER BY {}", columns.collect::<Vec<_>>().join(", "))
    };
    (clause(""), Some(clause(" DESC")))
}

/// The column, cut where it is too long. Its length in bytes stands in the row's header, so that
/// asking for it reads nothing.
fn cut(column: &str) -> String {
    format!("CASE WHEN octet_length({column}) > {LONGEST} THEN substr({column}, 1, {KEPT}) ELSE {column} END")
}

fn rows(connection: &Connection, sql: &str, into: &mut Vec<Vec<Stored>>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let width = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let cells = (0..width).map(|at| Ok(Value::from(row.get_ref(at)?).to_stored()));
        into.push(cells.collect::<rusqlite::Result<_>>()?);
    }
    Ok(())
}

/// Fills [`Sample::ids`] and [`Sample::integers`]: from further rows if they are worth the look,
/// else from the first ones that were taken whole.
pub(super) fn narrow(connection: &Connection, table: &Table, sample: &mut Sample, is_worth: bool) {
    let is_narrow: Vec<bool> =
        (0..table.columns.len()).map(|at| mean_length(sample, at) <= NARROW_BYTES).collect();
    let mut more = Vec::new();
    if is_worth && table.rows as usize > WHOLE {
        let columns = table
            .columns
            .iter()
            .zip(&is_narrow)
            .map(|(column, narrow)| if *narrow { cut(&quoted(&column.name)) } else { "NULL".to_owned() });
        let columns = columns.collect::<Vec<_>>().join(", ");
        let by_bytes = (NARROW_READ / row_length(sample).max(1)).max(FEWEST_NARROW);
        let limit = (CELLS / table.columns.len().max(1)).min(by_bytes).clamp(WHOLE, NARROW);
        let (forwards, _) = orders(table);
        let sql = format!("SELECT {columns} FROM {}{forwards} LIMIT {limit}", quoted(&table.name));
        let outcome = rows(connection, &sql, &mut more);
        note(sample, outcome);
    } else {
        more = sample.rows.iter().take(WHOLE).cloned().collect();
    }
    for (at, narrow) in is_narrow.into_iter().enumerate() {
        let cells = || more.iter().filter_map(|row| row.get(at));
        let (ids, integers) = if narrow {
            (interned(cells()), cells().map(|cell| Value::from(cell).as_i64()).collect())
        } else {
            (Vec::new(), Vec::new())
        };
        sample.ids.push(ids);
        sample.integers.push(integers);
    }
}

/// How long a row is on average.
fn row_length(sample: &Sample) -> usize {
    let columns = sample.rows.first().map_or(0, Vec::len);
    (0..columns).map(|column| mean_length(sample, column)).sum()
}

fn mean_length(sample: &Sample, column: usize) -> usize {
    let lengths = sample.rows.iter().filter_map(|row| match row.get(column)? {
        Stored::Text(bytes) | Stored::Blob(bytes) => Some(bytes.len()),
        Stored::Null => None,
        Stored::Integer(_) | Stored::Real(_) => Some(8),
    });
    let (count, sum) = lengths.fold((0, 0), |(count, sum), length| (count + 1, sum + length));
    sum / usize::max(count, 1)
}

fn interned<'a>(cells: impl Iterator<Item = &'a Stored>) -> Vec<Option<u32>> {
    let mut known: BTreeMap<(u8, Vec<u8>), u32> = BTreeMap::new();
    let ids = cells.map(|cell| {
        let kind = match cell {
            Stored::Null => return None,
            Stored::Integer(_) | Stored::Real(_) => 0,
            Stored::Text(_) => 1,
            Stored::Blob(_) => 2,
        };
        let next = known.len() as u32;
        Some(*known.entry((kind, cell.bytes().to_vec())).or_insert(next))
    });
    ids.collect()
}
