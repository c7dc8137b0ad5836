//! Scanning ranges without payloads, and cutting the global order into ranges.

use std::{ops::Range, sync::Arc};

use rusqlite::{Connection, OptionalExtension as _};

use crate::{
    model::{EventKey, GlobalPosition, KeyPart, StreamVersion, Timestamp},
    store::{
        KeyRange, ScanKey, ScanRow, StoreResult,
        sqlite::{
            access::{Access, Reader},
            direct::Way,
            plan::{Plan, Select, quote},
            rows::{Cells, Fields, key_of},
            walk::{Gather, Walk},
        },
    },
    work::Work,
};

/// So many troubles are told one by one.
pub(super) const MOST_TROUBLES: usize = 100;

/// Rows of the first batch and of the largest. A batch is copied before anybody sees it, because
/// its read may prove void; copies of this size stay in the processor's cache.
const BATCH: Range<usize> = 512..4096;

/// Meets every event of a range.
pub(super) fn scan(
    (access, work): (&Access, &Work),
    plan: &Plan,
    way: Way,
    range: &KeyRange,
    visit: &mut dyn FnMut(&ScanRow<'_>),
) -> StoreResult<Vec<String>> {
    let walk = Walk::new(plan, &plan.lean, true, range.after.as_ref()).until(range.until.as_ref());
    let mut walk = walk.directly(way);
    let mut reader = access.reader(work);
    let mut batch = Batch::new(&plan.lean);
    let mut troubles = Vec::new();
    let mut size = BATCH.start;
    while !walk.is_over() {
        let rows = walk.step(&mut reader, size, &mut batch)?;
        batch.rows().for_each(|row| visit(&row));
        let room = MOST_TROUBLES.saturating_sub(troubles.len());
        troubles.extend(batch.troubles.drain(..).take(room));
        work.advance(rows as u64)?;
        size = (size * 2).min(BATCH.end);
    }
    walk.troubles.extend(troubles);
    walk.troubles.truncate(MOST_TROUBLES);
    Ok(walk.troubles)
}

/// Rows copied out of the database: keys and texts one behind the other, so that a row costs no
/// memory of its own.
pub(super) struct Batch<'a> {
    select: &'a Select,
    /// As many parts a row as the key has.
    keys: Vec<KeyPart>,
    text: String,
    lines: Vec<Line>,
    pub(super) troubles: Vec<String>,
}

/// What a row holds beside its key. The texts follow each other; each is named by where it ends.
struct Line {
    position: Option<GlobalPosition>,
    version: Option<StreamVersion>,
    time: Option<Timestamp>,
    category: Option<usize>,
    id: usize,
    stored: Option<usize>,
    event_type: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn new(select: &'a Select) -> Self {
        let (keys, text, lines, troubles) = (Vec::new(), String::new(), Vec::new(), Vec::new());
        Self { select, keys, text, lines, troubles }
    }

    /// Copies a text; returns where it ends.
    fn keep(&mut self, text: &str) -> usize {
        self.text.push_str(text);
        self.text.len()
    }

    /// The rows in order, handed out once.
    pub(super) fn rows(&mut self) -> impl Iterator<Item = ScanRow<'_>> {
        let width = self.keys.len().checked_div(self.lines.len()).unwrap_or_default().max(1);
        let text = &self.text;
        let mut start = 0;
        let mut next = move |end: usize| {
            let text = text.get(start..end).unwrap_or_default();
            start = end;
            text
        };
        self.lines.drain(..).zip(self.keys.chunks(width)).map(move |(line, key)| ScanRow {
            key: ScanKey::of(key),
            position: line.position,
            category: line.category.map(&mut next),
            id: next(line.id),
            stored: line.stored.map(&mut next),
            version: line.version,
            event_type: next(line.event_type),
            time: line.time,
        })
    }

    /// From the next row on, rows have these columns.
    pub(super) fn select(&mut self, select: &'a Select) {
        self.select = select;
    }

    /// The type of the row that was taken last: the end of the text.
    pub(super) fn last_type(&self) -> Option<&str> {
        let line = self.lines.last()?;
        self.text.get(line.stored.unwrap_or(line.id)..)
    }

    /// Takes a row of which nothing but its type is asked.
    pub(super) fn push_type(&mut self, key: &[KeyPart], event_type: &str) {
        let id = self.text.len();
        let event_type = self.keep(event_type);
        self.keys.extend_from_slice(key);
        let line =
            Line { position: None, version: None, time: None, category: None, id, stored: None, event_type };
        self.lines.push(line);
    }

    /// Takes a row whose fields are looked at already.
    pub(super) fn push(&mut self, key: &[KeyPart], fields: &Fields<'_>) {
        let mut troubles = Vec::new();
        let event_type = fields.event_type(&mut troubles);
        let named = fields.stream(&event_type, &mut troubles);
        let line = Line {
            position: fields.position(),
            version: fields.version(&mut troubles),
            time: fields.time(&mut troubles),
            category: named.category.as_deref().map(|category| self.keep(category)),
            id: self.keep(&named.id),
            stored: named.stored.as_deref().map(|stored| self.keep(stored)),
            event_type: self.keep(&event_type),
        };
        self.keys.extend_from_slice(key);
        if !troubles.is_empty() && self.troubles.len() < MOST_TROUBLES {
            let position = line.position.as_ref().map(|position| format!(" at position {position}"));
            let place = format!("{event_type}{}", position.unwrap_or_default());
            self.troubles.extend(troubles.iter().map(|trouble| format!("{place}: {trouble}")));
        }
        self.lines.push(line);
    }
}

impl Gather for Batch<'_> {
    fn restart(&mut self) {
        self.keys.clear();
        self.text.clear();
        self.lines.clear();
        self.troubles.clear();
    }

    fn row(&mut self, key: &[KeyPart], row: Cells<'_>) {
        self.push(key, &Fields::new(row, self.select));
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
