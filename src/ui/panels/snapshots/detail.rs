//! The chosen snapshot: its state, what differs from the replay, and where the two part.

use crate::{
    model::{Change, Json, Pointer, StoredSnapshot},
    session::{
        action::{Action, VerifyAction},
        view::ChosenCheck,
    },
    snapshot::{Parting, Place, Verdict},
    ui::{
        panels::state::questions,
        theme::{self, Palette},
        widgets::{
            diff::{DiffState, diff_list_with_menu},
            icon::{Icon, trouble_label},
            json_tree::{JsonTree, TreeState},
            rows::Scroll,
        },
    },
};

/// What the detail keeps for itself.
#[derive(Default)]
pub(super) struct DetailLocal {
    tree: TreeState,
    hex: Scroll,
    changes: DiffState,
    /// Whether the stored state is shown although there are differences to show.
    wants_state: bool,
}

/// Verdict, where it parts, and either the differences or the state.
pub(super) fn detail_ui(
    ui: &mut egui::Ui,
    snapshot: &StoredSnapshot,
    found: Option<&ChosenCheck>,
    local: &mut DetailLocal,
    (asked, actions): (&mut Vec<VerifyAction>, &mut Vec<Action>),
) {
    let changes = found.map(|found| found.check.changes.as_slice()).unwrap_or_default();
    ui.horizontal_wrapped(|ui| head_ui(ui, snapshot, found, local, changes));
    if let Some(found) = found {
        verdict_ui(ui, found, local, asked);
    }
    if !changes.is_empty() && !local.wants_state {
        changes_ui(ui, changes, &mut local.changes, asked, actions);
        return;
    }
    match &snapshot.state.decoded {
        Ok(state) => {
            JsonTree::new("Snapshot", state).show(ui, &mut local.tree);
        }
        Err(reason) => {
            trouble_label(ui, reason.to_string());
            let bytes = snapshot.state.stored.bytes();
            crate::ui::widgets::hex::hex_view(ui, "Stored bytes", &bytes, &mut local.hex);
        }
    }
}

fn head_ui(
    ui: &mut egui::Ui,
    snapshot: &StoredSnapshot,
    found: Option<&ChosenCheck>,
    local: &mut DetailLocal,
    changes: &[Change],
) {
    let version = snapshot.version.map(|version| format!("v{version}")).unwrap_or_default();
    if changes.is_empty() {
        ui.strong(format!("Stored state {version}"));
    } else {
        let count = changes.len();
        let name = format!("{count} difference{} {version}", if count == 1 { "" } else { "s" });
        for (wants_state, name) in [(false, name), (true, "Stored state".to_owned())] {
            if ui.selectable_label(local.wants_state == wants_state, name).clicked() {
                local.wants_state = wants_state;
            }
        }
    }
    ui.weak(format!("{} · table {}", snapshot.state.encoding, snapshot.table));
    if ui.small_button("Copy as JSON").clicked() {
        ui.ctx().copy_text(copied(snapshot, found).to_pretty());
    }
}

/// The snapshot and what is said of it, in the shape of `timeglass snapshots --verify --json`.
pub(super) fn copied(snapshot: &StoredSnapshot, found: Option<&ChosenCheck>) -> Json {
    let check = found.map(|found| &found.check);
    let changes = check.map(|check| Json::array(check.changes.iter().map(Change::to_json)));
    Json::object([
        ("stream", Json::from(snapshot.stream.as_ref().map(|stream| stream.full()))),
        ("version", Json::from(snapshot.version.map(|version| version.0))),
        ("time", Json::from(snapshot.time.map(crate::model::Timestamp::to_rfc3339))),
        ("table", Json::from(std::sync::Arc::clone(&snapshot.table))),
        ("label", Json::from(snapshot.label.clone())),
        ("state", snapshot.state.decoded.clone().unwrap_or_default()),
        ("verdict", Json::from(check.map_or(Verdict::NotChecked, |check| check.verdict).word())),
        ("reason", Json::from(check.and_then(|check| check.reason.clone()))),
        ("reducer", Json::from(check.and_then(|check| check.made_by.clone()))),
        ("diff", changes.unwrap_or_else(|| Json::array([]))),
    ])
}

fn verdict_ui(ui: &mut egui::Ui, found: &ChosenCheck, local: &DetailLocal, asked: &mut Vec<VerifyAction>) {
    let colours = Palette::of(ui);
    let check = &found.check;
    let (icon, ink) = match check.verdict {
        Verdict::Agrees => (Icon::Check, colours.added.ink),
        Verdict::Differs | Verdict::Orphan | Verdict::Ahead => (Icon::Warning, colours.trouble.ink),
        Verdict::Unreadable | Verdict::NotComparable | Verdict::NotChecked => (Icon::Info, colours.soft),
    };
    let made_by = check.made_by.as_ref().map(|name| format!(" · {name}")).unwrap_or_default();
    ui.horizontal_wrapped(|ui| {
        let (rect, _) = ui.allocate_exact_size(egui::vec2(14.0, 14.0), egui::Sense::HOVER);
        icon.paint(ui.painter(), rect, ink);
        ui.label(egui::RichText::new(verdict_words(check.verdict)).color(ink).font(theme::strong()));
        ui.weak(made_by.trim_start_matches(" · "));
    });
    if let Some(reason) = check.reason.as_ref().filter(|_| check.verdict != Verdict::Unreadable) {
        ui.add(egui::Label::new(egui::RichText::new(&**reason).color(colours.soft)).wrap());
    }
    match &found.parting {
        Some(parting) => parting_ui(ui, parting, local.changes.selected, asked),
        None if found.is_looking => {
            ui.weak("Looking for where they part…");
        }
        None => (),
    }
}

fn verdict_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Agrees => "Agrees with the events",
        Verdict::Differs => "Differs from what the events make",
        Verdict::Unreadable => "Cannot be read",
        Verdict::Orphan => "Has no stream",
        Verdict::Ahead => "Is ahead of its stream",
        Verdict::NotComparable => "Not comparable without a reducer",
        Verdict::NotChecked => "Not compared",
    }
}

/// Between which snapshots it went wrong, and at which event, with a way there.
fn parting_ui(ui: &mut egui::Ui, parting: &Parting, selected: Option<usize>, asked: &mut Vec<VerifyAction>) {
    ui.add(egui::Label::new(parting.words()).wrap());
    let path = selected.and_then(|row| parting.paths.get(row)).or_else(|| parting.paths.first());
    let Some(path) = path else { return };
    ui.horizontal_wrapped(|ui| {
        ui.label(egui::RichText::new(path.path.to_string()).font(theme::mono()));
        ui.label(path.words());
        if let Some(place) = path.event() {
            go_ui(ui, place, asked);
        }
    });
}

fn go_ui(ui: &mut egui::Ui, place: &Place, asked: &mut Vec<VerifyAction>) {
    let button = egui::Button::new(format!("Go to {}", place.label()));
    if ui.add(button).on_hover_text("Put the cursor behind this event").clicked() {
        asked.push(VerifyAction::GoTo(place.count));
    }
}

/// From what the events make to what is stored, with what can be done about a path.
fn changes_ui(
    ui: &mut egui::Ui,
    changes: &[Change],
    list: &mut DiffState,
    asked: &mut Vec<VerifyAction>,
    actions: &mut Vec<Action>,
) {
    ui.weak("replayed → stored");
    let mut from_menu = Vec::new();
    let mut ignored = None;
    let mut menu = |ui: &mut egui::Ui, path: &Pointer| {
        let ignore = egui::Button::new("Do not compare this field");
        if ui.add_enabled(!path.segments().is_empty(), ignore).clicked() {
            ignored = Some(VerifyAction::Ignore(path.clone()));
            ui.close();
        }
        for (name, action) in questions(path) {
            if ui.button(name).clicked() {
                from_menu.push(action);
                ui.close();
            }
        }
    };
    diff_list_with_menu(ui, "Differences", changes, list, Some(&mut menu));
    asked.extend(ignored);
    actions.extend(from_menu);
}
