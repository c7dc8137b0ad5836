//! Scanning ranges without payloads, and cutting the global order into ranges.

use std::{ops::Range, sync::Arc};

use rusqlite::{Connection, OptionalExtension as _};

use crate::{
    model::{EventKey, KeyPart, LastDay},
    store::{
        KeyRange, KnownNames, RowSink, ScanKey, ScanRow, Scanner, StoreResult,
        copied::CopiedRows,
        index::names::Seed,
        sqlite::{
            access::{Access, Reader},
            direct::Way,
            plan::{Plan, Select, quote},
            rows::{Cells, Fields, Named, key_of},
            spelled::{Parts, Spelled, Spelling},
            walk::{Gather, Walk},
        },
    },
    work::Work,
};

/// So many troubles are told one by one.
pub(super) const MOST_TROUBLES: usize = 100;

/// Rows of the first batch and of the largest. Rows are settled by the batch, because its read may prove void.
const BATCH: Range<usize> = 512..4096;

/// Scans ranges; the names that it met in one it knows in the next.
pub(super) struct RangeScanner<'a> {
    access: &'a Access,
    plan: &'a Plan,
    way: Way,
    rows: RowReader<'a>,
}

impl<'a> RangeScanner<'a> {
    pub(super) fn new(access: &'a Access, plan: &'a Plan, way: Way) -> Self {
        Self { access, plan, way, rows: RowReader::new(&plan.lean) }
    }
}

impl Scanner for RangeScanner<'_> {
    fn scan(&mut self, work: &Work, range: &KeyRange, sink: &mut dyn RowSink) -> StoreResult<Vec<String>> {
        let walk = Walk::new(self.plan, &self.plan.lean, true, range.after.as_ref());
        let mut walk = walk.until(range.until.as_ref()).directly(self.way);
        let mut reader = self.access.reader(work);
        // A scan that failed may have left some.
        self.rows.rest.troubles.clear();
        let mut pouring = Pouring { rows: &mut self.rows, sink };
        let mut troubles = Vec::new();
        let mut size = BATCH.start;
        while !walk.is_over() {
            let rows = walk.step(&mut reader, size, &mut pouring)?;
            pouring.sink.settle();
            let room = MOST_TROUBLES.saturating_sub(troubles.len());
            troubles.extend(pouring.rows.rest.troubles.drain(..).take(room));
            work.advance(rows as u64)?;
            size = (size * 2).min(BATCH.end);
        }
        walk.troubles.extend(troubles);
        walk.troubles.truncate(MOST_TROUBLES);
        Ok(walk.troubles)
    }
}

/// Hands rows on as they are read.
struct Pouring<'s, 'a> {
    rows: &'s mut RowReader<'a>,
    sink: &'s mut dyn RowSink,
}

impl Gather for Pouring<'_, '_> {
    fn restart(&mut self) {
        self.rows.rest.troubles.clear();
        self.sink.take_back();
    }

    fn row(&mut self, key: &[KeyPart], row: Cells<'_>) {
        let fields = Fields::new(row, self.rows.select);
        self.rows.read(key, &fields, self.sink);
    }
}

/// Makes rows of a scan from rows of the database.
struct RowReader<'a> {
    select: &'a Select,
    streams: Spelled,
    types: Spelled,
    rest: Rest,
}

/// What is read of a row beside its names.
#[derive(Default)]
struct Rest {
    day: LastDay,
    /// What is wrong with the rows of this batch.
    troubles: Vec<String>,
}

/// The names of a row, and what is known of them.
struct Names<'r> {
    stream: Parts<'r>,
    event_type: &'r str,
    known: KnownNames,
}

impl<'a> RowReader<'a> {
    fn new(select: &'a Select) -> Self {
        let seed = Seed::random();
        Self { select, streams: Spelled::new(seed), types: Spelled::new(seed), rest: Rest::default() }
    }

    /// Reads a row whose fields are looked at already, and hands it on.
    #[inline]
    fn read(&mut self, key: &[KeyPart], fields: &Fields<'_>, sink: &mut (impl RowSink + ?Sized)) {
        let known = KnownNames {
            stream: Spelling::of_stream(fields, self.select).and_then(|spelling| self.streams.find(spelling)),
            event_type: Spelling::of_type(fields, self.select).and_then(|spelling| self.types.find(spelling)),
        };
        let unsaid = Parts { category: None, id: "", stored: None };
        let stream = known.stream.and_then(|number| {
            if sink.knows_stream(number) { Some(unsaid) } else { self.streams.parts(number) }
        });
        let event_type = known.event_type.and_then(|number| self.types.parts(number));
        match (stream, event_type) {
            (Some(stream), Some(event_type)) => {
                let names = Names { stream, event_type: event_type.id, known };
                self.rest.hand_on((key, fields), &names, Vec::new(), sink);
            }
            _ => self.read_names(key, fields, known, sink),
        }
    }

    /// The same where a name was not met yet, or is to be looked at row by row.
    #[cold]
    fn read_names(
        &mut self,
        key: &[KeyPart],
        fields: &Fields<'_>,
        mut known: KnownNames,
        sink: &mut (impl RowSink + ?Sized),
    ) {
        let mut troubles = Vec::new();
        let event_type = fields.event_type(&mut troubles);
        if troubles.is_empty()
            && known.event_type.is_none()
            && let Some(spelling) = Spelling::of_type(fields, self.select)
        {
            let named = Named { category: None, id: event_type.as_ref().into(), stored: None };
            known.event_type = self.types.add(spelling, &named);
        }
        let found = troubles.len();
        let named = fields.stream(&event_type, &mut troubles);
        if troubles.len() == found
            && known.stream.is_none()
            && let Some(spelling) = Spelling::of_stream(fields, self.select)
        {
            known.stream = self.streams.add(spelling, &named);
        }
        let stream =
            Parts { category: named.category.as_deref(), id: &named.id, stored: named.stored.as_deref() };
        let names = Names { stream, event_type: &event_type, known };
        self.rest.hand_on((key, fields), &names, troubles, sink);
    }
}

impl Rest {
    /// Hands on a row whose names are read; `troubles` are those of the names.
    #[inline]
    fn hand_on(
        &mut self,
        (key, fields): (&[KeyPart], &Fields<'_>),
        names: &Names<'_>,
        mut troubles: Vec<Arc<str>>,
        sink: &mut (impl RowSink + ?Sized),
    ) {
        let row = ScanRow {
            key: ScanKey::of(key),
            position: fields.position(key),
            category: names.stream.category,
            id: names.stream.id,
            stored: names.stream.stored,
            version: fields.version(&mut troubles),
            event_type: names.event_type,
            time: fields.time(&mut self.day, &mut troubles),
        };
        sink.push(&row, names.known);
        if !troubles.is_empty() {
            self.tell(&row, &troubles);
        }
    }

    /// Notes what is wrong with a row.
    #[cold]
    fn tell(&mut self, row: &ScanRow<'_>, troubles: &[Arc<str>]) {
        if self.troubles.len() < MOST_TROUBLES {
            let position = row.position.as_ref().map(|position| format!(" at position {position}"));
            let place = format!("{}{}", row.event_type, position.unwrap_or_default());
            self.troubles.extend(troubles.iter().map(|trouble| format!("{place}: {trouble}")));
        }
    }
}

/// Rows copied out of the database, of which more will be read than a scan does.
pub(super) struct Batch<'a> {
    reader: RowReader<'a>,
    rows: CopiedRows,
}

impl<'a> Batch<'a> {
    pub(super) fn new(select: &'a Select) -> Self {
        Self { reader: RowReader::new(select), rows: CopiedRows::default() }
    }

    /// The rows in order, handed out once.
    pub(super) fn rows(&mut self) -> impl Iterator<Item = ScanRow<'_>> {
        self.rows.drain()
    }

    /// What is wrong with the rows, told once.
    pub(super) fn troubles(&mut self) -> impl Iterator<Item = String> {
        self.reader.rest.troubles.drain(..)
    }

    /// From the next row on, rows have these columns.
    pub(super) fn select(&mut self, select: &'a Select) {
        self.reader.select = select;
    }

    /// The type of the row that was taken last.
    pub(super) fn last_type(&self) -> Option<&str> {
        self.rows.last_type()
    }

    /// Takes a row of which nothing but its type is asked.
    pub(super) fn push_type(&mut self, key: &[KeyPart], event_type: &str) {
        self.rows.copy(&ScanRow {
            key: ScanKey::of(key),
            position: None,
            category: None,
            id: "",
            stored: None,
            version: None,
            event_type,
            time: None,
        });
    }

    /// Takes a row whose fields are looked at already.
    pub(super) fn push(&mut self, key: &[KeyPart], fields: &Fields<'_>) {
        self.reader.read(key, fields, &mut self.rows);
    }

    /// Forgets all rows, and what was wrong with them.
    pub(super) fn restart(&mut self) {
        self.rows.clear();
        self.reader.rest.troubles.clear();
    }
}

/// Cuts global order into about `parts` ranges by looking up keys at even distances of the row
/// number, or of the key itself where it is one.
pub(super) fn ranges(
    access: &Access,
    work: &Work,
    plan: &Plan,
    after: Option<&EventKey>,
    parts: usize,
) -> StoreResult<Vec<KeyRange>> {
    let mut reader = access.reader(work);
    let mut cuts = Vec::new();
    for part in 0..plan.parts.len() {
        cuts.extend(part_cuts(&mut reader, plan, part, parts.div_ceil(plan.parts.len()))?);
        // Where one part ends and the next begins is no cut: a range may span both.
    }
    cuts.sort();
    cuts.dedup();
    let mut start = after.cloned();
    let mut ranges = Vec::new();
    for cut in cuts {
        if start.as_ref().is_none_or(|start| cut > *start) {
            ranges.push(KeyRange { after: start.replace(cut.clone()), until: Some(cut) });
        }
    }
    ranges.push(KeyRange { after: start, until: None });
    Ok(ranges)
}

/// Keys at even distances in one table. A table that cannot be cut is left whole.
fn part_cuts(reader: &mut Reader<'_>, plan: &Plan, part: usize, parts: usize) -> StoreResult<Vec<EventKey>> {
    let Some(rowid) = plan.rowid else { return Ok(Vec::new()) };
    let Some(name) = plan.parts.get(part) else { return Ok(Vec::new()) };
    let table = quote(name);
    let numbered = (plan.parts.len() > 1).then_some(part);
    let read = |connection: &Connection| -> rusqlite::Result<Vec<EventKey>> {
        let end = |direction: &str| {
            let sql = format!("SELECT {rowid} FROM {table} ORDER BY {rowid} {direction} LIMIT 1");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).optional()
        };
        let (Some(first), Some(last)) = (end("ASC")?, end("DESC")?) else { return Ok(Vec::new()) };
        let sql = format!(
            "SELECT {} FROM {table} AS e WHERE e.{rowid} >= ? ORDER BY e.{rowid} LIMIT 1",
            plan.key.join(", ")
        );
        let mut statement = connection.prepare(&sql)?;
        let mut cuts = Vec::new();
        for cut in 1..parts {
            let span = i128::from(last) - i128::from(first);
            let at = i128::from(first) + span * cut as i128 / parts.max(1) as i128;
            let key = statement.query_row([at as i64], |row| Ok(key_of(row, plan.key.len(), numbered)));
            cuts.extend(key.optional()?);
        }
        // Ranges are cut in the order of the bytes, and read in that of the columns.
        let has_texts = cuts.iter().any(|key| key.0.iter().any(|part| matches!(part, KeyPart::Text(_))));
        if has_texts && !sorts_by_bytes(connection, name, &plan.key_columns) {
            return Ok(Vec::new());
        }
        Ok(cuts)
    };
    // Damage or a view without row numbers: one range is right, if slower.
    match reader.read("cutting into ranges", read) {
        Ok(cuts) => Ok(cuts.into_iter().filter(|key| !key.0.contains(&KeyPart::Null)).collect()),
        Err(error @ crate::store::StoreError::Cancelled(_)) => Err(error),
        Err(_) => Ok(Vec::new()),
    }
}

/// Whether texts in these columns of a table are sorted by their bytes, and not as the column says otherwise.
fn sorts_by_bytes(connection: &Connection, table: &str, columns: &[Arc<str>]) -> bool {
    columns.iter().all(|column| {
        let found = connection.column_metadata(None, table, &**column);
        found.is_ok_and(|(_, collation, ..)| collation.is_some_and(|name| name == c"BINARY"))
    })
}
