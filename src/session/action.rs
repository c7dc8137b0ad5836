//! What a user can ask for, and the one table of names, help and shortcuts.
//!
//! Menus, palette, shortcuts, tooltips and the README's list all read [`NAMED`].

use std::{path::PathBuf, sync::Arc};

use crate::{
    model::{Pointer, Timestamp, Zone},
    session::Session,
    store::layout::{Role, Source},
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
    /// Adds a column that shows a path of the data.
    AddColumn(Pointer),
    /// Takes such a column away.
    RemoveColumn(Pointer),
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

/// A row of the table of actions: one that needs no argument.
pub struct Named {
    /// In menus and the palette.
    pub name: &'static str,
    /// What it does, for the tooltip and the README.
    pub help: &'static str,
    /// The keys, as `Ctrl+O`; empty if there are none.
    pub shortcut: &'static str,
    /// Which menu it stands in.
    pub menu: Menu,
    /// What it asks for.
    pub what: What,
    /// Whether it can be asked for now.
    pub is_enabled: fn(&Session) -> bool,
}

/// What a named action asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Something the session does.
    Session(Action),
    /// Something the window does by itself.
    Window(WindowAction),
}

/// What the window does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowAction {
    /// Asks for a file.
    OpenDialog,
    /// Asks where to go.
    GoTo,
    /// Finds in the panel that was used last.
    Find,
    /// Shows all actions.
    Palette,
    /// Shows all shortcuts.
    Shortcuts,
    /// Shows frame times, jobs and memory.
    DebugPanel,
    /// Copies the chosen event as JSON.
    CopyEvent,
    /// Copies the state at the cursor as JSON.
    CopyState,
    /// Shows the layout of the store.
    Info,
    /// Puts every panel back in its place.
    ResetPanels,
    /// Says what this program is.
    About,
    /// Ends the program.
    Quit,
}

/// A menu of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Menu {
    /// Files.
    File,
    /// Copying and finding.
    Edit,
    /// What is shown.
    View,
    /// Where to stand.
    Go,
    /// Looking into the program.
    Debug,
    /// Help.
    Help,
}

impl Menu {
    /// All menus in their order.
    pub const ALL: [Self; 6] = [Self::File, Self::Edit, Self::View, Self::Go, Self::Debug, Self::Help];

    /// Its title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::File => "File",
            Self::Edit => "Edit",
            Self::View => "View",
            Self::Go => "Go",
            Self::Debug => "Debug",
            Self::Help => "Help",
        }
    }
}

const fn named(
    menu: Menu,
    name: &'static str,
    shortcut: &'static str,
    help: &'static str,
    what: What,
    is_enabled: fn(&Session) -> bool,
) -> Named {
    Named { name, help, shortcut, menu, what, is_enabled }
}

const fn cursor(action: CursorAction) -> What {
    What::Session(Action::Cursor(action))
}

const fn shell(action: ShellAction) -> What {
    What::Session(Action::Shell(action))
}

const fn browse(action: BrowseAction) -> What {
    What::Session(Action::Browse(action))
}

const fn window(action: WindowAction) -> What {
    What::Window(action)
}

fn always(_: &Session) -> bool {
    true
}

/// Every action that needs no argument.
pub const NAMED: &[Named] = &[
    named(Menu::File, "Open…", "Ctrl+O", "Open a database file", window(WindowAction::OpenDialog), always),
    named(
        Menu::File,
        "Open the sample store",
        "",
        "Open a small shop to try things on",
        shell(ShellAction::OpenSample),
        always,
    ),
    named(
        Menu::File,
        "Reload",
        "F5",
        "Read the store afresh",
        shell(ShellAction::Reload),
        Session::has_store,
    ),
    named(
        Menu::File,
        "Close",
        "Ctrl+W",
        "Close the store and show the welcome screen",
        shell(ShellAction::Close),
        Session::has_file,
    ),
    named(Menu::File, "Quit", "Ctrl+Q", "Leave Timeglass", window(WindowAction::Quit), always),
    named(
        Menu::Edit,
        "Copy event as JSON",
        "Ctrl+Shift+C",
        "Copy the event at the cursor as JSON",
        window(WindowAction::CopyEvent),
        Session::has_event,
    ),
    named(
        Menu::Edit,
        "Copy state as JSON",
        "Ctrl+Shift+S",
        "Copy the state at the cursor as JSON",
        window(WindowAction::CopyState),
        Session::has_state,
    ),
    named(Menu::Edit, "Find…", "Ctrl+F", "Find in the state", window(WindowAction::Find), Session::has_store),
    named(
        Menu::Edit,
        "Clear filters",
        "",
        "Show all events again",
        browse(BrowseAction::ClearFilters),
        Session::has_filters,
    ),
    named(
        Menu::View,
        "Layout of the store",
        "Ctrl+I",
        "Show which table and column plays which role, and why",
        window(WindowAction::Info),
        Session::has_store,
    ),
    named(
        Menu::View,
        "Change the layout…",
        "",
        "Correct which column plays which role",
        What::Session(Action::Mapping(MappingAction::Edit)),
        Session::has_file,
    ),
    named(
        Menu::View,
        "Times in UTC",
        "",
        "Show times in UTC",
        shell(ShellAction::SetZone(Zone::Utc)),
        always,
    ),
    named(
        Menu::View,
        "Times in local time",
        "",
        "Show times in the zone of this machine",
        shell(ShellAction::SetZone(Zone::Local)),
        always,
    ),
    named(
        Menu::View,
        "Light theme",
        "",
        "Dark text on light ground",
        shell(ShellAction::SetTheme(Theme::Light)),
        always,
    ),
    named(
        Menu::View,
        "Dark theme",
        "",
        "Light text on dark ground",
        shell(ShellAction::SetTheme(Theme::Dark)),
        always,
    ),
    named(
        Menu::View,
        "System theme",
        "",
        "The colours that the system uses",
        shell(ShellAction::SetTheme(Theme::System)),
        always,
    ),
    named(
        Menu::View,
        "Reset panels",
        "",
        "Put every panel back in its place",
        window(WindowAction::ResetPanels),
        always,
    ),
    named(
        Menu::Go,
        "Back",
        "Alt+ArrowLeft",
        "Go to the place before",
        shell(ShellAction::Back),
        Session::can_go_back,
    ),
    named(
        Menu::Go,
        "Forward",
        "Alt+ArrowRight",
        "Go to the place after",
        shell(ShellAction::Forward),
        Session::can_go_forward,
    ),
    named(
        Menu::Go,
        "Go to…",
        "Ctrl+G",
        "Go to a version, position or time",
        window(WindowAction::GoTo),
        Session::has_store,
    ),
    named(
        Menu::Go,
        "Step back",
        "ArrowLeft",
        "One event back",
        cursor(CursorAction::Step(-1)),
        Session::has_store,
    ),
    named(
        Menu::Go,
        "Step forward",
        "ArrowRight",
        "One event forward",
        cursor(CursorAction::Step(1)),
        Session::has_store,
    ),
    named(
        Menu::Go,
        "To the start",
        "Home",
        "Before the first event",
        cursor(CursorAction::Home),
        Session::has_store,
    ),
    named(Menu::Go, "To the end", "End", "To the last event", cursor(CursorAction::End), Session::has_store),
    named(
        Menu::Go,
        "Play or pause",
        "Space",
        "Move the cursor on by itself",
        cursor(CursorAction::TogglePlay),
        Session::has_store,
    ),
    named(
        Menu::Go,
        "Follow new events",
        "Ctrl+L",
        "Stay at the end while events arrive",
        cursor(CursorAction::ToggleFollow),
        Session::has_store,
    ),
    named(
        Menu::Go,
        "All streams",
        "Escape",
        "Show the events of all streams",
        browse(BrowseAction::ClearStream),
        Session::has_stream,
    ),
    named(
        Menu::Debug,
        "Pin as A",
        "Ctrl+1",
        "Keep this point as the first to compare",
        cursor(CursorAction::Pin(0)),
        Session::has_state,
    ),
    named(
        Menu::Debug,
        "Pin as B",
        "Ctrl+2",
        "Keep this point as the second to compare",
        cursor(CursorAction::Pin(1)),
        Session::has_state,
    ),
    named(
        Menu::Debug,
        "Collapse gaps",
        "",
        "Leave out long times without events",
        cursor(CursorAction::ToggleCollapse),
        Session::has_store,
    ),
    named(
        Menu::Debug,
        "Debug panel",
        "F12",
        "Show frame times, jobs and memory",
        window(WindowAction::DebugPanel),
        always,
    ),
    named(
        Menu::Help,
        "All actions…",
        "Ctrl+K",
        "Find an action by its name",
        window(WindowAction::Palette),
        always,
    ),
    named(Menu::Help, "Shortcuts", "F1", "Show all keys", window(WindowAction::Shortcuts), always),
    named(Menu::Help, "About Timeglass", "", "Version and licences", window(WindowAction::About), always),
];
