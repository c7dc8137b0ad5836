//! The rows of two tables side by side, however many there are.
//!
//! Both are written into a temporary database of ours that SQLite keeps on disk, and read back in one order, so
//! that memory holds only rows that may belong together.

use std::sync::Arc;

use rusqlite::{Connection, params};

use crate::{
    model::{Json, Pointer, Stored},
    projection::{
        Column, ReadModel, RowKey, ScratchError,
        drift::{
            DriftError, Pairing,
            equality::{Likeness, same, write_sketch},
        },
    },
    store::{EventStore, read::Onward},
    work::{Cancelled, Work},
};

/// A row that is not the same in both tables.
///
/// Values stand in the order of [`Pairing::key`], [`Pairing::columns`], [`Pairing::counted`].
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// What the stored table holds; `None` if it has no such row.
    pub stored: Option<Vec<Stored>>,
    /// What the events make; `None` if they make no such row.
    pub rebuilt: Option<Vec<Stored>>,
    /// The rebuilt row's own key.
    pub row: Option<RowKey>,
    /// The places of the values that differ, key and counted columns never among them; empty for a row that
    /// only one of the tables has.
    pub differing: Vec<usize>,
}

/// What a comparison went over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    /// Rows of the stored table.
    pub stored: u64,
    /// Rows that the events make.
    pub rebuilt: u64,
    /// In how many rows each of [`Pairing::counted`] differs.
    pub counted: Vec<u64>,
}

/// Meets every row that the stored table and the read model at its end have not in common, in no promised
/// order. This is what both the report and publishing start from.
pub fn differences(
    work: &Work,
    store: &dyn EventStore,
    model: &ReadModel,
    pairing: &Pairing,
    visit: &mut dyn FnMut(Difference),
) -> Result<Compared, DriftError> {
    let sorter = Sorter::new(model, pairing)?;
    let mut compared = Compared { counted: vec![0; pairing.counted.len()], ..Compared::default() };
    compared.stored = sorter.take_stored(work, store)?;
    compared.rebuilt = sorter.take_rebuilt(work, model)?;
    sorter.merge(work, &mut compared.counted, visit)?;
    Ok(compared)
}

/// Takes the values of a pairing out of a rebuilt row.
pub(super) struct Reader {
    sources: Vec<Source>,
}

enum Source {
    Column(usize),
    /// Into the JSON of a column.
    Inside(usize, Pointer),
    Nowhere,
}

impl Reader {
    pub(super) fn new(columns: &[Column], pairing: &Pairing) -> Self {
        let place = |name: &str| columns.iter().position(|column| &*column.name == name);
        let source = |name: &str| match (place(name), Pointer::parse(name), place("state")) {
            (Some(place), _, _) => Source::Column(place),
            (None, Some(pointer), Some(state)) => Source::Inside(state, pointer),
            _ => Source::Nowhere,
        };
        Self { sources: pairs(pairing).map(|(_, own)| source(own)).collect() }
    }

    pub(super) fn values(&self, row: &[Stored]) -> Vec<Stored> {
        // One state is parsed once, however many pointers lead into it.
        let mut parsed: Option<(usize, Json)> = None;
        let mut inside = |column: usize, pointer: &Pointer| {
            if parsed.as_ref().is_none_or(|(own, _)| *own != column) {
                let json = match row.get(column) {
                    Some(Stored::Text(text)) => Json::parse(text).unwrap_or_default(),
                    _ => Json::Null,
                };
                parsed = Some((column, json));
            }
            parsed
                .as_ref()
                .map_or(Stored::Null, |(_, json)| pointer.resolve(json).map_or(Stored::Null, stored))
        };
        let values = self.sources.iter().map(|source| match source {
            Source::Column(place) => row.get(*place).cloned().unwrap_or_default(),
            Source::Inside(column, pointer) => inside(*column, pointer),
            Source::Nowhere => Stored::Null,
        });
        values.collect()
    }
}

/// A part of a state as a column would hold it.
fn stored(json: &Json) -> Stored {
    match json {
        Json::Null => Stored::Null,
        Json::Bool(value) => Stored::Integer(i64::from(*value)),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Stored::Real(number.as_f64()), Stored::Integer)
        }
        Json::Text(text) => Stored::Text(text.as_bytes().into()),
        Json::Array(_) | Json::Object(_) => Stored::Text(json.to_compact().into_bytes().into()),
    }
}

/// Every pair of columns in the order of a row's values.
pub(super) fn pairs(pairing: &Pairing) -> impl Iterator<Item = &(Arc<str>, Arc<str>)> {
    pairing.key.iter().chain(&pairing.columns).chain(&pairing.counted)
}

/// What is known of each pair, in the same order.
pub(super) fn likenesses(pairing: &Pairing) -> Vec<Likeness> {
    pairs(pairing).map(|(name, _)| pairing.likeness.get(name).copied().unwrap_or_default()).collect()
}

struct Sorter<'a> {
    connection: Connection,
    model: &'a ReadModel,
    pairing: &'a Pairing,
    likenesses: Vec<Likeness>,
}

/// One row as the merge holds it.
struct Held {
    values: Vec<Stored>,
    row: RowKey,
    is_matched: bool,
}

/// Which table a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Side {
    #[default]
    Stored,
    Rebuilt,
}

/// Rows that sort together. Those that both tables hold to the byte cancel each other out as they are met, so
/// that only what may differ is held, however many rows a table without a key has alike.
#[derive(Default)]
struct Group {
    stored: Vec<Held>,
    rebuilt: Vec<Held>,
    /// The values of the rows that are met just now, as bytes.
    body: Vec<u8>,
    /// The side that has more of these, and its rows.
    side: Side,
    rows: Vec<Vec<u8>>,
}

impl Group {
    fn meet(&mut self, side: Side, body: &[u8], row: &[u8]) {
        if self.body != body {
            self.end_run();
            body.clone_into(&mut self.body);
        }
        if self.side != side && self.rows.pop().is_some() {
            return;
        }
        self.side = side;
        self.rows.push(row.to_vec());
    }

    /// Holds what was left over of equal rows.
    fn end_run(&mut self) {
        let held = match self.side {
            Side::Stored => &mut self.stored,
            Side::Rebuilt => &mut self.rebuilt,
        };
        for row in self.rows.drain(..) {
            let row = RowKey(read_values(&mut &*row).into());
            held.push(Held { values: read_values(&mut &*self.body), row, is_matched: false });
        }
    }
}

impl<'a> Sorter<'a> {
    fn new(model: &'a ReadModel, pairing: &'a Pairing) -> Result<Self, DriftError> {
        // An empty name is a database of its own in a file that SQLite makes and takes away.
        let opened = Connection::open("").and_then(|connection| {
            connection.execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384; \
                 PRAGMA temp_store = FILE; BEGIN; \
                 CREATE TABLE side_by_side (sketch BLOB, body BLOB, side INTEGER, row BLOB)",
            )?;
            Ok(connection)
        });
        let connection = opened.map_err(|source| failed(model, "making room for a comparison", source))?;
        Ok(Self { connection, model, pairing, likenesses: likenesses(pairing) })
    }

    fn failed(&self, source: rusqlite::Error) -> DriftError {
        failed(self.model, "comparing rows", source)
    }

    /// How many values make up what rows are sorted by: the key, or everything that is compared.
    fn width(&self) -> usize {
        match self.pairing.key.len() {
            0 => self.pairing.columns.len(),
            width => width,
        }
    }

    fn put(
        &self,
        insert: &mut rusqlite::Statement<'_>,
        side: i64,
        values: &[Stored],
        row: &[Stored],
    ) -> rusqlite::Result<()> {
        let mut sketch = Vec::new();
        for (value, likeness) in values.iter().zip(&self.likenesses).take(self.width()) {
            write_sketch(&mut sketch, value, *likeness);
        }
        let (mut body, mut key) = (Vec::new(), Vec::new());
        write_values(&mut body, values);
        write_values(&mut key, row);
        insert.execute(params![sketch, body, side, key]).map(|_| ())
    }

    fn take_stored(&self, work: &Work, store: &dyn EventStore) -> Result<u64, DriftError> {
        let names: Vec<Arc<str>> = pairs(self.pairing).map(|(name, _)| Arc::clone(name)).collect();
        let mut insert = self
            .connection
            .prepare("INSERT INTO side_by_side VALUES (?1, ?2, ?3, ?4)")
            .map_err(|source| self.failed(source))?;
        let (mut rows, mut refused) = (0, None);
        store.table_rows(work, &self.pairing.table, &names, &mut |values| {
            rows += 1;
            refused = self.put(&mut insert, 0, values, &[]).err();
            // What cannot be taken in is an error, however many there are.
            if refused.is_none() { Onward::On } else { Onward::Enough }
        })?;
        refused.map_or(Ok(rows), |source| Err(self.failed(source)))
    }

    fn take_rebuilt(&self, work: &Work, model: &ReadModel) -> Result<u64, DriftError> {
        let reader = Reader::new(model.columns(), self.pairing);
        let mut insert = self
            .connection
            .prepare("INSERT INTO side_by_side VALUES (?1, ?2, ?3, ?4)")
            .map_err(|source| self.failed(source))?;
        let (mut rows, mut refused) = (0, None);
        model.each_at(work, model.progress().count, &mut |row| {
            if row.is_deleted {
                return;
            }
            rows += 1;
            if refused.is_none() {
                refused = self.put(&mut insert, 1, &reader.values(&row.values), &row.key.0).err();
            }
        })?;
        if work.is_cancelled() {
            return Err(Cancelled.into());
        }
        refused.map_or(Ok(rows), |source| Err(self.failed(source)))
    }

    fn merge(
        &self,
        work: &Work,
        counted: &mut [u64],
        visit: &mut dyn FnMut(Difference),
    ) -> Result<(), DriftError> {
        let mut statement = self
            .connection
            .prepare("SELECT sketch, body, side, row FROM side_by_side ORDER BY sketch, body")
            .map_err(|source| self.failed(source))?;
        let mut rows = statement.query([]).map_err(|source| self.failed(source))?;
        let mut sketch: Vec<u8> = Vec::new();
        let mut group = Group::default();
        while let Some(row) = rows.next().map_err(|source| self.failed(source))? {
            let bytes = |at| row.get_ref(at).ok().and_then(|value| value.as_blob().ok()).unwrap_or_default();
            if bytes(0) != sketch {
                self.settle(work, &mut group, counted, visit)?;
                bytes(0).clone_into(&mut sketch);
            }
            let side =
                if row.get(2).map_err(|source| self.failed(source))? { Side::Rebuilt } else { Side::Stored };
            group.meet(side, bytes(1), bytes(3));
            work.advance(1)?;
        }
        self.settle(work, &mut group, counted, visit)
    }

    /// Finds what belongs together among rows that sort together, and tells the rest.
    fn settle(
        &self,
        work: &Work,
        group: &mut Group,
        counted: &mut [u64],
        visit: &mut dyn FnMut(Difference),
    ) -> Result<(), DriftError> {
        group.end_run();
        let Group { stored, rebuilt, .. } = group;
        let key = self.pairing.key.len();
        let compared = key + self.pairing.columns.len();
        // Equal rows first, so that of several rows with one key the right ones meet.
        for width in if key == 0 { vec![compared] } else { vec![compared, key] } {
            let mut first = 0;
            for own in rebuilt.iter_mut().filter(|own| !own.is_matched) {
                if work.is_cancelled() {
                    return Err(Cancelled.into());
                }
                // Rows often meet in order: what is matched is passed over once.
                first += stored.iter().skip(first).take_while(|other| other.is_matched).count();
                let found = stored.iter_mut().skip(first).find(|other| {
                    !other.is_matched && self.parted(&other.values, &own.values, 0..width).next().is_none()
                });
                let Some(other) = found else { continue };
                (own.is_matched, other.is_matched) = (true, true);
                for place in self.parted(&other.values, &own.values, compared..self.likenesses.len()) {
                    counted.iter_mut().skip(place - compared).take(1).for_each(|count| *count += 1);
                }
                let differing: Vec<usize> = self.parted(&other.values, &own.values, key..compared).collect();
                if !differing.is_empty() {
                    visit(Difference {
                        stored: Some(other.values.clone()),
                        rebuilt: Some(own.values.clone()),
                        row: Some(own.row.clone()),
                        differing,
                    });
                }
            }
        }
        for own in rebuilt.drain(..).filter(|own| !own.is_matched) {
            let (rebuilt, row) = (Some(own.values), Some(own.row));
            visit(Difference { stored: None, rebuilt, row, differing: Vec::new() });
        }
        for other in stored.drain(..).filter(|other| !other.is_matched) {
            let stored = Some(other.values);
            visit(Difference { stored, rebuilt: None, row: None, differing: Vec::new() });
        }
        Ok(())
    }

    /// The places in a range where the values of two rows differ.
    fn parted<'v>(
        &'v self,
        stored: &'v [Stored],
        rebuilt: &'v [Stored],
        places: std::ops::Range<usize>,
    ) -> impl Iterator<Item = usize> + 'v {
        places.filter(move |place| match (stored.get(*place), rebuilt.get(*place)) {
            (Some(stored), Some(rebuilt)) => {
                !same(stored, rebuilt, self.likenesses.get(*place).copied().unwrap_or_default())
            }
            _ => false,
        })
    }
}

fn failed(model: &ReadModel, doing: &str, source: rusqlite::Error) -> DriftError {
    let path = model.scratch().path().to_owned();
    ScratchError::Sqlite { path, doing: doing.to_owned(), source }.into()
}

/// Values as bytes: how many, then each with a tag and its length.
fn write_values(body: &mut Vec<u8>, values: &[Stored]) {
    let length = |length: usize| u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes();
    body.extend(length(values.len()));
    for value in values {
        let (tag, bytes) = match value {
            Stored::Null => (0, Vec::new()),
            Stored::Integer(number) => (1, number.to_be_bytes().to_vec()),
            Stored::Real(number) => (2, number.to_be_bytes().to_vec()),
            Stored::Text(bytes) => (3, bytes.to_vec()),
            Stored::Blob(bytes) => (4, bytes.to_vec()),
        };
        body.push(tag);
        body.extend(length(bytes.len()));
        body.extend(bytes);
    }
}

/// Reads what [`write_values`] wrote.
fn read_values(rest: &mut &[u8]) -> Vec<Stored> {
    fn length(rest: &mut &[u8]) -> usize {
        let Some((bytes, behind)) = rest.split_first_chunk::<8>() else { return 0 };
        *rest = behind;
        usize::try_from(u64::from_be_bytes(*bytes)).unwrap_or_default()
    }
    let mut values = Vec::new();
    for _ in 0..length(rest) {
        let Some((tag, behind)) = rest.split_first() else { break };
        *rest = behind;
        let size = length(rest);
        let Some((bytes, behind)) = rest.split_at_checked(size) else { break };
        *rest = behind;
        let number = || <[u8; 8]>::try_from(bytes).unwrap_or_default();
        values.push(match tag {
            1 => Stored::Integer(i64::from_be_bytes(number())),
            2 => Stored::Real(f64::from_be_bytes(number())),
            3 => Stored::Text(bytes.into()),
            4 => Stored::Blob(bytes.into()),
            _ => Stored::Null,
        });
    }
    values
}
