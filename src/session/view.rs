//! What the window shows: plain data in the user's words, ready to draw.
//!
//! Lists that live in the index are not copied into the view: a view holds the shared index and
//! writes out the few rows that are on screen, which is formatting, not computing.

use std::{path::PathBuf, sync::Arc};

use crate::{
    model::{Change, Json, Pointer, RecordedEvent, StoredSnapshot, Timestamp, Zone},
    session::action::{Axis, EventOrder, Scope, StreamSort, Theme},
    store::{
        index::Index,
        layout::{Role, Source, TableKind},
    },
};

/// Everything the window shows.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Which screen.
    pub screen: Screen,
    /// The window's title.
    pub title: String,
    /// The line at the bottom: what is open and how it is read.
    pub status: String,
    /// Set if the store has problems worth a look.
    pub status_warning: Option<String>,
    /// Files opened before, the newest first.
    pub recent: Arc<[RecentView]>,
    /// What the user should know.
    pub notices: Arc<[Notice]>,
    /// In which zone times are shown.
    pub zone: Zone,
    /// The colours.
    pub theme: Theme,
    /// The streams panel.
    pub streams: StreamsView,
    /// The events panel.
    pub events: EventsView,
    /// The timeline.
    pub timeline: TimelineView,
    /// The state at the cursor.
    pub state: StateView,
    /// The comparison.
    pub diff: DiffView,
    /// The event at the cursor.
    pub event: Option<Arc<RecordedEvent>>,
    /// The stored snapshots.
    pub snapshots: SnapshotsView,
    /// The layout, with its evidence.
    pub info: Arc<InfoView>,
    /// The mapping dialog, while it is open.
    pub mapping: Option<Arc<MappingView>>,
}

/// Which screen the window shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Screen {
    /// Nothing is open.
    #[default]
    Welcome,
    /// A file is being opened.
    Opening(PathBuf),
    /// A database without events.
    NoEvents(Arc<NoEventsView>),
    /// A store.
    Store,
}

/// A file opened before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentView {
    /// The file.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// The folder it is in.
    pub folder: String,
}

/// A database in which no events table was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoEventsView {
    /// The file.
    pub path: PathBuf,
    /// The best candidate.
    pub nearest: Option<Arc<str>>,
    /// Why it fell short.
    pub shortfalls: Vec<String>,
    /// Every table: name, kind, columns.
    pub tables: Vec<TableRow>,
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know; goes by itself.
    Info,
    /// Something is off, and the work goes on.
    Warning,
    /// What was asked could not be done.
    Error,
}

/// What the user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number, for dismissing.
    pub id: u64,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence without full stop.
    pub title: String,
    /// What exactly happened; may be empty.
    pub detail: String,
    /// What to do; may be empty.
    pub hint: String,
}

/// The streams panel.
#[derive(Debug, Clone, Default)]
pub struct StreamsView {
    /// The lines of the tree, in order.
    pub lines: Arc<Vec<StreamLine>>,
    /// The filter as typed.
    pub filter: String,
    /// What is wrong with the filter.
    pub filter_error: Option<String>,
    /// The order.
    pub sort: StreamSort,
    /// Whether the order is turned round.
    pub is_descending: bool,
    /// The chosen stream.
    pub chosen: Option<u32>,
    /// How many streams pass the filter, and how many there are: "12 of 48 streams".
    pub summary: String,
    /// Whether the index is still being built.
    pub is_counting: bool,
    /// Events of each stream up to the cursor; `None` while the cursor is at the end.
    pub as_of: Option<Arc<Vec<u32>>>,
    /// Where the lines' texts come from.
    pub index: Option<Arc<Index>>,
    /// In which zone times are shown.
    pub zone: Zone,
}

/// A line of the tree of streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamLine {
    /// A category.
    Category {
        /// Its name; `None` for streams without one.
        name: Option<Arc<str>>,
        /// How many of its streams pass the filter.
        streams: u64,
        /// How many events they have.
        events: u64,
        /// Whether its streams are listed below it.
        is_open: bool,
    },
    /// A stream, by its number in the index.
    Stream(u32),
}

/// The texts of a stream's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamText {
    /// The id, or the whole name where there is no category.
    pub label: Arc<str>,
    /// The whole name.
    pub full: Arc<str>,
    /// How many events: "231", or "118 / 231" while the cursor stands in the past.
    pub events: String,
    /// Its first time.
    pub first: String,
    /// Its last time.
    pub last: String,
    /// Whether it has no event yet at the cursor.
    pub is_future: bool,
}

impl StreamsView {
    /// The texts of a stream's line.
    #[must_use]
    pub fn text(&self, stream: u32) -> Option<StreamText> {
        let info = self.index.as_ref()?.streams().get(stream as usize)?;
        let show = |time: Option<Timestamp>| time.map(|time| time.to_display(self.zone)).unwrap_or_default();
        let as_of = self.as_of.as_ref().and_then(|counts| counts.get(stream as usize).copied());
        let events = match as_of {
            Some(count) if u64::from(count) != info.events => {
                format!("{} / {}", grouped(u64::from(count)), grouped(info.events))
            }
            _ => grouped(info.events),
        };
        Some(StreamText {
            label: Arc::clone(&info.name.id),
            full: info.name.full(),
            events,
            first: show(info.first_time),
            last: show(info.last_time),
            is_future: as_of == Some(0),
        })
    }
}

/// The events panel.
#[derive(Debug, Clone, Default)]
pub struct EventsView {
    /// The paths into the data that have a column of their own.
    pub paths: Arc<Vec<Pointer>>,
    /// How many rows there are.
    pub total: u64,
    /// How many events pass, and how many there are: "231 of 1 376 events".
    pub summary: String,
    /// Which events the rows are; `None` while there is no index and only the first are known.
    pub listing: Option<Listing>,
    /// The rows that are loaded, from `loaded_from` on.
    pub loaded: Arc<Vec<Option<LoadedRow>>>,
    /// The number of the first loaded row.
    pub loaded_from: u64,
    /// The row of the event at the cursor, if it is listed.
    pub cursor_row: Option<u64>,
    /// How events are listed.
    pub order: EventOrder,
    /// The filters in force, each with a text to show and the action that takes it away.
    pub filters: Arc<[FilterView]>,
    /// Event types with their counts and whether they are shown.
    pub types: Arc<[TypeView]>,
    /// In which zone times are shown.
    pub zone: Zone,
    /// Raised when the rows became other rows, so that the table goes to its start.
    pub generation: u64,
}

/// Which events the rows are.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The index.
    pub index: Arc<Index>,
    /// Their ordinals in row order; `None` means every event in global order.
    pub ordinals: Option<Arc<Vec<u32>>>,
}

/// A filter in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterView {
    /// "stream order-17", "from 2024-03-01".
    pub text: String,
    /// What takes it away.
    pub remove: crate::session::action::BrowseAction,
}

/// An event type and whether it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeView {
    /// The type.
    pub name: Arc<str>,
    /// How many events have it.
    pub events: u64,
    /// Whether they are shown.
    pub is_shown: bool,
}

/// What is fetched for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedRow {
    /// The head of the event as the store gave it, for rows that no index knows yet.
    pub head: RowHead,
    /// The data on one line, cut.
    pub preview: String,
    /// Set where the data cannot be read; the preview then says why.
    pub is_problem: bool,
    /// The values of the path columns, in their order.
    pub paths: Vec<String>,
}

/// The head of an event, as texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowHead {
    /// Global position.
    pub position: String,
    /// Recorded time.
    pub time: String,
    /// The stream's name.
    pub stream: Arc<str>,
    /// Stream version.
    pub version: String,
    /// Event type.
    pub event_type: Arc<str>,
}

impl EventsView {
    /// The head of the event in a row: from the index where there is one, else from what was loaded.
    #[must_use]
    pub fn head(&self, row: u64) -> Option<RowHead> {
        let Some(listing) = &self.listing else {
            return self.loaded(row).map(|loaded| loaded.head.clone());
        };
        let found = listing.index.row(listing.ordinal(row)?)?;
        let stream = listing.index.streams().get(found.stream as usize)?;
        Some(RowHead {
            position: found.position.map(|position| position.to_string()).unwrap_or_default(),
            time: found.time.map(|time| time.to_display(self.zone)).unwrap_or_default(),
            stream: stream.name.full(),
            version: found.version.map(|version| version.to_string()).unwrap_or_default(),
            event_type: listing.index.type_name(found.event_type).cloned().unwrap_or_default(),
        })
    }

    /// What was fetched for a row, if it was.
    #[must_use]
    pub fn loaded(&self, row: u64) -> Option<&LoadedRow> {
        let place = usize::try_from(row.checked_sub(self.loaded_from)?).ok()?;
        self.loaded.get(place)?.as_ref()
    }
}

impl Listing {
    /// How many events are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ordinals.as_ref().map_or_else(|| self.index.len(), |ordinals| ordinals.len())
    }

    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The event in a row, as its number in global order.
    #[must_use]
    pub fn ordinal(&self, row: u64) -> Option<u32> {
        match &self.ordinals {
            Some(ordinals) => ordinals.get(usize::try_from(row).ok()?).copied(),
            None => u32::try_from(row).ok().filter(|ordinal| (*ordinal as usize) < self.index.len()),
        }
    }

    /// The row of an event, if it is listed. Lists in global order are searched, others walked.
    #[must_use]
    pub fn row_of(&self, ordinal: u32, order: EventOrder) -> Option<u64> {
        let Some(ordinals) = &self.ordinals else { return Some(u64::from(ordinal)) };
        let place = match order {
            EventOrder::Global => ordinals.binary_search(&ordinal).ok(),
            EventOrder::Stream => ordinals.iter().position(|other| *other == ordinal),
        };
        place.map(|place| place as u64)
    }
}

/// The timeline.
#[derive(Debug, Clone, Default)]
pub struct TimelineView {
    /// Whether there is anything to show.
    pub is_ready: bool,
    /// Density, evenly spaced; the tallest is 1.
    pub bars: Arc<Vec<f32>>,
    /// The cursor's place, 0 to 1.
    pub cursor: Option<f32>,
    /// Snapshots and troubles, by place.
    pub ticks: Arc<Vec<(f32, Tick)>>,
    /// Texts under the axis, by place.
    pub labels: Arc<Vec<(f32, String)>>,
    /// Times that were left out: place and length in words.
    pub gaps: Arc<Vec<(f32, String)>>,
    /// The two pins, by place.
    pub pins: [Option<f32>; 2],
    /// Where the cursor stands, in words: "v118 of 231 · 2024-03-02 11:04:00".
    pub place: String,
    /// What the timeline shows: the stream's name or "whole store".
    pub subject: String,
    /// What it counts.
    pub axis: Axis,
    /// What it shows.
    pub scope: Scope,
    /// Whether the chosen stream can be shown.
    pub has_stream: bool,
    /// Whether the store holds times.
    pub has_times: bool,
    /// Whether long gaps are left out.
    pub is_collapsed: bool,
    /// Whether the cursor moves on with new events.
    pub is_following: bool,
    /// Whether it moves on by itself.
    pub is_playing: bool,
    /// Events a second while playing.
    pub speed: u32,
    /// Whether it can step back, and forward.
    pub can_step: (bool, bool),
    /// Turns a place into words, for the pointer.
    pub scale: Arc<crate::session::scale::Scale>,
    /// In which zone times are shown.
    pub zone: Zone,
}

/// What a tick marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// A stored snapshot.
    Snapshot,
    /// A step that failed.
    Trouble,
}

/// The state at the cursor.
#[derive(Debug, Clone, Default)]
pub struct StateView {
    /// The stream's name; empty while none is chosen.
    pub stream: Arc<str>,
    /// "v118 of 231".
    pub place: String,
    /// The time of the event at the cursor.
    pub time: String,
    /// The event at the cursor: its type.
    pub event_type: Arc<str>,
    /// What the state was made by.
    pub reducer: Arc<str>,
    /// The state; `None` while none is known.
    pub state: Option<Json>,
    /// What the step at the cursor changed.
    pub changes: Arc<Vec<Change>>,
    /// Why the event was not applied.
    pub failure: Option<Arc<str>>,
    /// How many steps of this history failed so far.
    pub failures: usize,
    /// Whether a newer state is on its way.
    pub is_stale: bool,
    /// Why there is nothing to show, in words.
    pub empty: &'static str,
}

/// The comparison of two points.
#[derive(Debug, Clone, Default)]
pub struct DiffView {
    /// The pins, in words.
    pub pins: [Option<String>; 2],
    /// What is compared: "v117 → v118".
    pub title: String,
    /// What differs.
    pub changes: Arc<Vec<Change>>,
    /// Whether both pins are set and compared, instead of the step at the cursor.
    pub is_between_pins: bool,
    /// Whether there is anything to compare.
    pub is_ready: bool,
}

/// The stored snapshots.
#[derive(Debug, Clone, Default)]
pub struct SnapshotsView {
    /// The rows.
    pub rows: Arc<Vec<SnapshotRow>>,
    /// Whether only the chosen stream's are listed.
    pub is_of_stream: bool,
    /// Whether they are still being read.
    pub is_reading: bool,
    /// The chosen row.
    pub chosen: Option<usize>,
    /// The chosen snapshot.
    pub detail: Option<Arc<StoredSnapshot>>,
    /// Whether the store has a table for them at all.
    pub has_table: bool,
}

/// A row of the table of snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The stream's name; empty if unknown.
    pub stream: Arc<str>,
    /// The stream, if the index knows it.
    pub stream_number: Option<u32>,
    /// Its version.
    pub version: String,
    /// When it was stored.
    pub time: String,
    /// What tells it from others of the same stream.
    pub label: Arc<str>,
    /// Its size in bytes, as text.
    pub size: String,
    /// How it is written.
    pub encoding: String,
    /// The state on one line, or why it cannot be shown.
    pub preview: String,
    /// Whether it cannot be shown.
    pub is_problem: bool,
}

/// The layout, with its evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InfoView {
    /// The file.
    pub path: String,
    /// The layout's name.
    pub layout: Arc<str>,
    /// The events table.
    pub events_table: Arc<str>,
    /// Which source plays which role, and why.
    pub roles: Vec<RoleRow>,
    /// The global order, and why.
    pub order: String,
    /// Every table.
    pub tables: Vec<TableRow>,
    /// What is uncertain or wrong.
    pub problems: Vec<String>,
    /// Figures: name and value.
    pub figures: Vec<(String, String)>,
}

/// A role and what plays it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRow {
    /// The role.
    pub role: Role,
    /// What plays it; `None` if nothing does.
    pub source: Option<String>,
    /// How it is written.
    pub form: String,
    /// Why we think so.
    pub evidence: String,
    /// Whether another reading is nearly as good.
    pub is_uncertain: bool,
}

/// A table of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    /// Its name.
    pub name: Arc<str>,
    /// What it is for.
    pub kind: TableKind,
    /// How many rows, once counted.
    pub rows: Option<u64>,
    /// Why we think so.
    pub evidence: String,
    /// Its columns: "id INTEGER, name TEXT".
    pub columns: String,
}

/// The mapping dialog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappingView {
    /// Every table that could hold events.
    pub tables: Vec<Arc<str>>,
    /// The chosen one.
    pub table: Arc<str>,
    /// The columns of that table, and the JSON paths found in them.
    pub sources: Vec<Source>,
    /// What plays each role now.
    pub roles: Vec<(Role, Option<Source>)>,
    /// The first rows: column names.
    pub preview_columns: Vec<String>,
    /// The first rows: cells.
    pub preview_rows: Vec<Vec<String>>,
    /// Why it cannot be saved yet, or what is odd.
    pub message: String,
    /// Whether it can be saved.
    pub can_save: bool,
}

/// A number with thin gaps between thousands: `1 376`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

/// Reads a path as a user types it: `/items/0`, `items.0` or `status`.
#[must_use]
pub fn typed_path(text: &str) -> Option<Pointer> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if text.starts_with('/') {
        return Pointer::parse(text);
    }
    Pointer::parse(&format!("/{}", text.trim_start_matches("$.").replace('.', "/")))
}
