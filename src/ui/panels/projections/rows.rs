//! A read model as of the cursor.

use std::{collections::BTreeMap, sync::Arc};

use egui::{TextEdit, Ui};

use crate::{
    model::Stored,
    projection::export::{Format, row_json},
    session::{
        action::{Action, ProjectionAction},
        view::{ModelView, grouped},
    },
    ui::{
        panels::projections::{FileWish, ProjectionsLocal, states, story},
        widgets::table::{Cell, ColumnKind, ColumnSpec, Ink, RowLook, Table, TableState},
    },
};

/// What this part of the panel remembers.
#[derive(Default)]
pub(super) struct RowsLocal {
    /// Columns and scrolling, by projection.
    tables: BTreeMap<Arc<str>, TableState>,
    filter: String,
    /// Which rows were asked for.
    asked: Option<Asked>,
    generation: u64,
    story: story::StoryLocal,
    states: states::StatesLocal,
}

/// Rows that are asked for.
#[derive(PartialEq)]
struct Asked {
    table: Arc<str>,
    first: u64,
    rows: u64,
    at: u64,
    revision: u64,
    filter: Arc<str>,
}

/// Head, rows, and what happened to the chosen one.
pub(super) fn rows_ui(
    ui: &mut Ui,
    view: &ModelView,
    local: &mut ProjectionsLocal,
    actions: &mut Vec<Action>,
) {
    let mut asked = Vec::new();
    ui.horizontal_wrapped(|ui| head_ui(ui, view, local, &mut asked));
    let local = &mut local.rows;
    if view.story.is_some() || (view.is_script && local.states.is_shared) {
        let height = ui.available_height() * 0.45;
        let panel = egui::Panel::bottom("row story").frame(egui::Frame::NONE);
        panel.resizable(true).default_size(height).show(ui, |ui| below_ui(ui, view, local, &mut asked));
    }
    table_ui(ui, view, local, &mut asked);
    actions.extend(asked.into_iter().map(Action::Projections));
}

/// What happened to the chosen row; of a partition its state beside it.
fn below_ui(ui: &mut Ui, view: &ModelView, local: &mut RowsLocal, asked: &mut Vec<ProjectionAction>) {
    ui.add_space(4.0);
    if view.is_script {
        let panel = egui::Panel::right("partition state").frame(egui::Frame::NONE).resizable(true);
        let width = if view.story.is_some() { ui.available_width() * 0.5 } else { ui.available_width() };
        panel.default_size(width).show(ui, |ui| states::states_ui(ui, view, &mut local.states, asked));
    }
    if let Some(story) = &view.story {
        story::story_ui(ui, view, story, &mut local.story, asked);
    }
}

fn head_ui(ui: &mut Ui, view: &ModelView, local: &mut ProjectionsLocal, asked: &mut Vec<ProjectionAction>) {
    let name = if view.is_script { "Find in partitions and states" } else { "Find in rows" };
    let field = TextEdit::singleline(&mut local.rows.filter).hint_text(name).desired_width(150.0);
    let response = ui.add(field);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, name));
    if response.changed() {
        asked.push(ProjectionAction::Filter(local.rows.filter.trim().into()));
    }
    let writing = |ui: &mut Ui, title: &str, pick: &mut dyn FnMut(Format)| {
        ui.menu_button(title, |ui| {
            if let Some(words) = &view.export_estimate {
                ui.weak(&**words);
            }
            for format in Format::ALL {
                if ui.button(format.name()).clicked() {
                    pick(format);
                    ui.close();
                }
            }
        });
    };
    writing(ui, "Copy ▾", &mut |format| asked.push(ProjectionAction::Copy(format)));
    writing(ui, "Export… ▾", &mut |format| local.wish = Some(FileWish::Export(format)));
    if view.is_script && ui.selectable_label(local.rows.states.is_shared, "Shared state").clicked() {
        local.rows.states.is_shared = !local.rows.states.is_shared;
    }
    ui.weak(words(view));
    if view.cursor > view.rebuilt {
        let words = format!("rebuilt no further; the cursor is at event {}", grouped(view.cursor));
        ui.colored_label(crate::ui::theme::Palette::of(ui).changed.ink, words);
    }
}

/// "as of event 4 711 of 5 000 · 90 rows".
fn words(view: &ModelView) -> String {
    let noun = if view.is_script { "partition" } else { "row" };
    let counted = |count: u64| match count {
        1 => format!("1 {noun}"),
        count => format!("{} {noun}s", grouped(count)),
    };
    let gone = |existing: u64| match view.listed.saturating_sub(existing) {
        0 => String::new(),
        gone => format!(", {} deleted", grouped(gone)),
    };
    let rows = match (view.existing, view.loaded_at) {
        (_, None) => "reading…".to_owned(),
        (Some(existing), Some(_)) => format!("{}{}", counted(existing), gone(existing)),
        (None, Some(_)) => format!("{}, deleted ones among them", counted(view.listed)),
    };
    let found = match (view.filter.is_empty(), view.is_cut) {
        (true, _) => "",
        (false, false) => " found",
        (false, true) => " found, and more",
    };
    if view.cursor > view.rebuilt {
        return format!("as of event {} · {rows}{found}", grouped(view.rebuilt));
    }
    format!("as of {} · {rows}{found}", view.place)
}

fn table_ui(ui: &mut Ui, view: &ModelView, local: &mut RowsLocal, asked: &mut Vec<ProjectionAction>) {
    let columns = columns(view);
    let is_other = std::mem::replace(&mut local.generation, view.generation) != view.generation;
    let look = |row: u64| match view.loaded.get(row) {
        Some(row) if row.is_deleted && view.is_written_here(row) => RowLook::GoneHere,
        Some(row) if row.is_deleted => RowLook::Gone,
        Some(row) if view.is_written_here(row) => RowLook::Written,
        _ => RowLook::Plain,
    };
    let key = view.story.as_ref().map(|story| &story.key);
    let place = key.and_then(|key| view.loaded.rows.iter().position(|row| row.key == *key));
    let selected = place.map(|place| view.loaded.first + place as u64);
    let mut from_menu = Vec::new();
    let mut menu = |ui: &mut Ui, row: u64, column: usize| {
        menu_ui(ui, view, (row, column), &mut from_menu);
    };
    let table = local.tables.entry(Arc::clone(&view.table)).or_default();
    let response = Table::new("Read model", &columns)
        .rows(view.listed)
        .selected(selected)
        .scroll_to(is_other.then_some(0))
        .look(&look)
        .cell_menu(&mut menu)
        .show(ui, table, |row, column| match view.loaded.get(row) {
            Some(row) => row.values.get(column).map(cell).unwrap_or_default(),
            None => Cell::pending(),
        });
    asked.extend(from_menu);
    // The other button opens the menu, which says what is wanted of the row.
    let is_menu = response.context.is_some();
    asked.extend(response.select.filter(|_| !is_menu).map(ProjectionAction::ChooseRow));
    let rows = response.visible_rows.max(20);
    let wanted = Asked {
        table: Arc::clone(&view.table),
        first: response.first_visible,
        rows,
        at: view.at,
        revision: view.revision,
        filter: Arc::clone(&view.filter),
    };
    let is_shown = view.loaded_at == Some(view.at);
    if local.asked.as_ref() != Some(&wanted) || !(is_shown || view.is_loading) {
        asked.push(ProjectionAction::ShowRows {
            first: response.first_visible,
            count: usize::try_from(rows).unwrap_or(usize::MAX),
        });
        local.asked = Some(wanted);
    }
}

fn columns(view: &ModelView) -> Vec<ColumnSpec> {
    let width = |kind: ColumnKind, name: &str| match kind {
        ColumnKind::Number => 90.0,
        _ if view.is_script && name == "state" => 420.0,
        _ => 150.0,
    };
    let last = view.columns.len().saturating_sub(1);
    let each = view.columns.iter().enumerate().map(|(place, column)| {
        let declared = column.declared.to_ascii_uppercase();
        let is_number =
            ["INT", "REAL", "NUM", "DEC", "FLOA", "DOUB"].iter().any(|word| declared.contains(word));
        // The last column takes what room is left: at its right edge a number would stand alone.
        let kind = if is_number && place < last { ColumnKind::Number } else { ColumnKind::Code };
        let title = if column.is_key { format!("{} · key", column.name) } else { column.name.to_string() };
        ColumnSpec::new(&column.name, &title, width(kind, &column.name), kind)
    });
    each.collect()
}

fn cell(value: &Stored) -> Cell {
    match value {
        Stored::Null => Cell::inked("NULL", Ink::Faint),
        Stored::Blob(_) => Cell::inked(value.to_words(), Ink::Soft),
        Stored::Integer(_) | Stored::Real(_) | Stored::Text(_) => Cell::text(value.to_words()),
    }
}

/// What can be asked of a cell and its row.
fn menu_ui(ui: &mut Ui, view: &ModelView, (row, column): (u64, usize), asked: &mut Vec<ProjectionAction>) {
    let Some(found) = view.loaded.get(row) else { return };
    if let Some(spec) = view.columns.get(column) {
        let why = ui.button(format!("Why is this {}?", spec.name));
        if why.on_hover_text("Go to the event that last set it").clicked() {
            asked.push(ProjectionAction::Why { row, column });
            ui.close();
        }
        if let Some(value) = found.values.get(column)
            && ui.button(format!("Copy {}", spec.name)).clicked()
        {
            ui.ctx().copy_text(value.to_words());
            ui.close();
        }
    }
    if ui.button("What happened to this row").clicked() {
        asked.push(ProjectionAction::ChooseRow(row));
        ui.close();
    }
    if view.is_script
        && let Some(partition) = found.values.first().map(Stored::to_words).filter(|name| !name.is_empty())
    {
        let help =
            format!("Run the definition over the events of {partition} alone; what is shown now is replaced");
        if ui.button("Rebuild only this partition").on_hover_text(help).clicked() {
            let name = Arc::clone(&view.projection);
            asked.push(ProjectionAction::RebuildPartition(name, partition.into()));
            ui.close();
        }
    }
    if ui.button("Copy row as JSON").clicked() {
        ui.ctx().copy_text(row_json(&view.columns, &found.values, view.is_script).to_pretty());
        ui.close();
    }
}
