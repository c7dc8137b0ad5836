//! Projections, their rebuilds, and read models at the cursor.

use std::sync::Arc;

use crate::{
    model::{Change, Json, Stored},
    projection::{Column, DefinitionError, OnFailure, Progress, RowAt, RowChange, RowKey},
    session::view::OutputView,
    store::index::Index,
};

/// What the panel shows.
#[derive(Debug, Clone, Default)]
pub struct ProjectionsView {
    /// What there is of projections, a line each.
    pub lines: Arc<[ProjectionLine]>,
    /// The projection that is shown in detail, by its place in the list.
    pub chosen: Option<usize>,
    /// It in detail.
    pub detail: Option<ProjectionDetail>,
    /// Its read model, once something was rebuilt.
    pub model: Option<ModelView>,
    /// What it wrote beside its read model.
    pub output: OutputView,
    /// Whether definitions are still being read for the first time.
    pub is_reading: bool,
    /// Whether any rebuild runs or waits.
    pub is_any_running: bool,
    /// How long rebuilding all takes; nothing if that is soon done.
    pub estimate: Option<Arc<str>>,
    /// A text for the clipboard, with its number.
    pub copied: Option<(u64, Arc<str>)>,
}

/// How a rebuild stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Nothing is under way.
    #[default]
    Idle,
    /// It waits for others to end.
    Queued,
    /// It runs.
    Running,
    /// It was asked to stop.
    Stopping,
    /// The store was read afresh, and what was made before is held against it.
    Checking,
}

/// A projection in the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectionLine {
    /// Its name.
    pub name: Arc<str>,
    /// What it is written in: "SQL", "JavaScript", "stored only".
    pub kind: &'static str,
    /// The stored table that it is joined with.
    pub table: Option<Arc<str>>,
    /// How many rows that table has, if they were counted.
    pub rows: Option<u64>,
    /// The owner's words for how its checkpoint is: "running", "failed".
    pub status: String,
    /// Whether these, or where it stands, are trouble.
    pub is_trouble: bool,
    /// The owner's words for what went wrong, and where the checkpoint stands; for the pointer.
    pub status_detail: String,
    /// How far the checkpoint lies behind the store: "12 events · 3 h".
    pub lag: String,
    /// What was rebuilt: "never", "all 1 376 events", "stopped at 12 300".
    pub rebuilt: String,
    /// Whether that is trouble.
    pub is_rebuilt_trouble: bool,
    /// How its rebuild stands.
    pub stage: Stage,
    /// The number of its rebuild's slot.
    pub slot: Option<u16>,
    /// What the comparison with the stored table said, if there was one: "none", "3 rows".
    pub drift: Option<String>,
    /// Whether it can be rebuilt.
    pub has_definition: bool,
}

/// The chosen projection.
#[derive(Debug, Clone, Default)]
pub struct ProjectionDetail {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it is written in JavaScript.
    pub is_script: bool,
    /// Whether it can be rebuilt.
    pub has_definition: bool,
    /// The file that defines it; empty if none does.
    pub file: String,
    /// Where that lies.
    pub path: String,
    /// What the file holds.
    pub text: Option<Arc<str>>,
    /// What was typed and is not saved.
    pub draft: Option<Arc<str>>,
    /// Whether the file was changed elsewhere while there was a draft, and the user has not chosen yet.
    pub has_conflict: bool,
    /// Rises whenever the editor's text is to be replaced.
    pub revision: u64,
    /// Why the file cannot be read.
    pub problem: Option<Arc<str>>,
    /// Why its text defines nothing.
    pub error: Option<DefinitionError>,
    /// Its line in the file, from 1, where it shares the file with others.
    pub line: Option<u32>,
    /// What it does about events that it cannot handle.
    pub on_failure: OnFailure,
    /// How its rebuild stands.
    pub stage: Stage,
    /// The number of its rebuild's slot.
    pub slot: Option<u16>,
    /// How far it came.
    pub progress: Option<Arc<Progress>>,
    /// Why it could not go on.
    pub trouble: Option<Arc<str>>,
    /// Whether the definition is another than the one that was rebuilt.
    pub is_outdated: bool,
    /// What of the events was left out on purpose: "from event 12 on", "only order-17".
    pub extent: Option<String>,
    /// How many events the store has that were not taken in, though it was rebuilt to its end.
    pub behind: u64,
    /// The stored table that it is joined with.
    pub table: Option<Arc<str>>,
    /// A stored table, or a definition, that looks as if it belonged to it, and why.
    pub guess: Option<Guess>,
    /// The chosen stream.
    pub stream: Option<Arc<str>>,
    /// How many events lie behind the cursor.
    pub cursor: u64,
    /// How many events the store has.
    pub total: u64,
    /// Whether a file of it is being written.
    pub is_writing: bool,
    /// How long rebuilding takes; nothing if it is soon done.
    pub estimate: Option<Arc<str>>,
}

/// What may belong together; offered, and not done unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// The projection.
    pub projection: Arc<str>,
    /// The stored table.
    pub table: Arc<str>,
    /// Why: "4 of 6 columns in common".
    pub why: String,
}

/// A read model at the cursor.
#[derive(Debug, Clone, Default)]
pub struct ModelView {
    /// The projection.
    pub projection: Arc<str>,
    /// Its columns.
    pub columns: Arc<[Column]>,
    /// How many rows are listed, deleted ones among them.
    pub listed: u64,
    /// How many of them exist, if that was counted.
    pub existing: Option<u64>,
    /// Whether more rows pass the filter than are listed.
    pub is_cut: bool,
    /// The rows that are loaded.
    pub loaded: LoadedRows,
    /// After how many events they are so; `None` while none came.
    pub loaded_at: Option<u64>,
    /// Whether other rows are on their way.
    pub is_loading: bool,
    /// After how many events rows are wanted: those behind the cursor, or all that were rebuilt.
    pub at: u64,
    /// How many events lie behind what was rebuilt.
    pub rebuilt: u64,
    /// How many lie behind the cursor.
    pub cursor: u64,
    /// Where that is: "event 4 711 of 1 376".
    pub place: String,
    /// How long writing them into a file takes; nothing if that is soon done.
    pub export_estimate: Option<Arc<str>>,
    /// Only rows that contain this are listed.
    pub filter: Arc<str>,
    /// Raised when the rows became other rows, so that the table goes to its start.
    pub generation: u64,
    /// Raised with every rebuild: rows are to be asked for again.
    pub revision: u64,
    /// The chosen row.
    pub story: Option<StoryView>,
    /// The states that were read last, for a projection in JavaScript.
    pub state: Option<Arc<PartitionState>>,
    /// Its projection is written in JavaScript: the second column is a state.
    pub is_script: bool,
    /// The stored table's name, or the projection's.
    pub table: Arc<str>,
}

/// The state of a partition, and the one that all partitions share.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionState {
    /// The partition; `None` if only the shared state was asked for.
    pub key: Option<RowKey>,
    /// After how many events.
    pub count: u64,
    /// The partition's state; `None` before its first event.
    pub state: Option<Json>,
    /// What the event at the count changed of it.
    pub changes: Vec<Change>,
    /// The shared state, if there is one.
    pub shared: Option<Json>,
    /// What the event at the count changed of that.
    pub shared_changes: Vec<Change>,
}

/// Rows that are loaded, shared with the session.
#[derive(Debug, Clone, Default)]
pub struct LoadedRows {
    /// The number of the first.
    pub first: u64,
    /// They.
    pub rows: Arc<[RowAt]>,
}

/// What happened to the chosen row.
#[derive(Debug, Clone)]
pub struct StoryView {
    /// Its key.
    pub key: RowKey,
    /// Its changes, oldest first.
    pub changes: Arc<Vec<RowChange>>,
    /// What each did to a partition's state, in words; empty for other rows.
    pub words: Arc<[String]>,
    /// Who did each; empty where the store does not say.
    pub actors: Arc<[Option<Arc<str>>]>,
    /// The last of them up to the cursor.
    pub current: Option<usize>,
    /// The column that was asked about.
    pub column: Option<usize>,
    /// Whether they are still being read.
    pub is_waiting: bool,
    /// The index, to name the events.
    pub index: Option<Arc<Index>>,
    /// In which zone times are shown.
    pub zone: crate::model::Zone,
}

impl LoadedRows {
    /// A row, if it is loaded.
    #[must_use]
    pub fn get(&self, row: u64) -> Option<&RowAt> {
        self.rows.get(usize::try_from(row.checked_sub(self.first)?).ok()?)
    }
}

impl ModelView {
    /// Whether the event at the cursor made a row what it is.
    #[must_use]
    pub fn is_written_here(&self, row: &RowAt) -> bool {
        self.loaded_at == Some(row.since) && self.cursor == row.since
    }
}

impl StoryView {
    /// The event of a change: position, time, type and stream, as texts.
    #[must_use]
    pub fn event(&self, change: &RowChange) -> ChangeHead {
        let ordinal = change.count.checked_sub(1).and_then(|ordinal| u32::try_from(ordinal).ok());
        let found = self.index.as_ref().zip(ordinal).and_then(|(index, ordinal)| {
            let row = index.row(ordinal)?;
            let version = row.version.map(|version| format!("{version}@")).unwrap_or_default();
            let stream = index.stream(row.stream).map(|info| info.name.full()).unwrap_or_default();
            Some(ChangeHead {
                position: row.position.map(|position| position.to_string()).unwrap_or_default(),
                time: row.time.map(|time| time.to_display(self.zone)).unwrap_or_default(),
                event_type: index.type_name(row.event_type).map(ToString::to_string).unwrap_or_default(),
                event: format!("{version}{stream}"),
            })
        });
        found.unwrap_or_default()
    }

    /// What a change did, by column: its name, before and after.
    #[must_use]
    pub fn differences(change: &RowChange, columns: &[Column]) -> Vec<CellChange> {
        let of = |values: &Option<Arc<[Stored]>>, place: usize| {
            values.as_ref().and_then(|values| values.get(place)).cloned()
        };
        let each = columns.iter().enumerate().filter_map(|(place, column)| {
            let (before, after) = (of(&change.before, place), of(&change.after, place));
            let is_same = before == after;
            (!is_same).then(|| CellChange { column: Arc::clone(&column.name), before, after })
        });
        each.collect()
    }
}

/// The event of a change, as texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeHead {
    /// Its global position.
    pub position: String,
    /// When it was recorded.
    pub time: String,
    /// Its type.
    pub event_type: String,
    /// Its version and stream: `4@order-17`.
    pub event: String,
}

/// A value that a change made another.
#[derive(Debug, Clone, PartialEq)]
pub struct CellChange {
    /// The column.
    pub column: Arc<str>,
    /// Before; `None` if there was no row.
    pub before: Option<Stored>,
    /// After; `None` if there is no row any more.
    pub after: Option<Stored>,
}
