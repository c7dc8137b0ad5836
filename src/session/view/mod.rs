//! What the window shows: plain data in the user's words, ready to draw.
//!
//! Lists that live in the index are not copied into the view: a view holds the shared index and
//! writes out the few rows that are on screen, which is formatting, not computing.

mod blame;
mod bookmarks;
mod compare;
mod conditions;
mod drift;
mod events;
mod layout;
mod outputs;
mod payloads;
mod projections;
mod publish;
mod screen;
mod scripts;
mod settings;
mod snapshots;
mod state;
mod streams;
mod timeline;
mod verify;
mod watches;
mod what_if;

use std::sync::Arc;

pub use crate::session::memory::MemoryPart;
pub use blame::{BlameView, LastWrite, WriteRow};
pub use bookmarks::{BookmarksView, PlaceRow};
pub use compare::{CompareSideView, CompareView};
pub use conditions::{ConditionView, ConditionsView, SearchView, met_words};
pub use drift::{DriftStage, DriftView};
pub use events::{
    ByStream, ColumnPath, EventsView, Extra, FilterView, Listed, Listing, LoadedRow, RowHead, TypeView,
};
pub use layout::{InfoView, MappingView, RoleRow, TableRow};
pub use outputs::{ChosenOutput, OutputView, output_cells, output_title};
pub use payloads::PayloadsView;
pub use projections::{
    CellChange, ChangeHead, Guess, LoadedRows, ModelView, PartitionState, ProjectionDetail, ProjectionLine,
    ProjectionsView, Stage, StoryView,
};
pub use publish::{PublishStage, PublishView};
pub use screen::{NoEventsView, Notice, Offer, RecentView, Screen, Severity};
pub use scripts::{CategoryLine, EditorView, FailureLine, ScriptsView, StepNotes};
pub use settings::{SettingsView, size_words};
pub use snapshots::{SnapshotRow, SnapshotsView};
pub use state::{DiffView, StateView};
pub use streams::{StreamLine, StreamText, StreamsView};
pub use timeline::{Tick, TimelineBar, TimelineView};
pub use verify::{ChosenCheck, CostView, VerifyView};
pub use watches::{WatchCells, WatchView, WatchesView};
pub use what_if::{BranchRow, DraftView, EditRow, OutcomeView, WhatIfView};

use crate::{
    model::{RecordedEvent, Zone},
    session::action::Theme,
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
    /// The same at length, for the pointer.
    pub status_detail: String,
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
    /// Reducers: choosing, editing, scaffolding.
    pub scripts: ScriptsView,
    /// Asking why a value is as it is.
    pub blame: BlameView,
    /// Watched paths and expressions.
    pub watches: WatchesView,
    /// Running to the next or previous hit of a condition.
    pub conditions: ConditionsView,
    /// What was found in payloads.
    pub payloads: PayloadsView,
    /// Two histories side by side.
    pub compare: CompareView,
    /// Branches of a history.
    pub what_if: WhatIfView,
    /// Bookmarks and the places gone to.
    pub bookmarks: BookmarksView,
    /// Projections, rebuilds and read models.
    pub projections: ProjectionsView,
    /// Where stored read models no longer agree.
    pub drift: DriftView,
    /// The publishing dialog; `None` while it is closed.
    pub publish: Option<PublishView>,
    /// Snapshots held against the events.
    pub verify: VerifyView,
    /// The settings.
    pub settings: SettingsView,
    /// The mapping dialog, while it is open.
    pub mapping: Option<Arc<MappingView>>,
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
