//! One panel a file, each a function of plain view data that pushes what the user asked for.

pub mod blame;
pub mod bookmarks;
pub mod compare;
pub mod conditions;
pub mod diff;
pub mod event;
pub mod events;
pub mod info;
pub mod mapping;
pub mod no_events;
pub mod notices;
pub mod payloads;
pub mod projections;
pub mod publish;
pub mod scripts;
pub mod scripts_editor;
pub mod snapshots;
pub mod state;
mod state_notes;
pub mod status;
pub mod streams;
pub mod timeline;
pub mod watches;
pub mod welcome;
pub mod what_if;

use crate::{
    session::{
        action::{
            Action, BlameAction, CompareAction, ConditionAction, PayloadAction, WatchAction, WhatIfAction,
        },
        view::{Extra, View},
    },
    ui::dock::Panel,
};

/// What the panels keep for themselves: scrolled rows, half-typed texts, opened nodes.
#[derive(Default)]
pub struct Local {
    /// The streams panel.
    pub streams: streams::StreamsLocal,
    /// The events panel.
    pub events: events::EventsLocal,
    /// The timeline.
    pub timeline: timeline::TimelineLocal,
    /// The state panel.
    pub state: state::StateLocal,
    /// The diff panel.
    pub diff: diff::DiffLocal,
    /// The event panel.
    pub event: event::EventLocal,
    /// Projections, rebuilds and read models.
    pub projections: projections::ProjectionsLocal,
    /// The publishing dialog.
    pub publish: publish::PublishLocal,
    /// The snapshots panel.
    pub snapshots: snapshots::SnapshotsLocal,
    /// The reducer and its editor.
    pub scripts: scripts::ScriptsLocal,
    /// Which events wrote a value.
    pub blame: blame::BlameLocal,
    /// Watched paths and expressions.
    pub watches: watches::WatchesLocal,
    /// Running to where a condition holds.
    pub conditions: conditions::ConditionsLocal,
    /// Searching payloads.
    pub payloads: payloads::PayloadsLocal,
    /// Two histories side by side.
    pub compare: compare::CompareLocal,
    /// Branches of a history.
    pub what_if: what_if::WhatIfLocal,
    /// Bookmarks and the places gone to.
    pub bookmarks: bookmarks::BookmarksLocal,
    /// Whether the state's search should take the keyboard.
    pub find_wanted: bool,
    /// Whether the debug panel is shown.
    pub shows_debug: bool,
    /// A panel that should come to the front.
    pub show_panel: Option<Panel>,
    /// What panels asked for after the actions of this frame were taken.
    pub actions: Vec<Action>,
}

/// The panel in which what was asked for is seen, if that is another than where it was asked.
#[must_use]
pub fn panel_of(action: &Action) -> Option<Panel> {
    match action {
        Action::WhatIf(
            WhatIfAction::LeaveOut(_)
            | WhatIfAction::Edit(_)
            | WhatIfAction::InsertBefore(_)
            | WhatIfAction::InsertAfter(_)
            | WhatIfAction::Move(_),
        ) => Some(Panel::WhatIf),
        Action::Compare(CompareAction::TakeBranch) => Some(Panel::Compare),
        Action::Watches(WatchAction::Add(_)) => Some(Panel::Watches),
        Action::Conditions(ConditionAction::Add(_) | ConditionAction::Search(_)) => Some(Panel::Conditions),
        _ => None,
    }
}

/// Draws a docked panel.
pub fn panel_ui(ui: &mut egui::Ui, panel: Panel, view: &View, local: &mut Local, actions: &mut Vec<Action>) {
    let before = actions.len();
    match panel {
        Panel::Streams => streams::streams_ui(ui, &view.streams, &mut local.streams, actions),
        Panel::Events => events::events_ui(ui, &view.events, &mut local.events, actions),
        Panel::Search => payloads::payloads_ui(ui, &view.payloads, &mut local.payloads, actions),
        Panel::Projections => projections::projections_ui(ui, view, &mut local.projections, actions),
        Panel::Snapshots => {
            snapshots::snapshots_ui(ui, &view.snapshots, &view.verify, &mut local.snapshots, actions);
        }
        Panel::Info => info::info_ui(ui, &view.info, actions),
        Panel::State => {
            let takes_keyboard = std::mem::take(&mut local.find_wanted);
            state::state_ui(ui, &view.state, &mut local.state, takes_keyboard, actions);
            if std::mem::take(&mut local.state.shows_reducer) {
                local.show_panel = Some(Panel::Reducer);
            }
        }
        Panel::Diff => diff::diff_ui(ui, &view.diff, &mut local.diff, actions),
        Panel::Event => {
            let ids = event::Ids {
                has_causes: view.events.extras.contains(&Extra::Causation),
                estimate: view.payloads.id_estimate.as_deref(),
            };
            event::event_ui(ui, view.event.as_deref(), (view.zone, &ids), &mut local.event, actions);
        }
        Panel::Reducer => scripts::scripts_ui(ui, &view.scripts, &mut local.scripts, actions),
        Panel::Why => blame::blame_ui(ui, &view.blame, &mut local.blame, actions),
        Panel::Watches => watches::watches_ui(ui, &view.watches, &mut local.watches, actions),
        Panel::Conditions => conditions::conditions_ui(ui, &view.conditions, &mut local.conditions, actions),
        Panel::Compare => compare::compare_ui(ui, &view.compare, &mut local.compare, actions),
        Panel::WhatIf => what_if::what_if_ui(ui, &view.what_if, &mut local.what_if, actions),
        Panel::Bookmarks => bookmarks::bookmarks_ui(ui, &view.bookmarks, &mut local.bookmarks, actions),
    }
    let is_search = |action: &Action| matches!(action, Action::Payloads(PayloadAction::SearchId(_)));
    if actions.iter().skip(before).any(is_search) {
        local.show_panel = Some(Panel::Search);
    }
    // Whoever asks why wants to see the answer.
    if actions.iter().skip(before).any(|action| matches!(action, Action::Blame(BlameAction::Ask(_)))) {
        local.show_panel = Some(Panel::Why);
    }
}
