//! Where the stored table is another than the rebuilt one.

use std::{path::PathBuf, sync::Arc};

use egui::{Panel, RichText, ScrollArea, TextEdit, Ui};

use crate::{
    model::Stored,
    projection::drift::{
        Drift, DriftRow,
        report::{ReportForm, event_text, key_text, shown},
    },
    session::{
        action::Action,
        drift::{DriftAction, DriftKind, rows},
        estimates::with_estimate,
        view::{DriftStage, DriftView, grouped},
    },
    ui::{
        theme::{self, Palette},
        widgets::{
            empty::empty_panel,
            icon::{Icon, icon_label, trouble_label},
            table::{Cell, ColumnKind, ColumnSpec, Ink, Table, TableState},
        },
    },
};

/// What this part of the panel remembers.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct DriftLocal {
    #[serde(skip)]
    kind: DriftKind,
    /// The chosen row of that list.
    #[serde(skip)]
    row: Option<usize>,
    /// What is shown; another means that the choice is no longer of it.
    #[serde(skip)]
    of: Option<Arc<Drift>>,
    #[serde(skip)]
    table: TableState,
    /// Where a report is to go, while it is being asked.
    #[serde(skip)]
    report: Option<(ReportForm, String)>,
    /// The number of the text that was copied last.
    #[serde(skip)]
    copied: u64,
}

/// The lists, in the order of their tabs.
const KINDS: [(DriftKind, &str); 3] =
    [(DriftKind::Changed, "Changed"), (DriftKind::Missing, "Missing"), (DriftKind::Extra, "Extra")];

/// Room for the names of columns, in points.
const NAMES: f32 = 160.0;

/// What came out, the rows that differ, and the chosen one in detail; or what to do so that there is something.
pub fn drift_ui(ui: &mut Ui, view: &DriftView, local: &mut DriftLocal, actions: &mut Vec<Action>) {
    let mut asked = Vec::new();
    if let Some((number, text)) = &view.copied
        && *number != local.copied
    {
        local.copied = *number;
        ui.ctx().copy_text(text.to_string());
    }
    local.follow(view.drift.as_ref());
    match (&view.drift, &view.refused) {
        (None, None) => nothing_ui(ui, view, &mut asked),
        (None, Some(why)) => {
            head_ui(ui, view, local, &mut asked);
            trouble_label(ui, why.to_string());
        }
        (Some(drift), _) => {
            head_ui(ui, view, local, &mut asked);
            notes_ui(ui, view);
            found_ui(ui, drift, local, &mut asked);
        }
    }
    actions.extend(asked.into_iter().map(Action::Drift));
}

impl DriftLocal {
    /// Another comparison: its first list that holds anything, and no row of it.
    fn follow(&mut self, drift: Option<&Arc<Drift>>) {
        let is_same = match (&self.of, drift) {
            (Some(own), Some(drift)) => Arc::ptr_eq(own, drift),
            (None, None) => true,
            _ => false,
        };
        if is_same {
            return;
        }
        self.of = drift.cloned();
        self.row = None;
        self.report = None;
        if let Some(drift) = drift
            && rows(drift, self.kind).is_empty()
        {
            let first = KINDS.iter().find(|(kind, _)| !rows(drift, *kind).is_empty());
            self.kind = first.map_or(DriftKind::Changed, |(kind, _)| *kind);
        }
    }
}

/// Nothing was compared: why, and what to do.
fn nothing_ui(ui: &mut Ui, view: &DriftView, asked: &mut Vec<DriftAction>) {
    let table = view.table.as_deref();
    let (title, hint, button) = match (view.stage, table) {
        (DriftStage::Nothing, _) => ("No projection is chosen", String::new(), None),
        (DriftStage::NoDefinition, _) => (
            "Nothing says what makes this table",
            "Add a definition in SQL or JavaScript; then the table can be compared with what the events make"
                .to_owned(),
            None,
        ),
        (_, None) => (
            "There is no stored table to compare with",
            format!("The store has no table `{}`; the list may offer one", view.projection),
            None,
        ),
        (DriftStage::NotRebuilt, Some(table)) => (
            "Not compared yet",
            format!(
                "{table} is compared with what the events make; for that the projection is rebuilt first"
            ),
            Some((DriftAction::Rebuild, "Rebuild the projection")),
        ),
        (DriftStage::Rebuilding, Some(_)) => {
            ("Being rebuilt", "When it is done, it can be compared".to_owned(), None)
        }
        (DriftStage::Comparing, Some(table)) => {
            ("Comparing", format!("{table} row by row with what the events make"), None)
        }
        (DriftStage::Ready, Some(table)) => (
            "Not compared yet",
            format!("Row by row, {table} is held against what the events make; nothing is written"),
            Some((DriftAction::Compare, "Compare with the stored table")),
        ),
    };
    let hint = match &view.estimate {
        Some(words) if button.is_some() => format!("{hint}\n{words}"),
        Some(_) | None => hint,
    };
    let words = button.as_ref().map(|(_, words)| *words);
    if empty_panel(ui, Icon::Info, title, &hint, words) {
        asked.extend(button.map(|(action, _)| action));
    }
}

fn again_help(view: &DriftView) -> String {
    let help = "Row by row; nothing is written";
    with_estimate(help, view.estimate.as_ref())
}

/// What came out, and what to do with it.
fn head_ui(ui: &mut Ui, view: &DriftView, local: &mut DriftLocal, asked: &mut Vec<DriftAction>) {
    let colours = Palette::of(ui);
    ui.horizontal_wrapped(|ui| {
        match view.stage {
            DriftStage::Comparing => {
                ui.spinner();
                ui.weak("comparing…");
            }
            DriftStage::Ready => {
                if ui.button("Compare again").on_hover_text(again_help(view)).clicked() {
                    asked.push(DriftAction::Compare);
                }
            }
            DriftStage::NotRebuilt => {
                if ui.button("Rebuild the projection").clicked() {
                    asked.push(DriftAction::Rebuild);
                }
            }
            DriftStage::Nothing | DriftStage::NoDefinition | DriftStage::Rebuilding => (),
        }
        if view.drift.as_ref().is_some_and(|drift| !drift.is_none()) && !view.is_part {
            let help = "List what would be written into the store to make it agree; nothing is written yet";
            if ui.button("Publish…").on_hover_text(with_estimate(help, view.estimate.as_ref())).clicked() {
                asked.push(DriftAction::Publish);
            }
        }
        if view.drift.is_some() {
            if ui.button("Copy as JSON").on_hover_text("All that is listed here").clicked() {
                asked.push(DriftAction::Copy);
            }
            ui.menu_button("Export report ▾", |ui| {
                for (form, words) in [
                    (ReportForm::Html, "HTML, to read and to print"),
                    (ReportForm::Text, "Text"),
                    (ReportForm::Json, "JSON"),
                ] {
                    if ui.button(words).clicked() {
                        local.report = Some((form, format!("{}.{}", view.report_path, form.ending())));
                        ui.close();
                    }
                }
            });
        }
    });
    report_ui(ui, local, asked);
    if !view.summary.is_empty() {
        let is_none = view.drift.as_ref().is_some_and(|drift| drift.is_none());
        ui.horizontal_wrapped(|ui| {
            let tone = if is_none { colours.soft } else { colours.trouble.ink };
            if !is_none {
                icon_label(ui, Icon::Warning, tone);
            }
            ui.label(RichText::new(&view.summary).font(theme::strong()).color(tone));
        });
    }
    if view.is_outdated {
        ui.weak("The rebuild, the definition or the project file changed since: compare again");
    }
    if let Some(drift) = view.drift.as_ref().filter(|drift| !drift.is_complete || drift.failed > 0) {
        let words = if drift.is_complete {
            "Events could not be handled; rows that they should have written may differ for that reason"
        } else {
            "The rebuild did not come to its end, so rows differ that are right"
        };
        trouble_label(ui, words);
    }
    if view.is_part {
        ui.weak("Only a part of the events was rebuilt, so rows differ that are right");
    }
}

/// Where a report is to go, while it is being asked.
fn report_ui(ui: &mut Ui, local: &mut DriftLocal, asked: &mut Vec<DriftAction>) {
    let Some((form, path)) = &mut local.report else { return };
    let mut is_done = false;
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("Report to");
        ui.add(TextEdit::singleline(path).desired_width(360.0)).labelled_by(label.id);
        if ui.add_enabled(!path.trim().is_empty(), egui::Button::new("Write")).clicked() {
            asked.push(DriftAction::Export(*form, PathBuf::from(path.trim())));
            is_done = true;
        }
        is_done |= ui.button("Cancel").clicked();
    });
    if is_done {
        local.report = None;
    }
}

/// How the tables were compared, and what was left out.
fn notes_ui(ui: &mut Ui, view: &DriftView) {
    egui::CollapsingHeader::new("How it was compared").id_salt("drift notes").show(ui, |ui| {
        for note in &*view.notes {
            ui.add(egui::Label::new(RichText::new(note)).wrap());
        }
    });
}

/// The rows that differ, and the chosen one in detail.
fn found_ui(ui: &mut Ui, drift: &Drift, local: &mut DriftLocal, asked: &mut Vec<DriftAction>) {
    apart_ui(ui, drift);
    if drift.is_none() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let totals = [drift.totals.changed, drift.totals.missing, drift.totals.extra];
        for ((kind, name), total) in KINDS.into_iter().zip(totals) {
            let tab = egui::Button::selectable(local.kind == kind, format!("{name} {}", grouped(total)));
            if ui.add_enabled(total > 0, tab).clicked() {
                (local.kind, local.row) = (kind, None);
            }
        }
        if drift.unlisted() > 0 {
            ui.weak(format!("{} more are not listed", grouped(drift.unlisted())));
        }
    });
    let chosen = local.row.and_then(|row| rows(drift, local.kind).get(row));
    if let (Some(row), Some(place)) = (chosen, local.row) {
        Panel::bottom("drift row").resizable(true).default_size(190.0).show(ui, |ui| {
            row_ui(ui, drift, row, (local.kind, place), asked);
        });
    }
    list_ui(ui, drift, local, asked);
}

/// Columns that no replay can make again: no drift, but worth knowing.
fn apart_ui(ui: &mut Ui, drift: &Drift) {
    for (name, why) in &drift.pairing.not_reproducible {
        let rows = match drift.not_reproducible.get(name) {
            Some(1) => "differs in 1 row, ".to_owned(),
            Some(rows) => format!("differs in {} rows, ", grouped(*rows)),
            None => String::new(),
        };
        ui.weak(format!("{name}: {rows}no drift: no replay can make it again ({why})"));
    }
}

fn list_ui(ui: &mut Ui, drift: &Drift, local: &mut DriftLocal, asked: &mut Vec<DriftAction>) {
    let kind = local.kind;
    let listed = rows(drift, kind);
    let names: Vec<&str> = drift.pairing.key.iter().map(|(name, _)| &**name).collect();
    let key = if names.is_empty() { "Row".to_owned() } else { names.join(", ") };
    let columns = [
        ColumnSpec::new("row", &key, 220.0, ColumnKind::Code),
        ColumnSpec::new(
            "columns",
            if kind == DriftKind::Changed { "Differs in" } else { "Holds" },
            240.0,
            ColumnKind::Text,
        ),
        ColumnSpec::new("event", "Parted at", 320.0, ColumnKind::Text),
    ];
    let at = |row: u64| usize::try_from(row).ok().and_then(|row| Some((row, listed.get(row)?)));
    let mut from_menu = None;
    let mut menu = |ui: &mut Ui, row: u64| {
        if let Some((place, row)) = at(row) {
            menu_ui(ui, drift, row, (kind, place), &mut from_menu);
        }
    };
    let response = Table::new("Rows that differ", &columns)
        .rows(listed.len() as u64)
        .selected(local.row.map(|row| row as u64))
        .menu(&mut menu)
        .show(ui, &mut local.table, |row, column| {
            at(row).map(|(_, row)| cell(row, kind, column)).unwrap_or_default()
        });
    asked.extend(from_menu);
    if let Some((place, row)) = response.select.and_then(at) {
        local.row = Some(place);
        if row.first_divergent.is_some() {
            asked.push(DriftAction::GoTo(kind, place));
        }
    }
}

fn cell(row: &DriftRow, kind: DriftKind, column: usize) -> Cell {
    match (column, kind) {
        (0, _) if row.key.0.is_empty() => Cell::inked("no key", Ink::Faint),
        (0, _) => {
            let values = row.key.0.iter().map(|value| shown(Some(value)));
            Cell::text(values.collect::<Vec<_>>().join(", "))
        }
        (1, DriftKind::Changed) => {
            Cell::text(row.columns.keys().map(|name| name.to_string()).collect::<Vec<_>>().join(", "))
        }
        (1, _) => {
            let value = |cell: &crate::projection::drift::DriftCell| {
                shown(cell.stored.as_ref().or(cell.rebuilt.as_ref()))
            };
            let cells = row.columns.iter().map(|(name, cell)| format!("{name} {}", value(cell)));
            Cell::inked(cells.collect::<Vec<_>>().join(" · "), Ink::Soft)
        }
        _ => match &row.first_divergent {
            Some(parted) => Cell::text(event_text(parted)),
            None => Cell::inked("no event makes such a row", Ink::Faint),
        },
    }
}

fn menu_ui(
    ui: &mut Ui,
    drift: &Drift,
    row: &DriftRow,
    (kind, place): (DriftKind, usize),
    asked: &mut Option<DriftAction>,
) {
    ui.strong(key_text(&drift.pairing, row));
    let mut item = |ui: &mut Ui, words: String, is_possible: bool, action: DriftAction| {
        if ui.add_enabled(is_possible, egui::Button::new(words)).clicked() {
            *asked = Some(action);
            ui.close();
        }
    };
    let has_event = row.first_divergent.is_some();
    item(ui, "Go to the event where it parted".to_owned(), has_event, DriftAction::GoTo(kind, place));
    item(ui, "Copy the row as JSON".to_owned(), true, DriftAction::CopyRow(kind, place));
    if kind == DriftKind::Changed {
        for name in row.columns.keys() {
            item(ui, format!("Do not compare {name} any more"), true, DriftAction::Ignore(Arc::clone(name)));
        }
    }
}

/// The values of a row side by side.
fn row_ui(
    ui: &mut Ui,
    drift: &Drift,
    row: &DriftRow,
    (kind, place): (DriftKind, usize),
    asked: &mut Vec<DriftAction>,
) {
    let colours = Palette::of(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(key_text(&drift.pairing, row)).font(theme::strong()));
        match &row.first_divergent {
            Some(parted) => {
                let link = ui.link(format!("parted at {}", event_text(parted)));
                if link.on_hover_text("Move the cursor to this event").clicked() {
                    asked.push(DriftAction::GoTo(kind, place));
                }
            }
            None => {
                ui.weak("no event makes such a row");
            }
        }
    });
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        let width = ((ui.available_width() - NAMES) / 2.0 - 3.0 * theme::GROUP).max(80.0);
        egui::Grid::new("drift values").num_columns(3).striped(true).show(ui, |ui| {
            for title in ["Column", "Stored", "Rebuilt"] {
                ui.label(RichText::new(title).color(colours.faint));
            }
            ui.end_row();
            for (name, cell) in &row.columns {
                let label = ui.add(egui::Label::new(&**name).sense(egui::Sense::CLICK));
                label.context_menu(|ui| {
                    if ui.button(format!("Do not compare {name} any more")).clicked() {
                        asked.push(DriftAction::Ignore(Arc::clone(name)));
                        ui.close();
                    }
                });
                value_ui(ui, width, cell.stored.as_ref(), |ui| {
                    if cell.is_unheard_of {
                        let note = RichText::new("never made in the rebuild").color(colours.faint);
                        ui.add(egui::Label::new(note).wrap());
                    }
                });
                value_ui(ui, width, cell.rebuilt.as_ref(), |ui| {
                    let Some(event) = &cell.written_by else { return };
                    let link = ui.link(format!("by {}", event_text(event)));
                    if link.on_hover_text("Move the cursor to this event").clicked() {
                        asked.push(DriftAction::GoToEvent(event.count));
                    }
                });
                ui.end_row();
            }
        });
    });
}

/// One value of a row, and what is to be said of it below.
fn value_ui(ui: &mut Ui, width: f32, value: Option<&Stored>, below: impl FnOnce(&mut Ui)) {
    let text = RichText::new(shown(value)).font(theme::mono());
    let text = if value.is_none() { text.color(Palette::of(ui).faint) } else { text };
    ui.vertical(|ui| {
        ui.set_width(width);
        ui.add(egui::Label::new(text).wrap().selectable(true));
        below(ui);
    });
}
