//! What the window shows for a database in which no events table was found.

use egui::RichText;

use crate::session::{
    action::{Action, MappingAction, ShellAction},
    view::{NoEventsView, TableRow},
};

/// Says what was found instead, and offers to map by hand.
pub fn no_events_ui(ui: &mut egui::Ui, view: &NoEventsView, actions: &mut Vec<Action>) {
    egui::Frame::NONE.inner_margin(24.0).show(ui, |ui| {
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.label(RichText::new("No event table found").size(22.0).strong());
            ui.label(RichText::new(view.path.display().to_string()).weak());
            ui.add_space(12.0);
            match &view.nearest {
                Some(table) => {
                    ui.label(format!("The table that comes nearest is “{table}”, but:"));
                    for shortfall in &view.shortfalls {
                        ui.label(format!("• {shortfall}"));
                    }
                }
                None => {
                    ui.label("No table of this database could hold events.");
                }
            }
            ui.add_space(12.0);
            ui.horizontal(|ui| {
                if ui
                    .add_enabled(!view.tables.is_empty(), egui::Button::new("Map the columns by hand…"))
                    .clicked()
                {
                    actions.push(Action::Mapping(MappingAction::Edit));
                }
                if ui.button("Close").clicked() {
                    actions.push(Action::Shell(ShellAction::Close));
                }
            });
            ui.add_space(16.0);
            tables_ui(ui, "no events tables", &view.tables);
        });
    });
}

/// Every table with what it is for.
pub(crate) fn tables_ui(ui: &mut egui::Ui, id: &str, tables: &[TableRow]) {
    ui.label(RichText::new(format!("Tables ({})", tables.len())).strong());
    egui::Grid::new(id).num_columns(4).striped(true).spacing([18.0, 4.0]).show(ui, |ui| {
        for title in ["Table", "For", "Rows", "Why, or its columns"] {
            ui.label(RichText::new(title).weak());
        }
        ui.end_row();
        for table in tables {
            ui.monospace(&*table.name).on_hover_text(&table.columns);
            ui.label(table.kind.label());
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.monospace(table.rows.map(crate::session::view::grouped).unwrap_or_default());
            });
            if table.evidence.is_empty() {
                let columns = egui::Label::new(RichText::new(&table.columns).weak()).truncate();
                ui.add(columns).on_hover_text(&table.columns);
            } else {
                ui.label(&table.evidence);
            }
            ui.end_row();
        }
    });
}
