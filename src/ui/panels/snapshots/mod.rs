//! The stored snapshots of the chosen stream, or of the whole store, and whether they agree with the events.

mod cost;
mod detail;

use crate::{
    session::{
        action::{Action, BrowseAction, VerifyAction},
        estimates::with_estimate,
        view::{SnapshotRow, SnapshotsView, VerifyView, grouped},
    },
    snapshot::Verdict,
    ui::widgets::{
        empty::empty_panel,
        icon::{Icon, trouble_label},
        table::{Cell, ColumnKind, ColumnSpec, Ink, RowLook, Table, TableState},
        whole::whole_label,
    },
};

use detail::DetailLocal;

/// What the panel keeps for itself.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct SnapshotsLocal {
    /// Columns and scrolling.
    pub table: TableState,
    #[serde(skip)]
    detail: DetailLocal,
}

/// The height that is left to the table whatever else is shown, in points.
const ROWS: f32 = 130.0;

const STREAM: &str = "stream";
const VERSION: &str = "version";
const VERDICT: &str = "verdict";
const TIME: &str = "time";
const LABEL: &str = "label";
const SIZE: &str = "size";
const ENCODING: &str = "encoding";

/// Table and the chosen snapshot's state.
pub fn snapshots_ui(
    ui: &mut egui::Ui,
    view: &SnapshotsView,
    verified: &VerifyView,
    local: &mut SnapshotsLocal,
    actions: &mut Vec<Action>,
) {
    if !view.has_table {
        empty_panel(ui, Icon::Info, "This store holds no snapshots", "No table of snapshots was found", None);
        return;
    }
    let mut asked = Vec::new();
    ui.horizontal_wrapped(|ui| {
        scope_ui(ui, view, actions);
        verify_ui(ui, view, verified, &mut asked);
    });
    if let Some(trouble) = &view.trouble {
        trouble_label(ui, format!("These are not all snapshots: {trouble}"));
    }
    if view.is_gone {
        trouble_label(ui, "The chosen snapshot is not in the store any more");
    }
    if !view.rows.is_empty() {
        ui.horizontal_wrapped(|ui| filter_ui(ui, verified, &mut asked));
        merged_ui(ui, verified);
    }
    if let Some(found) = &verified.cost {
        let height = (ui.available_height() * 0.45).min(320.0);
        let panel = egui::Panel::bottom("snapshot cost").resizable(true).default_size(height);
        panel.max_size(ui.available_height() * 0.6).show(ui, |ui| {
            cost::cost_ui(ui, found, verified.here, &mut asked, actions);
        });
    }
    if view.rows.is_empty() {
        nothing_ui(ui, view, actions);
    } else {
        if let Some(snapshot) = &view.detail {
            let height = ui.available_height() * 0.5;
            // A few rows of the table stay in sight.
            let most = (ui.available_height() - ROWS).max(0.0);
            let panel = egui::Panel::bottom("snapshot detail").resizable(true).default_size(height);
            panel.max_size(most).show(ui, |ui| {
                let found = verified.chosen.as_ref();
                detail::detail_ui(ui, snapshot, found, &mut local.detail, (&mut asked, actions));
            });
        }
        table_ui(ui, view, verified, &mut local.table, (&mut asked, actions));
    }
    actions.extend(asked.into_iter().map(Action::Verify));
}

/// Whose snapshots are listed.
fn scope_ui(ui: &mut egui::Ui, view: &SnapshotsView, actions: &mut Vec<Action>) {
    for (of_stream, name) in [(true, "This stream"), (false, "Whole store")] {
        if ui.selectable_label(view.is_of_stream == of_stream, name).clicked()
            && view.is_of_stream != of_stream
        {
            actions.push(Action::Browse(BrowseAction::SnapshotsOfStream(of_stream)));
        }
    }
}

/// How many are listed.
fn count_ui(ui: &mut egui::Ui, view: &SnapshotsView) {
    if view.is_reading {
        whole_label(ui, "Reading…");
    } else if view.is_broken_off {
        whole_label(ui, "Not read");
    } else {
        let count = view.rows.len() as u64;
        whole_label(ui, &format!("{} snapshot{}", grouped(count), if count == 1 { "" } else { "s" }));
    }
}

/// What can be asked of all of them. Buttons come first and words that change behind them, so that nothing moves
/// under the pointer.
fn verify_ui(ui: &mut egui::Ui, view: &SnapshotsView, verified: &VerifyView, asked: &mut Vec<VerifyAction>) {
    let is_shown = verified.cost.is_some();
    let help = "What loading the streams costs with these snapshots and without";
    let help = with_estimate(help, verified.cost_estimate.as_ref());
    if ui.selectable_label(is_shown, "Loading cost").on_hover_text(help).clicked() {
        asked.push(if is_shown { VerifyAction::HideCost } else { VerifyAction::ShowCost });
    }
    let create = egui::Button::new("Create at cursor…");
    let help =
        "Store the state at the cursor as a snapshot; nothing is written before you have seen the rows";
    let response = ui.add_enabled(verified.can_create, create).on_hover_text(help);
    let response = response.on_disabled_hover_text(
        "Needs a stream, an event with a version at the cursor, and a reducer whose states are stored here",
    );
    if response.clicked() {
        asked.push(VerifyAction::Create);
    }
    match verified.progress {
        None => {
            let help = "Compare each listed snapshot with the state that the events make at its version";
            let help = with_estimate(help, verified.estimate.as_ref());
            let button = egui::Button::new("Verify");
            // While others are read, those in the list are not the ones that are meant.
            let can_ask = !view.rows.is_empty() && !view.is_reading;
            if ui.add_enabled(can_ask, button).on_hover_text(help).clicked() {
                asked.push(VerifyAction::Listed);
            }
            count_ui(ui, view);
            if let Some(words) = verified.estimate.as_ref().filter(|_| can_ask) {
                whole_label(ui, &format!("up to {words}"));
            }
        }
        Some((done, total)) => {
            if ui.button("Stop").on_hover_text("What was found stays").clicked() {
                asked.push(VerifyAction::Stop);
            }
            crate::ui::widgets::busy::busy(ui);
            whole_label(
                ui,
                &match total {
                    Some(total) => format!("{} of {}", grouped(done as u64), grouped(total as u64)),
                    None => "Verifying…".to_owned(),
                },
            );
        }
    }
    if verified.is_counting {
        whole_label(ui, "Counting…");
    }
}

/// The verdicts, each with its count: a click shows only those.
fn filter_ui(ui: &mut egui::Ui, verified: &VerifyView, asked: &mut Vec<VerifyAction>) {
    for (verdict, count) in verified.counts.iter() {
        let is_chosen = verified.filter == Some(*verdict);
        let name = format!("{} {}", sentence(verdict.word()), grouped(*count as u64));
        let help = if is_chosen { "Show all again" } else { "Show only these" };
        if ui.selectable_label(is_chosen, name).on_hover_text(help).clicked() {
            asked.push(VerifyAction::Filter((!is_chosen).then_some(*verdict)));
        }
    }
    let is_gone = verified.filter.is_some_and(|filter| verified.counts.iter().all(|(one, _)| *one != filter));
    if is_gone && ui.button("Show all").clicked() {
        asked.push(VerifyAction::Filter(None));
    }
}

fn sentence(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Why many may differ: a merge is seldom the state that an application keeps.
fn merged_ui(ui: &mut egui::Ui, verified: &VerifyView) {
    let names: Vec<&str> =
        verified.merged.iter().map(|name| &**name).filter(|name| !name.is_empty()).collect();
    if verified.merged.is_empty() {
        return;
    }
    let whose = if names.is_empty() { String::new() } else { format!(" for {}", names.join(", ")) };
    let words = format!(
        "No reducer{whose}: compared with the merge of all event data, which may be another state. “New reducer from the events” writes one to begin with"
    );
    ui.add(egui::Label::new(egui::RichText::new(words).weak()).wrap());
}

fn nothing_ui(ui: &mut egui::Ui, view: &SnapshotsView, actions: &mut Vec<Action>) {
    let (title, hint) = match (view.is_reading, view.is_of_stream, view.has_stream) {
        (true, _, _) => ("Reading snapshots…", ""),
        (false, _, _) if view.is_broken_off => ("The snapshots were not read", "That was stopped, or failed"),
        (false, _, _) if view.trouble.is_some() => ("No snapshot stands before the damage", ""),
        (false, true, false) => ("No stream is chosen", "Choose one to see its snapshots"),
        (false, true, true) => ("This stream has no snapshots", ""),
        (false, false, _) => ("No snapshots", "The table for them is empty"),
    };
    let offer = (!view.is_reading && view.is_of_stream).then_some("Those of the whole store");
    if empty_panel(ui, Icon::Info, title, hint, offer) {
        actions.push(Action::Browse(BrowseAction::SnapshotsOfStream(false)));
    }
}

fn table_ui(
    ui: &mut egui::Ui,
    view: &SnapshotsView,
    verified: &VerifyView,
    table: &mut TableState,
    (asked, actions): (&mut Vec<VerifyAction>, &mut Vec<Action>),
) {
    let columns = [
        ColumnSpec::new(STREAM, "Stream", 150.0, ColumnKind::Text),
        ColumnSpec::new(VERSION, "Version", 70.0, ColumnKind::Number),
        ColumnSpec::new(VERDICT, "Verdict", 110.0, ColumnKind::Text),
        ColumnSpec::new(TIME, "Stored", 216.0, ColumnKind::Code),
        ColumnSpec::new(LABEL, "Label", 80.0, ColumnKind::Text),
        ColumnSpec::new(SIZE, "Bytes", 70.0, ColumnKind::Number),
        ColumnSpec::new(ENCODING, "Written as", 110.0, ColumnKind::Text),
        ColumnSpec::new("state", "State", 300.0, ColumnKind::Code),
    ];
    let shown = verified.shown.as_ref();
    let place_of = |row: u64| {
        let row = usize::try_from(row).ok()?;
        shown.map_or(Some(row), |shown| shown.get(row).copied())
    };
    let row_of = |place: usize| match shown {
        Some(shown) => shown.binary_search(&place).ok(),
        None => Some(place),
    };
    let verdict_at = |place: usize| verified.verdicts.get(place).copied().flatten();
    let look = |row: u64| match place_of(row).and_then(verdict_at) {
        Some(verdict) if verdict.is_disagreement() => RowLook::Trouble,
        Some(_) | None => RowLook::Plain,
    };
    let mut from_menu = Vec::new();
    let mut menu = |ui: &mut egui::Ui, row: u64| {
        if let Some(place) = place_of(row) {
            row_menu(ui, place, view.rows.get(place), &mut from_menu);
            // The row under the menu is chosen, so its state is here as soon as it was read.
            let snapshot = view.detail.as_ref().filter(|_| view.chosen == Some(place));
            if ui.add_enabled(snapshot.is_some(), egui::Button::new("Copy as JSON")).clicked() {
                if let Some(snapshot) = snapshot {
                    let found = verified.chosen.as_ref();
                    ui.ctx().copy_text(detail::copied(snapshot, found).to_pretty());
                }
                ui.close();
            }
        }
    };
    let response = Table::new("Snapshots", &columns)
        .rows(shown.map_or(view.rows.len(), |shown| shown.len()) as u64)
        .selected(view.chosen.and_then(row_of).map(|row| row as u64))
        .look(&look)
        .menu(&mut menu)
        .show(ui, table, |row, column| {
            let key = columns.get(column).map_or("", |column| &*column.key);
            let place = place_of(row);
            let found = place.and_then(|place| Some((view.rows.get(place)?, verdict_at(place))));
            found.map(|(row, verdict)| cell(row, verdict, key)).unwrap_or_default()
        });
    asked.extend(from_menu);
    if let Some(place) = response.select.and_then(place_of).filter(|place| view.chosen != Some(*place)) {
        actions.push(Action::Browse(BrowseAction::ChooseSnapshot(place)));
    }
}

fn row_menu(ui: &mut egui::Ui, place: usize, row: Option<&SnapshotRow>, asked: &mut Vec<VerifyAction>) {
    let has_stream = row.is_some_and(|row| row.stream_number.is_some());
    for (name, action) in [
        ("Verify this snapshot", VerifyAction::One(place)),
        ("Verify all of its stream", VerifyAction::Stream(place)),
    ] {
        if ui.add_enabled(has_stream, egui::Button::new(name)).clicked() {
            asked.push(action);
            ui.close();
        }
    }
}

fn cell(row: &SnapshotRow, verdict: Option<Verdict>, key: &str) -> Cell {
    match key {
        STREAM => Cell::text(row.stream.to_string()).with_id_at(row.id_at),
        VERSION => Cell::text(row.version.clone()),
        VERDICT => verdict_cell(row, verdict),
        TIME => Cell::inked(row.time.clone(), Ink::Soft),
        LABEL => Cell::text(row.label.to_string()),
        SIZE => Cell::inked(row.size.clone(), Ink::Soft),
        ENCODING => Cell::inked(row.encoding.clone(), Ink::Soft),
        _ if row.is_problem => Cell::inked(row.preview.clone(), Ink::Trouble),
        _ => Cell::text(row.preview.clone()),
    }
}

fn verdict_cell(row: &SnapshotRow, verdict: Option<Verdict>) -> Cell {
    let Some(verdict) = verdict else {
        return Cell::inked("–", Ink::Faint).with_tooltip("Not compared yet");
    };
    let ink = match verdict {
        Verdict::Agrees => Ink::Fine,
        Verdict::Differs | Verdict::Orphan | Verdict::Ahead => Ink::Trouble,
        Verdict::Unreadable | Verdict::NotComparable | Verdict::NotChecked => Ink::Soft,
    };
    let cell = Cell::inked(verdict.word(), ink);
    match row.look.as_ref().and_then(|look| look.reason.as_ref()) {
        Some(reason) => cell.with_tooltip(reason.to_string()),
        None => cell,
    }
}
