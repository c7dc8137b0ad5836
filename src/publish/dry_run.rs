//! What a publication would write, told before anything is.

use std::{fmt, sync::Arc};

use crate::{
    model::Stored,
    publish::{CheckpointEdit, Edits, PublishError, RowEdit, RowPlace, TableEdits, target},
    store::{EventStore, EventsHead},
    work::Work,
};

/// What would be written.
#[derive(Debug, Clone, PartialEq)]
pub struct DryRun {
    /// What it is for.
    pub subject: Arc<str>,
    /// Table by table.
    pub tables: Vec<TableDryRun>,
    /// What becomes of the checkpoint.
    pub checkpoint: Option<CheckpointEdit>,
    /// What will not be as the owner's own projection would leave it.
    pub notes: Vec<Arc<str>>,
    /// How long nobody else could write.
    pub lock: LockTime,
    /// What the store must look like for all this to be true.
    pub expected: Expected,
}

/// What would be written into one table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableDryRun {
    /// The table.
    pub table: Arc<str>,
    /// How many rows it has before, where that is known.
    pub stored: Option<u64>,
    /// Rows that would be inserted.
    pub inserted: u64,
    /// Rows that would be updated.
    pub updated: u64,
    /// Rows that would be deleted.
    pub deleted: u64,
    /// The first row to insert.
    pub first_insert: Option<Vec<(Arc<str>, Stored)>>,
    /// The first row to update.
    pub first_update: Option<RowEdit>,
    /// The first row to delete.
    pub first_delete: Option<RowPlace>,
    /// Triggers on the table; none of them runs.
    pub triggers: Vec<Arc<str>>,
}

impl DryRun {
    /// Tables that would lose all or most of their rows: what a slip in a definition does, and what therefore
    /// asks for a word of its own.
    pub fn swept(&self) -> impl Iterator<Item = &TableDryRun> {
        self.tables.iter().filter(|table| {
            table.stored.is_some_and(|stored| table.deleted > 0 && table.deleted.saturating_mul(2) > stored)
        })
    }

    /// How many rows the tables of [`Self::swept`] would lose, and how many they have; `None` if there are none.
    #[must_use]
    pub fn sweep(&self) -> Option<(u64, u64)> {
        let sums = self.swept().fold((0, 0), |(deleted, stored), table| {
            (deleted + table.deleted, stored + table.stored.unwrap_or_default())
        });
        (sums.0 > 0).then_some(sums)
    }
}

/// What a store looked like when edits were made for it; it must look so still when they are written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expected {
    /// The events, as they were before the rebuild.
    pub head: EventsHead,
    /// How each table of the edits is declared.
    pub declared: Vec<(Arc<str>, Arc<str>)>,
}

/// How long a transaction may keep other writers waiting: reckoned, not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LockTime {
    /// About so long, in milliseconds.
    pub millis: u64,
    /// For so many rows to find, write and read back.
    pub rows: u64,
    /// And so many events to count.
    pub events: u64,
}

/// What one row costs in microseconds: finding, writing and reading it back, with room for slow disks.
const ROW_MICROS: u64 = 60;

/// Events counted in a microsecond, by the smallest index there is.
const EVENTS_A_MICRO: u64 = 10;

/// Writing a commit to the disk, in milliseconds.
const SYNC_MILLIS: u64 = 30;

impl LockTime {
    fn of(rows: u64, events: u64) -> Self {
        let micros = rows.saturating_mul(ROW_MICROS).saturating_add(events / EVENTS_A_MICRO);
        Self { millis: SYNC_MILLIS + micros / 1000, rows, events }
    }
}

/// "about 40 ms (reckoned for 120 rows and 1400 events)"
impl fmt::Display for LockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.millis {
            millis @ 0..1000 => write!(f, "about {} ms", millis.div_ceil(10) * 10)?,
            millis => write!(f, "about {} s", millis.div_ceil(1000))?,
        }
        let number = |count: u64, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        write!(f, " (reckoned for {} and {})", number(self.rows, "row"), number(self.events, "event"))
    }
}

/// Says what edits would write, or why they cannot be written. Reads the tables' declarations alone.
///
/// `head` is what [`EventStore::events_head`] said *before* the events were read to make the edits.
pub fn dry_run(
    work: &Work,
    store: &dyn EventStore,
    edits: &Edits,
    head: EventsHead,
) -> Result<DryRun, PublishError> {
    let layout = &store.describe().layout;
    let mut tables = Vec::new();
    let mut declared = Vec::new();
    for table in &edits.tables {
        let shape = store.table_shape(work, &table.table)?;
        target::check(layout, table, shape.as_ref())?;
        if let Some(shape) = shape {
            tables.push(TableDryRun { triggers: shape.triggers, ..of_table(table) });
            declared.push((shape.table, shape.sql));
        }
    }
    Ok(DryRun {
        subject: Arc::clone(&edits.subject),
        tables,
        checkpoint: edits.checkpoint.clone(),
        notes: edits.notes.clone(),
        lock: LockTime::of(edits.rows(), head.events()),
        expected: Expected { head, declared },
    })
}

fn of_table(edits: &TableEdits) -> TableDryRun {
    TableDryRun {
        table: Arc::clone(&edits.table),
        stored: edits.stored,
        inserted: edits.inserts.len() as u64,
        updated: edits.updates.len() as u64,
        deleted: edits.deletes.len() as u64,
        first_insert: edits.inserts.first().cloned(),
        first_update: edits.updates.first().cloned(),
        first_delete: edits.deletes.first().cloned(),
        triggers: Vec::new(),
    }
}
