//! The settings: how the window looks, what is kept between runs, how much memory is taken.

use egui::RichText;

use crate::{
    model::Zone,
    session::{
        action::{Action, SettingsAction, ShellAction, Theme},
        view::{SettingsView, View, grouped, size_words},
    },
};

/// What the dialog remembers while it is open: numbers that are being typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct SettingsLocal {
    cache_mebibytes: Option<u64>,
    memory_mebibytes: Option<u64>,
}

/// How many MiB may be set.
const CACHE_RANGE: std::ops::RangeInclusive<u64> = 16..=1_048_576;
const MEMORY_RANGE: std::ops::RangeInclusive<u64> = 64..=65_536;

/// The dialog; true once it is to be closed.
pub(crate) fn settings_ui(
    ui: &mut egui::Ui,
    view: &View,
    local: &mut SettingsLocal,
    actions: &mut Vec<Action>,
) -> bool {
    ui.set_width(470.0);
    ui.heading("Settings");
    ui.add_space(6.0);
    look_ui(ui, view, actions);
    ui.add_space(10.0);
    cache_ui(ui, &view.settings, local, actions);
    ui.add_space(10.0);
    memory_ui(ui, &view.settings, local, actions);
    ui.add_space(10.0);
    ui.button("Close").clicked()
}

fn look_ui(ui: &mut egui::Ui, view: &View, actions: &mut Vec<Action>) {
    ui.strong("Look");
    egui::Grid::new("look").num_columns(2).spacing([18.0, 6.0]).show(ui, |ui| {
        ui.label("Colours");
        ui.horizontal(|ui| {
            for (theme, name) in [(Theme::System, "System"), (Theme::Light, "Light"), (Theme::Dark, "Dark")] {
                if ui.radio(view.theme == theme, name).clicked() {
                    actions.push(Action::Shell(ShellAction::SetTheme(theme)));
                }
            }
        });
        ui.end_row();
        ui.label("Times");
        ui.horizontal(|ui| {
            for (zone, name) in [(Zone::Utc, "UTC"), (Zone::Local, "Local time")] {
                if ui.radio(view.zone == zone, name).clicked() {
                    actions.push(Action::Shell(ShellAction::SetZone(zone)));
                }
            }
        });
        ui.end_row();
    });
}

fn cache_ui(ui: &mut egui::Ui, view: &SettingsView, local: &mut SettingsLocal, actions: &mut Vec<Action>) {
    ui.strong("Cache");
    let Some(folder) = &view.folder else {
        ui.weak("Nothing is kept: Timeglass was started with --no-cache, or there is no folder for it");
        return;
    };
    let mut is_caching = view.is_caching;
    let label = "Keep the index of large stores, so that they open at once the next time";
    if ui.checkbox(&mut is_caching, label).changed() {
        actions.push(Action::Settings(SettingsAction::SetCaching(is_caching)));
    }
    egui::Grid::new("cache").num_columns(2).spacing([18.0, 6.0]).show(ui, |ui| {
        let name = ui.label("At most");
        let value = local.cache_mebibytes.get_or_insert(view.cache_mebibytes);
        let field = egui::DragValue::new(value).range(CACHE_RANGE).suffix(" MB").speed(16.0);
        if is_entered(&ui.add(field).labelled_by(name.id)) && *value != view.cache_mebibytes {
            actions.push(Action::Settings(SettingsAction::SetCacheBound(*value)));
        }
        ui.end_row();
        ui.label("Now");
        ui.horizontal(|ui| {
            ui.label(size_line(view.cache_size.as_ref()));
            let has_files = !matches!(view.cache_size, Some(Ok((0, _))));
            let clear = egui::Button::new("Clear cache");
            let help = "Throw away what is kept; stores are scanned again when they are opened next";
            if ui.add_enabled(has_files, clear).on_hover_text(help).clicked() {
                actions.push(Action::Settings(SettingsAction::ClearCache));
            }
        });
        ui.end_row();
        ui.label("Folder");
        ui.add(egui::Label::new(RichText::new(folder.display().to_string()).weak()).truncate());
        ui.end_row();
    });
}

fn memory_ui(ui: &mut egui::Ui, view: &SettingsView, local: &mut SettingsLocal, actions: &mut Vec<Action>) {
    ui.strong("Memory");
    ui.horizontal(|ui| {
        let name = ui.label("For everything but the index, at most");
        let value = local.memory_mebibytes.get_or_insert(view.memory_mebibytes);
        let field = egui::DragValue::new(value).range(MEMORY_RANGE).suffix(" MB").speed(4.0);
        if is_entered(&ui.add(field).labelled_by(name.id)) && *value != view.memory_mebibytes {
            actions.push(Action::Settings(SettingsAction::SetMemory(*value)));
        }
    });
    ui.weak("More of it makes going through long histories quicker");
    if view.memory.is_empty() {
        return;
    }
    egui::Grid::new("memory").num_columns(2).spacing([18.0, 6.0]).show(ui, |ui| {
        for part in &view.memory {
            ui.label(part.name);
            ui.label(size_words(part.bytes));
            ui.end_row();
        }
    });
}

/// Whether a number was entered, and not only touched on the way to another.
fn is_entered(field: &egui::Response) -> bool {
    field.lost_focus() || field.drag_stopped()
}

fn size_line(size: Option<&Result<(usize, u64), std::sync::Arc<str>>>) -> String {
    match size {
        None => "…".to_owned(),
        Some(Ok((0, _))) => "empty".to_owned(),
        Some(Ok((1, bytes))) => format!("{} in 1 file", size_words(*bytes)),
        Some(Ok((files, bytes))) => format!("{} in {} files", size_words(*bytes), grouped(*files as u64)),
        Some(Err(why)) => format!("cannot be read: {why}"),
    }
}
