//! The layout of the store: which source plays which role, and why.

use egui::RichText;

use crate::{
    session::{
        action::{Action, MappingAction},
        view::{InfoView, RoleRow},
    },
    ui::{
        panels::no_events::tables_ui,
        theme,
        widgets::icon::{Icon, icon_label},
    },
};

/// Roles with their evidence, order, problems, tables, figures.
pub fn info_ui(ui: &mut egui::Ui, view: &InfoView, actions: &mut Vec<Action>) {
    egui::ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(
                RichText::new(format!("Events are read from “{}”", view.events_table)).strong().size(15.0),
            );
            if ui.button("Change…").on_hover_text("Correct which column plays which role").clicked() {
                actions.push(Action::Mapping(MappingAction::Edit));
            }
        });
        ui.label(RichText::new(&view.path).weak());
        ui.add_space(8.0);
        problems_ui(ui, &view.problems);
        egui::Grid::new("roles").num_columns(4).striped(true).spacing([18.0, 4.0]).show(ui, |ui| {
            for title in ["Role", "Comes from", "Written as", "Why"] {
                ui.label(RichText::new(title).weak());
            }
            ui.end_row();
            for row in &view.roles {
                role_ui(ui, row);
            }
            ui.label("Global order");
            ui.label("");
            ui.label("");
            ui.label(&view.order);
            ui.end_row();
        });
        ui.add_space(12.0);
        egui::Grid::new("figures").num_columns(2).spacing([18.0, 4.0]).show(ui, |ui| {
            for (name, value) in &view.figures {
                ui.label(RichText::new(name).weak());
                ui.monospace(value);
                ui.end_row();
            }
        });
        ui.add_space(12.0);
        tables_ui(ui, "tables", &view.tables);
    });
}

fn problems_ui(ui: &mut egui::Ui, problems: &[String]) {
    if problems.is_empty() {
        return;
    }
    ui.label(RichText::new("Good to know").strong());
    for problem in problems {
        ui.horizontal_wrapped(|ui| {
            icon_label(ui, Icon::Warning, theme::Palette::of(ui).trouble.ink);
            ui.label(problem);
        });
    }
    ui.add_space(10.0);
}

fn role_ui(ui: &mut egui::Ui, row: &RoleRow) {
    ui.label(row.role.label());
    match &row.source {
        Some(source) => ui.monospace(source),
        None => ui.weak("not stored"),
    };
    ui.label(&row.form);
    ui.horizontal(|ui| {
        if row.is_uncertain {
            ui.colored_label(theme::Palette::of(ui).trouble.ink, "uncertain");
        }
        ui.label(&row.evidence);
    });
    ui.end_row();
}
