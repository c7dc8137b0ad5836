//! The one table of names, help and shortcuts.
//!
//! Menus, palette, the list of shortcuts and the keys that are listened to all read [`NAMED`].

use crate::{
    model::Zone,
    projection::export::Format,
    session::{
        Session,
        action::{
            Action, BlameAction as Blame, BookmarkAction as Bookmark, BrowseAction as Browse,
            CompareAction as Compare, ConditionAction as Condition, CursorAction as Cursor,
            MappingAction as Mapping, PayloadAction, ProjectionAction as Projection,
            PublishAction as Publish, ScriptAction, ShellAction as Shell, Theme, WhatIfAction as WhatIf,
        },
        conditions::{Direction, Reach},
        drift::DriftAction,
        what_if::Target,
    },
};

/// A row of the table of actions: one that needs no argument.
pub struct Named {
    /// In menus and the palette.
    pub name: &'static str,
    /// What it does, for the tooltip.
    pub help: &'static str,
    /// The keys, as `Ctrl+O`; empty if there are none.
    pub shortcut: &'static str,
    /// Which menu it stands in.
    pub menu: Menu,
    /// Whether a group of its own begins with it in that menu.
    pub begins_group: bool,
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
    /// Shows the panel in which payloads are searched.
    SearchPayloads,
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
    /// Lists the events that wrote the chosen value of the state.
    Why,
    /// Shows the layout of the store.
    Info,
    /// Puts every panel back in its place.
    ResetPanels,
    /// Brings the reducer's panel to the front.
    Reducer,
    /// Asks for a reducer's file, for the category that is shown.
    UseReducer,
    /// Brings the projections to the front.
    Projections,
    /// Asks for a file with projections.
    AddDefinition,
    /// Asks for a format and a file for the read model that is shown.
    ExportModel,
    /// Asks for a file for the read model that is shown, in this format.
    ExportAs(Format),
    /// Shows what can be set.
    Settings,
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

    const fn row(
        self,
        name: &'static str,
        shortcut: &'static str,
        help: &'static str,
        what: What,
        is_enabled: fn(&Session) -> bool,
    ) -> Named {
        Named { name, help, shortcut, menu: self, begins_group: false, what, is_enabled }
    }
}

impl Named {
    /// A group of its own begins here.
    const fn apart(mut self) -> Self {
        self.begins_group = true;
        self
    }
}

/// Every action that needs no argument.
// One line a row, so that the columns can be read downwards.
#[rustfmt::skip]
pub const NAMED: &[Named] = &[
    // Menu and name                        keys              help                                                     what it asks for                       when it can be asked for
    Menu::File.row("Open…",                 "Ctrl+O",         "Open a database file",                                  window(WindowAction::OpenDialog),      always),
    Menu::File.row("Open the sample store", "",               "Open a small shop to try things on",                    shell(Shell::OpenSample),              always),
    Menu::File.row("Reload",                "F5",             "Read the store afresh",                                 shell(Shell::Reload),                  Session::has_store).apart(),
    Menu::File.row("Index the rest",        "",               "Go on indexing the events where it was stopped",        shell(Shell::GoOnIndexing),            Session::can_index_rest),
    Menu::File.row("Close",                 "Ctrl+W",         "Close the store and show the welcome screen",           shell(Shell::Close),                   Session::has_file),
    Menu::File.row("Settings…",             "Ctrl+Comma",     "Colours, times, what is kept between runs, memory",     window(WindowAction::Settings),        always).apart(),
    Menu::File.row("Quit",                  "Ctrl+Q",         "Leave Timeglass",                                       window(WindowAction::Quit),            always),

    Menu::Edit.row("Save reducer",          "Ctrl+S",         "Write the reducer's file and make the states anew",     scripts(ScriptAction::Save),           Session::has_reducer_text),
    Menu::Edit.row("Copy event as JSON",    "Ctrl+Shift+C",   "Copy the event at the cursor as JSON",                  window(WindowAction::CopyEvent),       Session::has_event).apart(),
    Menu::Edit.row("Copy state as JSON",    "Ctrl+Shift+S",   "Copy the state at the cursor as JSON",                  window(WindowAction::CopyState),       Session::has_state),
    Menu::Edit.row("Find…",                 "Ctrl+F",         "Find in the state",                                     window(WindowAction::Find),            Session::has_store).apart(),
    Menu::Edit.row("Search payloads…",      "Ctrl+Shift+F",   "Look for a text or a value in the payloads of all events", window(WindowAction::SearchPayloads), Session::has_store),
    Menu::Edit.row("Next payload hit",      "F3",             "Go to the next event of the list",                      What::Session(Action::Payloads(PayloadAction::Turn(true))), Session::has_payload_hits),
    Menu::Edit.row("Previous payload hit",  "Shift+F3",       "Go to the event before in the list",                    What::Session(Action::Payloads(PayloadAction::Turn(false))), Session::has_payload_hits),
    Menu::Edit.row("Clear filters",         "",               "Show all events again",                                 browse(Browse::ClearFilters),          Session::has_filters).apart(),

    Menu::View.row("Layout of the store",   "Ctrl+I",         "Show which table and column plays which role, and why", window(WindowAction::Info),            Session::has_store),
    Menu::View.row("Change the layout…",    "",               "Correct which column plays which role",                 mapping(Mapping::Edit),                Session::has_file),
    Menu::View.row("Times in UTC",          "",               "Show times in UTC",                                     shell(Shell::SetZone(Zone::Utc)),      always).apart(),
    Menu::View.row("Times in local time",   "",               "Show times in the zone of this machine",                shell(Shell::SetZone(Zone::Local)),    always),
    Menu::View.row("Light theme",           "",               "Dark text on light ground",                             shell(Shell::SetTheme(Theme::Light)),  always).apart(),
    Menu::View.row("Dark theme",            "",               "Light text on dark ground",                             shell(Shell::SetTheme(Theme::Dark)),   always),
    Menu::View.row("System theme",          "",               "The colours that the system uses",                      shell(Shell::SetTheme(Theme::System)), always),
    Menu::View.row("Reset panels",          "",               "Put every panel back in its place",                     window(WindowAction::ResetPanels),     always).apart(),

    Menu::Go.row("Back",                    "Alt+ArrowLeft",  "Go to the place before",                                shell(Shell::Back),                    Session::can_go_back),
    Menu::Go.row("Forward",                 "Alt+ArrowRight", "Go to the place after",                                 shell(Shell::Forward),                 Session::can_go_forward),
    Menu::Go.row("Go to…",                  "Ctrl+G",         "Go to a version, position or time",                     window(WindowAction::GoTo),            Session::has_store).apart(),
    Menu::Go.row("Step back",               "ArrowLeft",      "One event back",                                        cursor(Cursor::Step(-1)),              Session::has_store),
    Menu::Go.row("Step forward",            "ArrowRight",     "One event forward",                                     cursor(Cursor::Step(1)),               Session::has_store),
    Menu::Go.row("To the start",            "Home",           "Before the first event",                                cursor(Cursor::Home),                  Session::has_store),
    Menu::Go.row("To the end",              "End",            "To the last event",                                     cursor(Cursor::End),                   Session::has_store),
    Menu::Go.row("Play or pause",           "Space",          "Move the cursor on by itself",                          cursor(Cursor::TogglePlay),            Session::has_store),
    Menu::Go.row("Follow new events",       "Ctrl+L",         "Stay at the end while events arrive",                   cursor(Cursor::ToggleFollow),          Session::has_store),
    Menu::Go.row("Keep or let go this place", "Ctrl+D",       "Bookmark the cursor's place, or take its bookmark away", bookmark(Bookmark::Toggle),           Session::can_bookmark).apart(),
    Menu::Go.row("Next bookmark",           "Ctrl+Shift+ArrowDown","Go to the next bookmark of this stream",                bookmark(Bookmark::Turn(true)),        Session::has_bookmarks),
    Menu::Go.row("Previous bookmark",       "Ctrl+Shift+ArrowUp","Go to the bookmark before",                             bookmark(Bookmark::Turn(false)),       Session::has_bookmarks),
    Menu::Go.row("All streams",             "Escape",         "Show the events of all streams; the key counts in the lists of events and streams", browse(Browse::ClearStream),           Session::has_stream).apart(),

    Menu::Debug.row("Run back to the hit before", "Shift+F9", "Go back to where a condition was met last",            conditions(Condition::Run(Direction::Backward)), Session::has_condition),
    Menu::Debug.row("Search all streams",   "",               "List the streams of the category that ever met a condition", conditions(Condition::Search(Reach::Category)), Session::has_any_condition),
    Menu::Debug.row("Run to the next hit",  "F9",             "Go to where a condition is met next",                   conditions(Condition::Run(Direction::Forward)), Session::has_condition),
    Menu::Debug.row("Pin as A",             "Ctrl+1",         "Keep this point as the first to compare",               cursor(Cursor::Pin(0)),                Session::has_state),
    Menu::Debug.row("Pin as B",             "Ctrl+2",         "Keep this point as the second to compare",              cursor(Cursor::Pin(1)),                Session::has_state),
    Menu::Debug.row("Reducer",              "",               "Show the reducer that makes the states, and edit it",   window(WindowAction::Reducer),         Session::has_store).apart(),
    Menu::Debug.row("New reducer from the events", "",        "Write a reducer that takes over every field",           scripts(ScriptAction::ScaffoldShown),  Session::has_store),
    Menu::Debug.row("Use a reducer file…",  "",               "Use a reducer or projection in JavaScript",             window(WindowAction::UseReducer),      Session::has_store),
    Menu::Debug.row("Why?",                 "Ctrl+B",         "List the events that wrote the chosen value of the state", window(WindowAction::Why),          Session::has_state).apart(),
    Menu::Debug.row("Previous write",       "Alt+ArrowUp",    "Go to the event before that wrote the value in question", blame(Blame::Previous),               Session::has_writes),
    Menu::Debug.row("Next write",           "Alt+ArrowDown",  "Go to the event after that wrote the value in question", blame(Blame::Next),                    Session::has_writes),
    Menu::Debug.row("Forget the value in question", "",       "Take its marks off the timeline",                       blame(Blame::Forget),                  Session::has_question),
    Menu::Debug.row("Compare branch and truth", "",           "Put the recorded history and the branch side by side",  compare(Compare::TakeBranch),          Session::has_branch).apart(),
    Menu::Debug.row("First difference",     "Ctrl+Shift+ArrowLeft", "Where the two histories compared part",           compare(Compare::First),               Session::has_differences),
    Menu::Debug.row("Previous difference",  "Ctrl+ArrowLeft", "Where other values differ, before this step",           compare(Compare::Previous),            Session::has_differences),
    Menu::Debug.row("Next difference",      "Ctrl+ArrowRight", "Where other values differ, after this step",           compare(Compare::Next),                Session::has_differences),
    Menu::Debug.row("Leave this event out", "",               "What-if: a branch without the event at the cursor",     what_if(WhatIf::LeaveOut(Target::Cursor)), Session::has_event).apart(),
    Menu::Debug.row("Edit this event…",     "",               "What-if: a branch in which it says something else",     what_if(WhatIf::Edit(Target::Cursor)), Session::has_event),
    Menu::Debug.row("Insert an event before…", "",            "What-if: a branch with another event before it",        what_if(WhatIf::InsertBefore(Target::Cursor)), Session::has_event),
    Menu::Debug.row("Insert an event after…", "",             "What-if: a branch with another event after it",         what_if(WhatIf::InsertAfter(Target::Cursor)), Session::has_event),
    Menu::Debug.row("Move this event…",     "",               "What-if: a branch in which it stands elsewhere",        what_if(WhatIf::Move(Target::Cursor)), Session::has_event),
    Menu::Debug.row("Where the branch parts", "",             "Go to the first step that differs from the truth",      what_if(WhatIf::GoToParting),          Session::has_parted),
    Menu::Debug.row("Undo change of branch", "",              "Take the last change of a branch back",                 what_if(WhatIf::Undo),                 Session::can_undo_branch),
    Menu::Debug.row("Redo change of branch", "",              "Do it again",                                           what_if(WhatIf::Redo),                 Session::can_redo_branch),
    Menu::Debug.row("Back to the truth",    "",               "Show what was recorded again",                          what_if(WhatIf::StandOnTruth),         Session::is_on_branch),
    Menu::Debug.row("Projections",          "",               "Show the projections, their rebuilds and read models",  window(WindowAction::Projections),     Session::has_store).apart(),
    Menu::Debug.row("Add a projection…",    "",               "Use a file with projections in SQL or JavaScript",      window(WindowAction::AddDefinition),   Session::has_store),
    Menu::Debug.row("Rebuild projection",   "Ctrl+R",         "Rebuild the chosen projection from all events",         projections(Projection::RebuildChosen), Session::can_rebuild),
    Menu::Debug.row("Rebuild all projections", "",            "Rebuild every projection that has a definition",        projections(Projection::RebuildAll),   Session::can_rebuild_any),
    Menu::Debug.row("Compare with the stored table", "",      "Hold the stored table against what the events make",    What::Session(Action::Drift(DriftAction::Compare)), Session::can_compare_table),
    Menu::Debug.row("Publish the read model…", "",            "List what would be written into the store, and write it", publish(Publish::Prepare),            Session::can_publish),
    Menu::Debug.row("Lock the store again", "",               "Take back the permission to write into the store",      publish(Publish::Lock),                Session::is_unlocked),
    Menu::Debug.row("Stop rebuilds",        "",               "Stop them; what was made so far stays",                 projections(Projection::StopAll),      Session::is_rebuilding),
    Menu::Debug.row("Export read model…",   "",               "Write the rows at the cursor into a new file",          window(WindowAction::ExportModel),     Session::has_read_model),
    Menu::Debug.row("Previous change of the row", "",         "Go to the event before that changed the chosen row",    projections(Projection::TurnChange(false)), Session::has_row_history),
    Menu::Debug.row("Next change of the row", "",             "Go to the event after that changed the chosen row",     projections(Projection::TurnChange(true)), Session::has_row_history),
    Menu::Debug.row("Collapse gaps",        "",               "Leave out long times without events",                   cursor(Cursor::ToggleCollapse),        Session::has_store).apart(),
    Menu::Debug.row("Debug panel",          "F12",            "Show frame times, jobs and memory",                     window(WindowAction::DebugPanel),      always),

    Menu::Help.row("All actions…",          "Ctrl+K",         "Find an action by its name",                            window(WindowAction::Palette),         always),
    Menu::Help.row("Shortcuts",             "F1",             "Show all keys",                                         window(WindowAction::Shortcuts),       always),
    Menu::Help.row("About Timeglass",       "",               "Version and licences",                                  window(WindowAction::About),           always),
];

const fn blame(action: Blame) -> What {
    What::Session(Action::Blame(action))
}

const fn browse(action: Browse) -> What {
    What::Session(Action::Browse(action))
}

const fn conditions(action: Condition) -> What {
    What::Session(Action::Conditions(action))
}

const fn cursor(action: Cursor) -> What {
    What::Session(Action::Cursor(action))
}

const fn bookmark(action: Bookmark) -> What {
    What::Session(Action::Bookmarks(action))
}

const fn compare(action: Compare) -> What {
    What::Session(Action::Compare(action))
}

const fn what_if(action: WhatIf) -> What {
    What::Session(Action::WhatIf(action))
}

const fn mapping(action: Mapping) -> What {
    What::Session(Action::Mapping(action))
}

const fn publish(action: Publish) -> What {
    What::Session(Action::Publish(action))
}

const fn projections(action: Projection) -> What {
    What::Session(Action::Projections(action))
}

const fn scripts(action: ScriptAction) -> What {
    What::Session(Action::Scripts(action))
}

const fn shell(action: Shell) -> What {
    What::Session(Action::Shell(action))
}

const fn window(action: WindowAction) -> What {
    What::Window(action)
}

fn always(_: &Session) -> bool {
    true
}
