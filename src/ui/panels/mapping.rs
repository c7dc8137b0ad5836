//! The mapping dialog: which column plays which role, beside the table's first rows.

use egui::RichText;
use egui_extras::{Column, TableBuilder};

use crate::{
    session::{
        action::{Action, MappingAction},
        view::MappingView,
    },
    store::layout::{Role, Source},
};

/// The dialog, with a live preview.
pub fn mapping_ui(ctx: &egui::Context, view: &MappingView, actions: &mut Vec<Action>) {
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(16.0);
    let modal = egui::Modal::new(egui::Id::unique("mapping")).frame(frame).show(ctx, |ui| {
        let screen = ctx.content_rect().size();
        ui.set_width((screen.x - 80.0).clamp(320.0, 900.0));
        ui.label(RichText::new("Which column plays which role?").size(18.0).strong());
        ui.label(RichText::new("The choice is kept in timeglass.toml beside the store").weak());
        ui.add_space(8.0);
        if view.tables.is_empty() {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Reading the tables…");
            });
        } else {
            table_choice_ui(ui, view, actions);
            ui.add_space(6.0);
            egui::ScrollArea::vertical().id_salt("roles").max_height(screen.y * 0.38).show(ui, |ui| {
                roles_ui(ui, view, actions);
            });
            ui.add_space(6.0);
            ui.label(RichText::new("First rows").strong());
            preview_ui(ui, view, screen.y * 0.22);
        }
        ui.add_space(8.0);
        buttons_ui(ui, view, actions);
    });
    if modal.should_close() {
        actions.push(Action::Mapping(MappingAction::Cancel));
    }
}

fn table_choice_ui(ui: &mut egui::Ui, view: &MappingView, actions: &mut Vec<Action>) {
    let choice = egui::ComboBox::from_label("holds the events").selected_text(&*view.table).width(220.0);
    choice.show_ui(ui, |ui| {
        for table in &view.tables {
            if ui.selectable_label(*table == view.table, &**table).clicked() {
                actions.push(Action::Mapping(MappingAction::ChooseTable(std::sync::Arc::clone(table))));
            }
        }
    });
}

fn roles_ui(ui: &mut egui::Ui, view: &MappingView, actions: &mut Vec<Action>) {
    egui::Grid::new("mapping roles").num_columns(4).spacing([12.0, 4.0]).show(ui, |ui| {
        for pair in Role::ALL.chunks(2) {
            for role in pair {
                let current = view
                    .roles
                    .iter()
                    .find(|(other, _)| other == role)
                    .and_then(|(_, source)| source.as_ref());
                let label = ui.label(role.label());
                source_choice_ui(ui, *role, current, &view.sources, actions, label.id);
            }
            ui.end_row();
        }
    });
}

fn source_choice_ui(
    ui: &mut egui::Ui,
    role: Role,
    current: Option<&Source>,
    sources: &[Source],
    actions: &mut Vec<Action>,
    label: egui::Id,
) {
    let shown = current.map_or_else(|| "not stored".to_owned(), ToString::to_string);
    let mut choose = |source: Option<Source>| {
        actions.push(Action::Mapping(MappingAction::ChooseSource(role, source)));
    };
    let choice = egui::ComboBox::from_id_salt(role.key()).selected_text(shown).width(230.0);
    let response = choice.show_ui(ui, |ui| {
        if ui.selectable_label(current.is_none(), "not stored").clicked() {
            choose(None);
        }
        for source in sources {
            if ui.selectable_label(current == Some(source), source.to_string()).clicked() {
                choose(Some(source.clone()));
            }
        }
    });
    response.response.labelled_by(label);
}

fn preview_ui(ui: &mut egui::Ui, view: &MappingView, height: f32) {
    egui::ScrollArea::horizontal().id_salt("preview").show(ui, |ui| {
        let table = TableBuilder::new(ui).striped(true).max_scroll_height(height).columns(
            Column::initial(130.0).at_least(40.0).clip(true).resizable(true),
            view.preview_columns.len(),
        );
        table
            .header(20.0, |mut header| {
                for name in &view.preview_columns {
                    header.col(|ui| {
                        ui.strong(name);
                    });
                }
            })
            .body(|body| {
                body.rows(18.0, view.preview_rows.len(), |mut row| {
                    for cell in view.preview_rows.get(row.index()).into_iter().flatten() {
                        row.col(|ui| {
                            ui.add(egui::Label::new(RichText::new(cell).monospace()).truncate());
                        });
                    }
                });
            });
    });
}

fn buttons_ui(ui: &mut egui::Ui, view: &MappingView, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(&view.message).weak());
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let save = egui::Button::new(RichText::new("Use this layout").strong());
            if ui.add_enabled(view.can_save, save).clicked() {
                actions.push(Action::Mapping(MappingAction::Save));
            }
            if ui.button("Cancel").clicked() {
                actions.push(Action::Mapping(MappingAction::Cancel));
            }
        });
    });
}
