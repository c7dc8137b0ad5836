//! What a user can ask for. Those that need no argument have their names and keys in [`NAMED`].

use std::{path::PathBuf, sync::Arc};

use crate::{
    model::{Timestamp, Zone},
    session::view::ColumnPath,
    store::layout::{Role, Source},
};

pub use crate::session::{
    blame::BlameAction,
    bookmarks::BookmarkAction,
    compare::CompareAction,
    conditions::ConditionAction,
    drift::DriftAction,
    named::{Menu, NAMED, Named, What, WindowAction},
    payloads::{PayloadAction, PayloadScope},
    projections::ProjectionAction,
    publish::PublishAction,
    scripts::ScriptAction,
    settings::SettingsAction,
    verify::VerifyAction,
    watches::WatchAction,
    what_if::WhatIfAction,
};

/// What the user asked for, by the noun that answers it.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Opening, closing, settings, notices.
    Shell(ShellAction),
    /// Streams and events.
    Browse(BrowseAction),
    /// The cursor and the timeline.
    Cursor(CursorAction),
    /// The mapping dialog.
    Mapping(MappingAction),
    /// Reducers: choosing, editing, scaffolding.
    Scripts(ScriptAction),
    /// Asking why a value is as it is.
    Blame(BlameAction),
    /// Watched paths and expressions.
    Watches(WatchAction),
    /// Running to the next or previous hit of a condition.
    Conditions(ConditionAction),
    /// Searching payloads.
    Payloads(PayloadAction),
    /// Two histories side by side.
    Compare(CompareAction),
    /// Branches of a history.
    WhatIf(WhatIfAction),
    /// Bookmarks and the places gone to.
    Bookmarks(BookmarkAction),
    /// Read models: rebuilds and rows.
    Projections(ProjectionAction),
    /// Where stored read models no longer agree with the events.
    Drift(DriftAction),
    /// Writing into the store.
    Publish(PublishAction),
    /// Snapshots held against the events.
    Verify(VerifyAction),
    /// What is kept, and how much memory is taken.
    Settings(SettingsAction),
}

/// Opening, closing, settings, notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellAction {
    /// Opens a database file.
    Open(PathBuf),
    /// Opens the sample store, which is made first if it is not there.
    OpenSample,
    /// Closes the store and shows the welcome screen.
    Close,
    /// Reads the store afresh.
    Reload,
    /// Takes a file off the recent list.
    Forget(PathBuf),
    /// Chooses the zone in which times are shown.
    SetZone(Zone),
    /// Chooses the colours.
    SetTheme(Theme),
    /// Takes a notice away.
    Dismiss(u64),
    /// Stops whatever takes long.
    CancelWork,
    /// Goes on indexing where it was stopped.
    GoOnIndexing,
    /// One place back in the trail.
    Back,
    /// One place forward again.
    Forward,
}

/// The colours of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

/// Streams and events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrowseAction {
    /// Chooses a stream, by its number in the index, and shows its events.
    ChooseStream(u32),
    /// Shows the events of all streams again.
    ClearStream,
    /// Filters the streams by text, glob or `/expression/`.
    FilterStreams(String),
    /// Sorts the streams; the same order again turns it round.
    SortStreams(StreamSort),
    /// Opens or closes a category in the tree.
    ToggleCategory(Option<Arc<str>>),
    /// Opens or closes all categories.
    OpenAllCategories(bool),
    /// Shows only the events of a category; `None` shows all again.
    FilterCategory(Option<Option<Arc<str>>>),
    /// Shows or hides an event type.
    ToggleType(Arc<str>),
    /// Shows all event types again.
    ClearTypes,
    /// Shows only this event type.
    OnlyType(Arc<str>),
    /// Shows only events from this time on; nothing means from the first.
    FilterFrom(Option<Timestamp>),
    /// Shows only events up to this time; nothing means to the last.
    FilterTo(Option<Timestamp>),
    /// Takes every filter off the events.
    ClearFilters,
    /// Lists events in global order, or stream by stream.
    OrderEvents(EventOrder),
    /// The rows that are on screen, so that they are fetched.
    ShowRows {
        /// The first row.
        first: u64,
        /// How many.
        count: usize,
    },
    /// Chooses the event in a row: the cursor moves there.
    ChooseRow(u64),
    /// Moves the choice by so many rows.
    MoveRow(i64),
    /// Adds a column that shows a path of the data or metadata.
    AddColumn(ColumnPath),
    /// Takes such a column away.
    RemoveColumn(ColumnPath),
    /// Goes to the event that has this id of its own.
    GoToId(Arc<str>),
    /// Goes to a version, a position or a time, as typed.
    GoTo(String),
    /// Shows a snapshot in detail, by its row.
    ChooseSnapshot(usize),
    /// Lists the snapshots of the chosen stream only, or of the whole store.
    SnapshotsOfStream(bool),
}

/// How streams are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum StreamSort {
    /// By name.
    #[default]
    Name,
    /// By number of events.
    Events,
    /// By first time.
    First,
    /// By last time.
    Last,
}

/// How events are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventOrder {
    /// As they were recorded.
    #[default]
    Global,
    /// Stream by stream, each in version order.
    Stream,
}

/// The cursor and the timeline.
#[derive(Debug, Clone, PartialEq)]
pub enum CursorAction {
    /// To a place on the timeline, 0 the start and 1 the end.
    Seek(f64),
    /// By so many events, back or forth.
    Step(i64),
    /// Before the first event.
    Home,
    /// To the last event, staying there when more arrive.
    End,
    /// To the last event, moving on when more arrive; or stop doing so.
    ToggleFollow,
    /// Starts or stops playing.
    TogglePlay,
    /// Plays this many events a second.
    SetSpeed(u32),
    /// The timeline counts events, or time.
    SetAxis(Axis),
    /// The timeline shows the chosen stream, or the whole store.
    SetScope(Scope),
    /// Leaves out long times without events, or shows them in their length.
    ToggleCollapse,
    /// Pins the cursor's place as the first or second point to compare.
    Pin(usize),
    /// Takes a pin away.
    Unpin(usize),
    /// The state after so many events of the chosen stream.
    ToCount(usize),
}

/// What the timeline counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Axis {
    /// Each event is as wide as the next.
    #[default]
    Events,
    /// Each second is as wide as the next.
    Time,
}

/// What the timeline shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The chosen stream, or the store while none is chosen.
    #[default]
    Stream,
    /// The whole store.
    Store,
}

/// The mapping dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappingAction {
    /// Opens the dialog for the store, or for the file that has no events table.
    Edit,
    /// Another table holds the events.
    ChooseTable(Arc<str>),
    /// Another source plays a role; `None` means there is none.
    ChooseSource(Role, Option<Source>),
    /// Opens the store with this mapping and keeps it.
    Save,
    /// Leaves everything as it was.
    Cancel,
}
