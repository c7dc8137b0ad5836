//! Rows of a scan, copied.

use crate::{
    model::{GlobalPosition, KeyPart, StreamVersion, Timestamp},
    store::{KnownNames, RowSink, ScanKey, ScanRow},
};

/// Rows copied out of a store: keys and texts one behind the other, so that a row costs no memory of its own.
#[derive(Debug, Default)]
pub(crate) struct CopiedRows {
    /// As many parts a row as the key has.
    keys: Vec<KeyPart>,
    text: String,
    lines: Vec<Line>,
}

/// What a row holds beside its key. The texts follow each other; each is named by where it ends.
#[derive(Debug)]
struct Line {
    position: Option<GlobalPosition>,
    version: Option<StreamVersion>,
    time: Option<Timestamp>,
    category: Option<usize>,
    id: usize,
    stored: Option<usize>,
    event_type: usize,
}

impl CopiedRows {
    /// Copies a text; returns where it ends.
    fn keep(&mut self, text: &str) -> usize {
        self.text.push_str(text);
        self.text.len()
    }

    /// Copies a row.
    pub(crate) fn copy(&mut self, row: &ScanRow<'_>) {
        let line = Line {
            position: row.position.clone(),
            version: row.version,
            time: row.time,
            category: row.category.map(|category| self.keep(category)),
            id: self.keep(row.id),
            stored: row.stored.map(|stored| self.keep(stored)),
            event_type: self.keep(row.event_type),
        };
        row.key.with_parts(|parts| self.keys.extend_from_slice(parts));
        self.lines.push(line);
    }

    /// The type of the row that was copied last: the end of the text.
    pub(crate) fn last_type(&self) -> Option<&str> {
        let line = self.lines.last()?;
        self.text.get(line.stored.unwrap_or(line.id)..)
    }

    /// The rows in order, handed out once.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = ScanRow<'_>> {
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

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.text.clear();
        self.lines.clear();
    }
}

/// Whoever holds the rows takes them and clears them.
impl RowSink for CopiedRows {
    fn push(&mut self, row: &ScanRow<'_>, _: KnownNames) {
        self.copy(row);
    }

    fn take_back(&mut self) {
        self.clear();
    }

    fn settle(&mut self) {}
}

/// Copies rows until they are settled, and has each visited once then.
pub(super) struct OnceSettled<'v> {
    rows: CopiedRows,
    visit: &'v mut dyn FnMut(&ScanRow<'_>),
}

impl<'v> OnceSettled<'v> {
    pub(super) fn new(visit: &'v mut dyn FnMut(&ScanRow<'_>)) -> Self {
        Self { rows: CopiedRows::default(), visit }
    }
}

impl RowSink for OnceSettled<'_> {
    fn push(&mut self, row: &ScanRow<'_>, _: KnownNames) {
        self.rows.copy(row);
    }

    fn take_back(&mut self) {
        self.rows.clear();
    }

    fn settle(&mut self) {
        self.rows.drain().for_each(|row| (self.visit)(&row));
        self.rows.clear();
    }
}
