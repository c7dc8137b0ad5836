//! The stored snapshots of the chosen stream, or of the whole store.

use crate::{
    model::StoredSnapshot,
    session::{
        action::{Action, BrowseAction},
        view::{SnapshotRow, SnapshotsView, VerifyView, grouped},
    },
    ui::widgets::{
        empty::empty_panel,
        icon::Icon,
        json_tree::{JsonTree, TreeState},
        rows::Scroll,
        table::{Cell, ColumnKind, ColumnSpec, Ink, Table, TableState},
    },
};

/// What the panel keeps for itself.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct SnapshotsLocal {
    /// Columns and scrolling.
    pub table: TableState,
    #[serde(skip)]
    tree: TreeState,
    #[serde(skip)]
    hex: Scroll,
}

const STREAM: &str = "stream";
const VERSION: &str = "version";
const TIME: &str = "time";
const LABEL: &str = "label";
const SIZE: &str = "size";
const ENCODING: &str = "encoding";

/// Table and the chosen snapshot's state.
pub fn snapshots_ui(
    ui: &mut egui::Ui,
    view: &SnapshotsView,
    _verified: &VerifyView,
    local: &mut SnapshotsLocal,
    actions: &mut Vec<Action>,
) {
    if !view.has_table {
        empty_panel(ui, Icon::Info, "This store holds no snapshots", "No table of snapshots was found", None);
        return;
    }
    ui.horizontal(|ui| {
        for (of_stream, name) in [(true, "This stream"), (false, "Whole store")] {
            if ui.selectable_label(view.is_of_stream == of_stream, name).clicked()
                && view.is_of_stream != of_stream
            {
                actions.push(Action::Browse(BrowseAction::SnapshotsOfStream(of_stream)));
            }
        }
        if view.is_reading {
            ui.weak("Reading…");
        } else {
            let count = view.rows.len() as u64;
            ui.weak(format!("{} snapshot{}", grouped(count), if count == 1 { "" } else { "s" }));
        }
    });
    if view.rows.is_empty() {
        let (title, hint) = match (view.is_reading, view.is_of_stream, view.has_stream) {
            (true, _, _) => ("Reading snapshots…", ""),
            (false, true, false) => ("No stream is chosen", "Choose one, or list those of the whole store"),
            (false, true, true) => {
                ("This stream has no snapshots", "“Whole store” lists those of all streams")
            }
            (false, false, _) => ("No snapshots", "The table for them is empty"),
        };
        empty_panel(ui, Icon::Info, title, hint, None);
        return;
    }
    if let Some(detail) = &view.detail {
        let height = ui.available_height() * 0.5;
        egui::Panel::bottom("snapshot detail").resizable(true).default_size(height).show(ui, |ui| {
            detail_ui(ui, detail, local);
        });
    }
    table_ui(ui, view, local, actions);
}

fn table_ui(ui: &mut egui::Ui, view: &SnapshotsView, local: &mut SnapshotsLocal, actions: &mut Vec<Action>) {
    let columns = [
        ColumnSpec::new(STREAM, "Stream", 150.0, ColumnKind::Text),
        ColumnSpec::new(VERSION, "Version", 70.0, ColumnKind::Number),
        ColumnSpec::new(TIME, "Stored", 216.0, ColumnKind::Code),
        ColumnSpec::new(LABEL, "Label", 80.0, ColumnKind::Text),
        ColumnSpec::new(SIZE, "Bytes", 70.0, ColumnKind::Number),
        ColumnSpec::new(ENCODING, "Written as", 110.0, ColumnKind::Text),
        ColumnSpec::new("state", "State", 300.0, ColumnKind::Code),
    ];
    let row_at = |row: u64| usize::try_from(row).ok().and_then(|row| view.rows.get(row));
    let response = Table::new("Snapshots", &columns)
        .rows(view.rows.len() as u64)
        .selected(view.chosen.map(|row| row as u64))
        .show(ui, &mut local.table, |row, column| {
            let key = columns.get(column).map_or("", |column| &*column.key);
            row_at(row).map(|row| cell(row, key)).unwrap_or_default()
        });
    if let Some(row) = response.select.and_then(|row| usize::try_from(row).ok()) {
        actions.push(Action::Browse(BrowseAction::ChooseSnapshot(row)));
    }
}

fn cell(row: &SnapshotRow, key: &str) -> Cell {
    match key {
        STREAM => Cell::text(row.stream.to_string()),
        VERSION => Cell::text(row.version.clone()),
        TIME => Cell::inked(row.time.clone(), Ink::Soft),
        LABEL => Cell::text(row.label.to_string()),
        SIZE => Cell::inked(row.size.clone(), Ink::Soft),
        ENCODING => Cell::inked(row.encoding.clone(), Ink::Soft),
        _ if row.is_problem => Cell::inked(row.preview.clone(), Ink::Trouble),
        _ => Cell::text(row.preview.clone()),
    }
}

fn detail_ui(ui: &mut egui::Ui, snapshot: &StoredSnapshot, local: &mut SnapshotsLocal) {
    ui.horizontal(|ui| {
        let version = snapshot.version.map(|version| format!("v{version}")).unwrap_or_default();
        ui.strong(format!("Stored state {version}"));
        ui.weak(format!("{} · table {}", snapshot.state.encoding, snapshot.table));
    });
    match &snapshot.state.decoded {
        Ok(state) => {
            JsonTree::new("Snapshot", state).show(ui, &mut local.tree);
        }
        Err(reason) => {
            ui.colored_label(crate::ui::theme::Palette::of(ui).trouble.ink, format!("⚠ {reason}"));
            crate::ui::widgets::hex::hex_view(
                ui,
                "Stored bytes",
                &snapshot.state.stored.bytes(),
                &mut local.hex,
            );
        }
    }
}
