//! What was written down of rows, read back: states and histories of rows.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, Statement, params_from_iter};

use crate::{
    model::Stored,
    projection::{
        RowAt, RowChange, RowKey, Scratch, ScratchError,
        history::{DELETED, INDEX, behind_commas},
    },
    store::sqlite::{Bound, stored},
};

/// One line of `timeglass_change`.
#[derive(Debug, Clone, PartialEq)]
struct Change {
    count: u64,
    is_deleted: bool,
    values: Arc<[Stored]>,
}

impl Change {
    /// Whether both leave the row in the same state.
    fn is_same_state(&self, other: &Self) -> bool {
        self.is_deleted == other.is_deleted && (self.is_deleted || self.values == other.values)
    }
}

/// The states of rows, read over one connection: one moment of the scratch database.
pub(super) struct RowStates {
    connection: Connection,
    scratch: Scratch,
    /// Names of the value columns: `, c0, c1`.
    values: String,
    columns: usize,
    /// Which of the columns are the key.
    key: Arc<[usize]>,
}

type Reading<T> = Result<T, ScratchError>;

impl RowStates {
    /// Over a connection that reads.
    pub(super) fn new(connection: Connection, scratch: &Scratch, columns: usize, key: &Arc<[usize]>) -> Self {
        let values = behind_commas((0..columns).map(|number| format!("c{number}")));
        Self { connection, scratch: scratch.clone(), values, columns, key: Arc::clone(key) }
    }

    fn prepare(&self, sql: &str) -> Reading<Statement<'_>> {
        self.connection.prepare(sql).map_err(self.failed())
    }

    fn failed(&self) -> impl FnOnce(rusqlite::Error) -> ScratchError + use<> {
        self.scratch.failed("rows were read")
    }

    /// How many rows had been born by then. Rows are numbered in the order of birth, so halving finds it.
    pub(super) fn born_by(&self, count: u64) -> Reading<u64> {
        let last: Option<i64> = self
            .connection
            .query_row("SELECT max(row) FROM timeglass_row", [], |row| row.get(0))
            .map_err(self.failed())?;
        let mut born = self.prepare("SELECT born FROM timeglass_row WHERE row = ?1")?;
        let (mut low, mut high) = (0_i64, last.unwrap_or(0));
        while low < high {
            let middle = low + (high - low + 1) / 2;
            let at: i64 = born.query_row([middle], |row| row.get(0)).map_err(self.failed())?;
            if at.max(0) as u64 <= count { low = middle } else { high = middle - 1 }
        }
        Ok(low as u64)
    }

    /// Rows by their numbers from 1, as they were; `meet` says whether to go on.
    pub(super) fn each_of(
        &self,
        rows: impl IntoIterator<Item = u64>,
        count: u64,
        meet: &mut dyn FnMut(u64, RowAt) -> bool,
    ) -> Reading<()> {
        let mut statement = self.prepare(&format!(
            "SELECT count, op{} FROM timeglass_change INDEXED BY {INDEX} WHERE row = ?1 AND count <= ?2 \
             ORDER BY count DESC, change DESC",
            self.values
        ))?;
        for row in rows {
            let found = self.state(&mut statement, row, count).map_err(self.failed())?;
            if let Some(found) = found
                && !meet(row, found)
            {
                break;
            }
        }
        Ok(())
    }

    /// The state of one row, from its changes in falling order.
    fn state(&self, statement: &mut Statement<'_>, row: u64, count: u64) -> rusqlite::Result<Option<RowAt>> {
        let mut changes = statement.query([row as i64, i64::try_from(count).unwrap_or(i64::MAX)])?;
        let Some(newest) = changes.next()? else { return Ok(None) };
        let newest = self.change(newest)?;
        let (mut since, mut values) = (newest.count, Arc::clone(&newest.values));
        // An update may have left the row as it was; what a deleted row held is told by the change before.
        while let Some(older) = changes.next()? {
            let older = self.change(older)?;
            if newest.is_deleted && !older.is_deleted {
                values = older.values;
                break;
            }
            if !older.is_same_state(&newest) {
                break;
            }
            since = older.count;
        }
        let key = self.key_of(row, &values);
        Ok(Some(RowAt { key, values, is_deleted: newest.is_deleted, since }))
    }

    /// Every change of a row, oldest first; there is one for each event that changed it.
    pub(super) fn history(&self, row: u64) -> Reading<Vec<RowChange>> {
        let mut statement = self.prepare(&format!(
            "SELECT count, op{} FROM timeglass_change INDEXED BY {INDEX} WHERE row = ?1 \
             ORDER BY count, change",
            self.values
        ))?;
        let mut read = || {
            let mut rows = statement.query([row as i64])?;
            let mut found: Vec<Change> = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(self.change(row)?);
            }
            Ok(found)
        };
        let changes: Vec<Change> = read().map_err(self.failed())?;
        let mut found = Vec::new();
        let mut before: Option<Arc<[Stored]>> = None;
        for change in changes {
            let after = (!change.is_deleted).then_some(change.values);
            if before != after {
                found.push(RowChange { count: change.count, before, after: after.clone() });
            }
            before = after;
        }
        Ok(found)
    }

    /// The number of the row with this key.
    pub(super) fn row_of(&self, key: &RowKey) -> Reading<Option<u64>> {
        if self.key.is_empty() {
            return Ok(match &*key.0 {
                [Stored::Integer(number)] if *number > 0 => Some(*number as u64),
                _ => None,
            });
        }
        if key.0.len() != self.key.len() {
            return Ok(None);
        }
        let is_same: Vec<String> = (0..self.key.len()).map(|number| format!("k{number} IS ?")).collect();
        let sql = format!("SELECT row FROM timeglass_row WHERE {}", is_same.join(" AND "));
        let values = params_from_iter(key.0.iter().map(Bound));
        let found: Option<i64> =
            self.prepare(&sql)?.query_row(values, |row| row.get(0)).optional().map_err(self.failed())?;
        Ok(found.map(|row| row as u64))
    }

    fn change(&self, row: &Row<'_>) -> rusqlite::Result<Change> {
        let values = (0..self.columns).map(|number| row.get_ref(number + 2).map(stored));
        Ok(Change {
            count: row.get::<_, i64>(0)?.max(0) as u64,
            is_deleted: row.get::<_, i64>(1)? == DELETED,
            values: values.collect::<rusqlite::Result<_>>()?,
        })
    }

    fn key_of(&self, row: u64, values: &[Stored]) -> RowKey {
        if self.key.is_empty() {
            return RowKey(Arc::from([Stored::Integer(row as i64)]));
        }
        RowKey(self.key.iter().filter_map(|column| values.get(*column).cloned()).collect())
    }
}

/// The rows of a table without history, as they are at its end, in the order of their rowids.
pub(super) fn each_row(
    connection: &Connection,
    table: &str,
    columns: usize,
    meet: &mut dyn FnMut(Vec<Stored>) -> bool,
) -> rusqlite::Result<()> {
    let table = crate::projection::sql_text::quote(table);
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|number| row.get_ref(number).map(stored));
        if !meet(values.collect::<rusqlite::Result<_>>()?) {
            break;
        }
    }
    Ok(())
}
