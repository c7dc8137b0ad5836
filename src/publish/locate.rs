//! Finding the rows that edits describe, exactly as they describe them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use rusqlite::Connection;

use crate::{
    model::{Stored, TableShape},
    publish::{PublishError, RowPlace},
    store::sqlite::{Bound, quote, stored},
    work::Work,
};

/// What names a row for as long as the transaction lasts: its row number, or its key where it has none.
pub(super) type RowId = Vec<Stored>;

/// A table that is written.
pub(super) struct Table<'c> {
    pub(super) connection: &'c Connection,
    pub(super) shape: TableShape,
    /// Its name as SQL spells it.
    pub(super) name: String,
    /// What names a row, as SQL spells it.
    pub(super) row: Vec<String>,
    /// Whether rows have a row number that is no column of its own.
    pub(super) has_own_number: bool,
}

/// The rows that were found, by the place in the edits.
#[derive(Debug, Default)]
pub(super) struct Located {
    pub(super) updates: Vec<RowId>,
    pub(super) deletes: Vec<RowId>,
}

/// The columns that name rows.
type Columns = Vec<Arc<str>>;

/// By the values of those columns: the rows that were found, and how many are looked for.
type Sought = BTreeMap<Vec<u8>, (Vec<RowId>, u64)>;

/// Rows that look as one place says, without those that are spoken for.
#[derive(Default)]
struct Found {
    place: Vec<(Arc<str>, Stored)>,
    rows: Vec<RowId>,
}

/// Looks for places one after the other; no row is found twice.
pub(super) struct Locator<'a> {
    table: &'a Table<'a>,
    claimed: BTreeSet<Vec<u8>>,
    latest: Found,
    /// The rows at places that no index leads to, found in one pass over the table: by columns and values.
    passed: BTreeMap<Columns, BTreeMap<Vec<u8>, Vec<RowId>>>,
}

impl<'c> Table<'c> {
    /// Settles how rows of the table are named.
    pub(super) fn new(connection: &'c Connection, shape: TableShape) -> rusqlite::Result<Self> {
        let is_without: i64 = connection.query_row(
            "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1",
            [&*shape.table],
            |row| row.get(0),
        )?;
        let mut keys: Vec<_> = shape.columns.iter().filter(|column| column.key > 0).collect();
        keys.sort_by_key(|column| column.key);
        let is_taken = |name: &str| shape.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        let number = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_taken(name));
        let is_number = matches!(keys.as_slice(), [one] if one.declared.eq_ignore_ascii_case("integer"));
        let row = match number {
            Some(number) if is_without == 0 => vec![number.to_owned()],
            _ => keys.iter().map(|column| quote(&column.name)).collect(),
        };
        let has_own_number = is_without == 0 && !is_number && number.is_some();
        Ok(Self { connection, name: quote(&shape.table), row, has_own_number, shape })
    }

    /// The condition that a row is this one; its values are bound from `first` on.
    pub(super) fn is_row(&self, first: usize) -> String {
        let equal = |(place, column): (usize, &String)| format!("{column} = ?{}", first + place);
        self.row.iter().enumerate().map(equal).collect::<Vec<_>>().join(" AND ")
    }

    pub(super) fn failed(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> PublishError + use<'_> {
        move |source| {
            let path = self.connection.path().unwrap_or_default().into();
            PublishError::Sqlite { path, doing, source }
        }
    }

    /// How many rows there are.
    pub(super) fn count(&self) -> Result<u64, PublishError> {
        let sql = format!("SELECT count(*) FROM {}", self.name);
        let count = self.connection.query_row(&sql, [], |row| row.get::<_, i64>(0));
        count.map(i64::unsigned_abs).map_err(self.failed("counting rows"))
    }

    /// Every row that looks so, up to one more than there should be.
    fn rows_like(&self, place: &RowPlace) -> rusqlite::Result<Vec<RowId>> {
        // Plain comparisons, so that indexes are used; what they take for equal is looked at again below.
        let equal = |(at, (column, value)): (usize, &(Arc<str>, Stored))| match value {
            Stored::Null => format!("{} IS ?{}", quote(column), at + 1),
            _ => format!("{} = ?{}", quote(column), at + 1),
        };
        let conditions: Vec<String> = place.is.iter().enumerate().map(equal).collect();
        let columns = place.is.iter().map(|(column, _)| quote(column));
        let columns: Vec<String> = self.row.iter().cloned().chain(columns).collect();
        let sql =
            format!("SELECT {} FROM {} WHERE {}", columns.join(", "), self.name, conditions.join(" AND "));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let bound = rusqlite::params_from_iter(place.is.iter().map(|(_, value)| Bound(value)));
        let mut rows = statement.query(bound)?;
        let mut found = Vec::new();
        let named = self.row.len();
        while let Some(row) = rows.next()? {
            let mut is_same = true;
            for (at, (_, value)) in place.is.iter().enumerate() {
                is_same &= stored(row.get_ref(named + at)?) == *value;
            }
            if is_same {
                found.push((0..named).map(|at| row.get_ref(at).map(stored)).collect::<Result<_, _>>()?);
            }
            if found.len() as u64 > place.alike {
                break;
            }
        }
        Ok(found)
    }
}

/// So few places are looked for one by one, whatever that takes.
const FEW: usize = 8;

/// Rows between two looks at whether the work was withdrawn.
const PORTION: u64 = 4096;

/// What a place names: columns, and the bytes of their values.
fn named(place: &RowPlace) -> (Vec<Arc<str>>, Vec<u8>) {
    let columns = place.is.iter().map(|(name, _)| Arc::clone(name)).collect();
    (columns, Stored::row_bytes(place.is.iter().map(|(_, value)| value)))
}

impl Table<'_> {
    /// Whether SQLite would go through the whole table to find rows by these columns.
    fn is_scanned(&self, columns: &[Arc<str>]) -> rusqlite::Result<bool> {
        let conditions: Vec<String> = columns.iter().map(|name| format!("{} = ?", quote(name))).collect();
        let sql =
            format!("EXPLAIN QUERY PLAN SELECT 1 FROM {} WHERE {}", self.name, conditions.join(" AND "));
        let mut statement = self.connection.prepare(&sql)?;
        let bound = rusqlite::params_from_iter(columns.iter().map(|_| rusqlite::types::Null));
        let mut steps = statement.query(bound)?;
        while let Some(step) = steps.next()? {
            if step.get::<_, String>("detail")?.starts_with("SEARCH") {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes through the table once, and notes the rows whose values are wanted: so many as there should be, and
    /// one more.
    fn pass(
        &self,
        columns: &[Arc<str>],
        wanted: &mut BTreeMap<Vec<u8>, (Vec<RowId>, u64)>,
        work: &Work,
    ) -> Result<(), PublishError> {
        let names: Vec<String> =
            self.row.iter().cloned().chain(columns.iter().map(|name| quote(name))).collect();
        let sql = format!("SELECT {} FROM {}", names.join(", "), self.name);
        let failed = self.failed("looking for rows");
        let mut statement = self.connection.prepare(&sql).map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        let (named, mut seen) = (self.row.len(), 0_u64);
        let values = |row: &rusqlite::Row<'_>, places: std::ops::Range<usize>| {
            places.map(|at| row.get_ref(at).map(stored)).collect::<rusqlite::Result<Vec<Stored>>>()
        };
        while let Some(row) = rows.next().map_err(&failed)? {
            seen += 1;
            if seen.is_multiple_of(PORTION) {
                // These are no steps of what was announced.
                work.advance(0)?;
            }
            let own = values(row, named..names.len()).map_err(&failed)?;
            if let Some((found, alike)) = wanted.get_mut(&Stored::row_bytes(&own))
                && found.len() as u64 <= *alike
            {
                found.push(values(row, 0..named).map_err(&failed)?);
            }
        }
        Ok(())
    }
}

impl<'a> Locator<'a> {
    pub(super) fn new(table: &'a Table<'a>) -> Self {
        Self { table, claimed: BTreeSet::new(), latest: Found::default(), passed: BTreeMap::new() }
    }

    /// Looks for many places at once where each alone would take a pass over the whole table. A place that is
    /// found too often is noticed when its turn comes.
    pub(super) fn look_ahead<'e>(
        &mut self,
        places: impl Iterator<Item = &'e RowPlace>,
        work: &Work,
    ) -> Result<(), PublishError> {
        let mut sets: BTreeMap<Columns, Sought> = BTreeMap::new();
        for place in places {
            let (columns, bytes) = named(place);
            sets.entry(columns).or_default().insert(bytes, (Vec::new(), place.alike));
        }
        for (columns, mut wanted) in sets {
            let is_slow = wanted.len() >= FEW && self.table.is_scanned(&columns).map_err(self.reading())?;
            if !is_slow {
                continue;
            }
            self.table.pass(&columns, &mut wanted, work)?;
            let rows = wanted.into_iter().map(|(bytes, (rows, _))| (bytes, rows)).collect();
            self.passed.insert(columns, rows);
        }
        Ok(())
    }

    fn reading(&self) -> impl Fn(rusqlite::Error) -> PublishError + use<'a> {
        self.table.failed("looking for rows")
    }

    /// Every row at a place, up to one more than there should be.
    fn rows_at(&self, place: &RowPlace) -> Result<Vec<RowId>, PublishError> {
        let (columns, bytes) = named(place);
        match self.passed.get(&columns) {
            Some(found) => Ok(found.get(&bytes).cloned().unwrap_or_default()),
            None => self.table.rows_like(place).map_err(self.reading()),
        }
    }

    /// The row at a place.
    pub(super) fn find(&mut self, place: &RowPlace) -> Result<RowId, PublishError> {
        // Places of rows that are alike come one after the other: those are looked for once.
        if self.latest.place != place.is {
            let mut rows = self.rows_at(place)?;
            if rows.len() as u64 != place.alike {
                return Err(self.moved(place, rows.len() as u64));
            }
            // Taken from the end; by then the first one is there.
            rows.reverse();
            self.latest = Found { place: place.is.clone(), rows };
        }
        while let Some(row) = self.latest.rows.pop() {
            if self.claimed.insert(Stored::row_bytes(&row)) {
                return Ok(row);
            }
        }
        Err(self.moved(place, 0))
    }

    fn moved(&self, place: &RowPlace, found: u64) -> PublishError {
        PublishError::RowMoved {
            table: Arc::clone(&self.table.shape.table),
            row: words(&place.is),
            found,
            wanted: place.alike,
        }
    }
}

/// The most columns of a row that a message names.
const NAMED: usize = 4;

/// The most letters of a value in a message.
const LETTERS: usize = 40;

/// A row in a message: `order_id = 'order-17', status = 'paid', …`.
pub(super) fn words(values: &[(Arc<str>, Stored)]) -> String {
    let mut text = String::new();
    for (place, (column, value)) in values.iter().take(NAMED).enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        write!(text, "{separator}{column} = {}", value.to_short_words(LETTERS)).ok();
    }
    if values.len() > NAMED {
        text.push_str(", …");
    }
    text
}
