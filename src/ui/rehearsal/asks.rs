//! What is asked in each panel, with what the store offers.
//!
//! Long questions are asked to be seen starting, telling how far they are, and being stopped. Nothing is written
//! but into the session's own folder: publishing ends with the dry run.

use std::{path::Path, sync::Arc};

use egui::Key;

use crate::{
    model::{Json, Pointer, Segment},
    project::new_file::Existing,
    projection::export::Format,
    replay::{Condition, Probe},
    session::{
        Session,
        action::{
            Action, BlameAction as Blame, BookmarkAction as Bookmark, BrowseAction as Browse,
            CompareAction as Compare, ConditionAction as Search, EventOrder, PayloadAction as Payload,
            PayloadScope as Scope, ProjectionAction as Projection, PublishAction as Publish, ScriptAction,
            ShellAction as Shell, StreamSort, VerifyAction as Verify, WatchAction as Watch,
            WhatIfAction as WhatIf,
        },
        drift::DriftAction as Drift,
        what_if::ExportKind,
    },
    store::search::Sought,
    ui::dock::Panel,
};

/// Something that is asked.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    /// The panel that is brought to the front for it.
    pub(super) panel: Panel,
    /// What is asked, in words.
    pub(super) words: &'static str,
    pub(super) how: How,
}

/// How it is asked.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// By the name that it has in the menus.
    Named(&'static str),
    /// As a panel would; nothing while it cannot be asked. The path is that of the session's own folder.
    Made(fn(&Session, &Path) -> Option<Action>),
    /// By this key.
    Key(Key),
}

impl PartialEq for Ask {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ask").field(&self.panel).field(&self.words).finish()
    }
}

/// What is asked of the longest stream, while its timeline shows it.
pub(super) const OF_THE_STREAM: &[Ask] = &[
    made(Panel::Search, "a search of all payloads", |_, _| search("n0wh3re-t0-be-f0und", Scope::Store)),
    made(Panel::Search, "its end", |_, _| Some(Action::Payloads(Payload::Stop))),
    made(Panel::Search, "a search of one stream", |_, _| search("a", Scope::Stream)),
    named(Panel::Search, "Next payload hit"),
    made(Panel::Search, "no hits any more", |_, _| Some(Action::Payloads(Payload::Clear))),
    made(Panel::Why, "why a value is so", |session, _| Some(Action::Blame(Blame::Ask(a_path(session)?)))),
    named(Panel::Why, "Previous write"),
    made(Panel::Watches, "a watch", |session, _| {
        Some(Action::Watches(Watch::Add(Probe::State(a_path(session)?))))
    }),
    made(Panel::Watches, "its column", |_, _| Some(Action::Watches(Watch::ToggleColumn(0)))),
    made(Panel::Conditions, "a condition", |session, _| {
        let changes = Condition::Changes { path: a_path(session)?, from: None, to: None };
        Some(Action::Conditions(Search::Add(changes)))
    }),
    named(Panel::Conditions, "Run back to the hit before"),
    named(Panel::Conditions, "Search all streams"),
    made(Panel::Conditions, "the end of the search", cancel),
    named(Panel::Bookmarks, "Keep or let go this place"),
    made(Panel::Bookmarks, "a note", |_, _| Some(Action::Bookmarks(Bookmark::Note(0, "seen".to_owned())))),
    named(Panel::Bookmarks, "Next bookmark"),
    made(Panel::Compare, "the left side", |_, _| Some(Action::Compare(Compare::Take(0)))),
    made(Panel::Compare, "the right side", |session, _| {
        let name = session.view().streams.index.as_ref()?.stream(0)?.name.full();
        Some(Action::Compare(Compare::TakeStream(1, name.to_string())))
    }),
    named(Panel::Compare, "Next difference"),
    named(Panel::WhatIf, "Leave this event out"),
    named(Panel::WhatIf, "Where the branch parts"),
    named(Panel::Compare, "Compare branch and truth"),
    made(Panel::WhatIf, "an export", |_, _| Some(Action::WhatIf(WhatIf::Export(ExportKind::Compensation)))),
    made(Panel::WhatIf, "its end", cancel),
    made(Panel::WhatIf, "no export", |_, _| Some(Action::WhatIf(WhatIf::CloseExport))),
    named(Panel::WhatIf, "Undo change of branch"),
    named(Panel::WhatIf, "Back to the truth"),
    named(Panel::Reducer, "New reducer from the events"),
    made(Panel::Reducer, "the fold's end", cancel),
    made(Panel::Reducer, "the merge again", |session, _| {
        let category = session.view().scripts.shown.clone()?;
        Some(Action::Scripts(ScriptAction::StopUsing(category)))
    }),
    named(Panel::State, "Copy state as JSON"),
    named(Panel::Event, "Copy event as JSON"),
    named(Panel::Why, "Forget the value in question"),
];

/// What is asked of the whole store.
pub(super) const OF_THE_STORE: &[Ask] = &[
    made(Panel::Snapshots, "all snapshots", |_, _| Some(Action::Browse(Browse::SnapshotsOfStream(false)))),
    made(Panel::Snapshots, "a snapshot", |session, _| {
        let is_any = !session.view().snapshots.rows.is_empty();
        is_any.then_some(Action::Browse(Browse::ChooseSnapshot(0)))
    }),
    made(Panel::Snapshots, "verdicts on all", |_, _| Some(Action::Verify(Verify::Listed))),
    made(Panel::Snapshots, "their end", |_, _| Some(Action::Verify(Verify::Stop))),
    made(Panel::Snapshots, "what loading costs", |_, _| Some(Action::Verify(Verify::ShowCost))),
    made(Panel::Snapshots, "its end", cancel),
    made(Panel::Snapshots, "no costs", |_, _| Some(Action::Verify(Verify::HideCost))),
    made(Panel::Projections, "a definition", |_, folder| {
        Some(Action::Projections(Projection::Add(folder.join(DEFINITION))))
    }),
    named(Panel::Projections, "Rebuild projection"),
    named(Panel::Projections, "Stop rebuilds"),
    made(Panel::Projections, "a row", |session, _| {
        session.has_read_model().then_some(Action::Projections(Projection::ChooseRow(0)))
    }),
    made(Panel::Projections, "an export", |session, folder| {
        let path = folder.join("rows.csv");
        session.has_read_model().then_some(Action::Projections(Projection::Export(
            Format::Csv,
            path,
            Existing::Kept,
        )))
    }),
    made(Panel::Projections, "drift", |session, _| {
        session.can_compare_table().then_some(Action::Drift(Drift::Compare))
    }),
    made(Panel::Projections, "its end", cancel),
    named(Panel::Projections, "Publish the read model…"),
    made(Panel::Projections, "no publishing", |_, _| Some(Action::Publish(Publish::Close))),
    made(Panel::Streams, "streams by events", |_, _| {
        Some(Action::Browse(Browse::SortStreams(StreamSort::Events)))
    }),
    made(Panel::Streams, "closed categories", |_, _| Some(Action::Browse(Browse::OpenAllCategories(false)))),
    made(Panel::Streams, "open categories", |_, _| Some(Action::Browse(Browse::OpenAllCategories(true)))),
    made(Panel::Events, "events stream by stream", |_, _| {
        Some(Action::Browse(Browse::OrderEvents(EventOrder::Stream)))
    }),
    made(Panel::Events, "events in order", |_, _| {
        Some(Action::Browse(Browse::OrderEvents(EventOrder::Global)))
    }),
    made(Panel::Events, "a place far away", |session, _| {
        let middle = session.view().events.total / 2;
        Some(Action::Browse(Browse::ChooseRow(middle)))
    }),
    named(Panel::Diff, "Step back"),
    named(Panel::Info, "Layout of the store"),
    named(Panel::Events, "Back"),
];

/// What lies over the panels, and how the window looks.
pub(super) const OVER_THE_PANELS: &[Ask] = &[
    named(Panel::Events, "All actions…"),
    key(Panel::Events, "no actions", Key::Escape),
    named(Panel::Events, "Shortcuts"),
    key(Panel::Events, "no shortcuts", Key::Escape),
    named(Panel::Events, "Settings…"),
    key(Panel::Events, "no settings", Key::Escape),
    named(Panel::Events, "Go to…"),
    key(Panel::Events, "nowhere", Key::Escape),
    named(Panel::Events, "Change the layout…"),
    key(Panel::Events, "no change", Key::Escape),
    named(Panel::Events, "Dark theme"),
    named(Panel::Events, "Light theme"),
    named(Panel::Events, "System theme"),
    named(Panel::Events, "Times in local time"),
    named(Panel::Events, "Times in UTC"),
];

/// The file with the definition that is rebuilt.
pub(super) const DEFINITION: &str = "order_summaries.sql";

/// The read model of the shop, which the mixed sample store holds as well; of another store it has no row.
pub(super) const DEFINITION_TEXT: &str = include_str!("../../../sample-data/projections/shop_orders.sql");

const fn named(panel: Panel, name: &'static str) -> Ask {
    Ask { panel, words: name, how: How::Named(name) }
}

const fn key(panel: Panel, words: &'static str, key: Key) -> Ask {
    Ask { panel, words, how: How::Key(key) }
}

const fn made(panel: Panel, words: &'static str, make: fn(&Session, &Path) -> Option<Action>) -> Ask {
    Ask { panel, words, how: How::Made(make) }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands among those that may have nothing to ask")]
fn cancel(_: &Session, _: &Path) -> Option<Action> {
    Some(Action::Shell(Shell::CancelWork))
}

#[expect(clippy::unnecessary_wraps, reason = "it stands among those that may have nothing to ask")]
fn search(text: &str, scope: Scope) -> Option<Action> {
    let sought = Sought::Text { text: text.into(), is_exact_case: false };
    Some(Action::Payloads(Payload::Search(sought, scope)))
}

/// The first value of the state that is shown.
fn a_path(session: &Session) -> Option<Pointer> {
    let Json::Object(members) = session.view().state.state.as_ref()? else { return None };
    let (name, _) = members.member(0)?;
    Some(Pointer::root().child(Segment::Name(Arc::clone(name))))
}

#[cfg(test)]
mod tests {
    use super::{How, OF_THE_STORE, OF_THE_STREAM, OVER_THE_PANELS};
    use crate::{session::action::NAMED, ui::dock::Panel};

    #[test]
    fn something_is_asked_in_every_panel_by_names_that_exist() {
        let asks = || [OF_THE_STREAM, OF_THE_STORE, OVER_THE_PANELS].into_iter().flatten();
        for panel in Panel::ALL {
            assert!(asks().any(|ask| ask.panel == panel), "nothing is asked in {}", panel.title());
        }
        for ask in asks() {
            if let How::Named(name) = ask.how {
                assert!(NAMED.iter().any(|named| named.name == name), "{name}");
            }
        }
    }
}
