//! The list of projections.

use std::sync::Arc;

use egui::Ui;

use crate::{
    session::{
        action::{Action, ProjectionAction},
        estimates::with_estimate,
        view::{ProjectionLine, ProjectionsView, Stage, grouped},
    },
    ui::{
        panels::projections::{FileWish, ProjectionsLocal},
        widgets::table::{Cell, ColumnKind, ColumnSpec, Ink, Table, TableState},
    },
};

/// What the list remembers.
#[derive(Default)]
pub(super) struct ListLocal {
    table: TableState,
}

const NAME: &str = "name";
const KIND: &str = "kind";
const TABLE: &str = "table";
const ROWS: &str = "rows";
const STATUS: &str = "status";
const LAG: &str = "lag";
const REBUILT: &str = "rebuilt";
const DRIFT: &str = "drift";

pub(super) fn list_ui(
    ui: &mut Ui,
    view: &ProjectionsView,
    local: &mut ProjectionsLocal,
    actions: &mut Vec<Action>,
) {
    let mut asked = Vec::new();
    ui.horizontal_wrapped(|ui| {
        let add = ui.button("Add a definition…");
        if add.on_hover_text("A file with projections in SQL or JavaScript").clicked() {
            local.wish = Some(FileWish::Definition);
        }
        let has_any = view.lines.iter().any(|line| line.has_definition);
        let help = with_estimate("Each anew, from all events", view.estimate.as_ref());
        if ui.add_enabled(has_any, egui::Button::new("Rebuild all")).on_hover_text(help).clicked() {
            asked.push(ProjectionAction::RebuildAll);
        }
        if view.is_any_running && ui.button("Stop all").clicked() {
            asked.push(ProjectionAction::StopAll);
        }
    });
    let columns = columns();
    let line = |row: u64| usize::try_from(row).ok().and_then(|row| view.lines.get(row));
    let mut from_menu = None;
    let mut menu = |ui: &mut Ui, row: u64| {
        if let Some(line) = line(row) {
            menu_ui(ui, line, &mut from_menu);
        }
    };
    let paces = &local.paces;
    let response = Table::new("Projections", &columns)
        .rows(view.lines.len() as u64)
        .selected(view.chosen.map(|chosen| chosen as u64))
        .menu(&mut menu)
        .show(ui, &mut local.list.table, |row, column| {
            let key = columns.get(column).map_or("", |column| &*column.key);
            let Some(line) = line(row) else { return Cell::default() };
            match (key, line.stage, line.slot.and_then(|slot| paces.get(&slot))) {
                (REBUILT, Stage::Running, Some(pace)) => {
                    Cell::inked(format!("rebuilding {}", pace.words()), Ink::Soft)
                }
                _ => cell(line, key),
            }
        });
    asked.extend(from_menu);
    asked.extend(response.select.and_then(|row| usize::try_from(row).ok()).map(ProjectionAction::Choose));
    actions.extend(asked.into_iter().map(Action::Projections));
}

fn columns() -> Vec<ColumnSpec> {
    vec![
        ColumnSpec::new(NAME, "Projection", 126.0, ColumnKind::Text),
        ColumnSpec::new(KIND, "Kind", 92.0, ColumnKind::Text),
        ColumnSpec::new(REBUILT, "Rebuilt", 132.0, ColumnKind::Text),
        ColumnSpec::new(DRIFT, "Drift", 84.0, ColumnKind::Text),
        ColumnSpec::new(STATUS, "Checkpoint", 158.0, ColumnKind::Text),
        ColumnSpec::new(LAG, "Lag", 84.0, ColumnKind::Text),
        ColumnSpec::new(TABLE, "Stored table", 110.0, ColumnKind::Text),
        ColumnSpec::new(ROWS, "Rows", 56.0, ColumnKind::Number),
    ]
}

fn cell(line: &ProjectionLine, key: &str) -> Cell {
    match key {
        NAME => Cell::text(line.name.to_string()),
        KIND => {
            let ink = if line.kind == "does not load" { Ink::Trouble } else { Ink::Soft };
            Cell::inked(line.kind, ink)
        }
        TABLE => match &line.table {
            Some(table) => Cell::text(table.to_string()),
            None => Cell::inked("none", Ink::Faint),
        },
        ROWS => Cell::inked(line.rows.map(grouped).unwrap_or_default(), Ink::Soft),
        STATUS => {
            let ink = if line.is_trouble { Ink::Trouble } else { Ink::Plain };
            let cell = Cell::inked(line.status.clone(), ink);
            match line.status_detail.as_str() {
                "" => cell,
                detail => cell.with_tooltip(format!("{}\n{detail}", line.status)),
            }
        }
        LAG => Cell::inked(line.lag.clone(), Ink::Soft),
        REBUILT => {
            let ink = match (line.is_rebuilt_trouble, line.rebuilt.as_str()) {
                (true, _) => Ink::Trouble,
                (false, "never") => Ink::Faint,
                (false, _) => Ink::Plain,
            };
            Cell::inked(line.rebuilt.clone(), ink).with_tooltip(line.rebuilt.clone())
        }
        _ => match line.drift.as_deref() {
            None => Cell::default(),
            Some("none") => Cell::inked("none", Ink::Soft),
            Some(drift) => Cell::inked(drift, Ink::Trouble).with_tooltip(drift),
        },
    }
}

/// What can be done with a projection.
fn menu_ui(ui: &mut Ui, line: &ProjectionLine, asked: &mut Option<ProjectionAction>) {
    ui.strong(&*line.name);
    let mut item = |ui: &mut Ui, words: &str, action: ProjectionAction| {
        if ui.button(words).clicked() {
            *asked = Some(action);
            ui.close();
        }
    };
    let name = || Arc::clone(&line.name);
    if line.has_definition {
        item(ui, "Rebuild", ProjectionAction::Rebuild(name(), Default::default()));
    } else if line.table.is_some() {
        item(ui, "Write a definition for it", ProjectionAction::Scaffold(name()));
    }
    if line.stage != Stage::Idle {
        item(ui, "Stop", ProjectionAction::Stop(name()));
    }
    if line.has_definition || line.kind == "does not load" {
        item(ui, "Take it out of the project file", ProjectionAction::Remove(name()));
    }
}
