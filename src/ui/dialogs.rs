//! Small windows over the window: go to, all actions, shortcuts, about, a path to type.

use std::{path::PathBuf, sync::Arc};

use crate::{
    project::new_file::Existing,
    projection::export::Format,
    session::{
        Session,
        action::{
            Action, BrowseAction, NAMED, Named, ProjectionAction, ScriptAction, ShellAction, What,
            WindowAction,
        },
        view::View,
    },
    ui::{
        file_dialog::Purpose,
        keys,
        settings::{SettingsLocal, settings_ui},
    },
};

/// A dialog that is open.
#[derive(Debug, Clone)]
pub(crate) enum Dialog {
    /// Asks where to go.
    GoTo {
        /// What was typed so far.
        text: String,
    },
    /// Asks for a file's path, where the system has no file dialog.
    TypePath {
        /// What was typed so far.
        text: String,
        /// What the file is wanted for.
        purpose: Purpose,
    },
    /// Asks in which format a read model is to be written.
    ChooseFormat,
    /// All actions, by name.
    Palette {
        /// What was typed so far.
        text: String,
        /// Which of the matching actions would run.
        chosen: usize,
    },
    /// All shortcuts.
    Shortcuts,
    /// What can be set.
    Settings(SettingsLocal),
    /// What this program is.
    About,
}

/// Shows the dialog, if one is open; returns the named actions that were asked for.
pub(crate) fn dialog_ui(
    ctx: &egui::Context,
    dialog: &mut Option<Dialog>,
    session: &Session,
    actions: &mut Vec<Action>,
) -> Vec<What> {
    let Some(open) = dialog else { return Vec::new() };
    let mut wanted = Vec::new();
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(16.0);
    let modal = egui::Modal::new(egui::Id::unique("dialog")).frame(frame).show(ctx, |ui| match open {
        Dialog::GoTo { text } => {
            let hint = "v118, p4711, 2024-03-01 or 2024-03-01 09:51";
            entry_ui(ui, ("Go to", "Go"), hint, text).then(|| actions.push(go_to(text))).is_some()
        }
        Dialog::TypePath { text, purpose } => {
            let (title, button, hint) = match purpose {
                Purpose::Store => ("Open a database file", "Open", "/path/to/store.sqlite"),
                Purpose::Reducer(_) => ("Use a reducer", "Use", "/path/to/reducer.js"),
                Purpose::Definition => ("Add a definition", "Add", "/path/to/projections.sql or .js"),
                Purpose::Export(..) => ("Export the read model", "Write", "/path/to/a/new/file"),
            };
            entry_ui(ui, (title, button), hint, text).then(|| actions.push(use_path(text, purpose))).is_some()
        }
        Dialog::ChooseFormat => formats_ui(ui, session.view(), &mut wanted),
        Dialog::Palette { text, chosen } => palette_ui(ui, text, chosen, session, &mut wanted),
        Dialog::Shortcuts => shortcuts_ui(ui),
        Dialog::Settings(local) => settings_ui(ui, session.view(), local, actions),
        Dialog::About => about_ui(ui),
    });
    if modal.inner || modal.should_close() {
        *dialog = None;
    }
    wanted
}

fn go_to(text: &str) -> Action {
    Action::Browse(BrowseAction::GoTo(text.to_owned()))
}

/// What is done with a path that was typed.
fn use_path(text: &str, purpose: &Purpose) -> Action {
    let path = PathBuf::from(text.trim());
    use_file(std::path::absolute(&path).unwrap_or(path), purpose, Existing::Kept)
}

/// What is done with a file, and with another of its name if it is written.
pub(crate) fn use_file(path: PathBuf, purpose: &Purpose, existing: Existing) -> Action {
    match purpose {
        Purpose::Store => Action::Shell(ShellAction::Open(path)),
        Purpose::Reducer(category) => Action::Scripts(ScriptAction::Use(Arc::clone(category), path)),
        Purpose::Definition => Action::Projections(ProjectionAction::Add(path)),
        Purpose::Export(format, _) => Action::Projections(ProjectionAction::Export(*format, path, existing)),
    }
}

/// A line to type in, under a title and with a button; true once it was entered.
fn entry_ui(ui: &mut egui::Ui, (title, button): (&str, &str), hint: &str, text: &mut String) -> bool {
    ui.set_width(420.0);
    ui.heading(title);
    ui.add_space(4.0);
    let label = ui.label(egui::RichText::new(hint).weak());
    let field = ui.add(egui::TextEdit::singleline(text).desired_width(f32::INFINITY)).labelled_by(label.id);
    field.request_focus();
    let entered = ui.input(|input| input.key_pressed(egui::Key::Enter));
    ui.add_space(6.0);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        ui.add_enabled(!text.trim().is_empty(), egui::Button::new(button)).clicked()
    })
    .inner
        || (entered && !text.trim().is_empty())
}

/// The formats of a read model; true once one was chosen.
fn formats_ui(ui: &mut egui::Ui, view: &View, wanted: &mut Vec<What>) -> bool {
    ui.set_width(260.0);
    ui.heading("Export the read model as");
    if let Some(words) = view.projections.model.as_ref().and_then(|model| model.export_estimate.as_ref()) {
        ui.weak(&**words);
    }
    ui.add_space(4.0);
    for format in Format::ALL {
        let button = egui::Button::new(format.name()).min_size(egui::vec2(ui.available_width(), 0.0));
        if ui.add(button).clicked() {
            wanted.push(What::Window(WindowAction::ExportAs(format)));
        }
    }
    !wanted.is_empty()
}

/// All actions whose names hold what was typed; true once one was chosen.
fn palette_ui(
    ui: &mut egui::Ui,
    text: &mut String,
    chosen: &mut usize,
    session: &Session,
    wanted: &mut Vec<What>,
) -> bool {
    ui.set_width(460.0);
    let label = ui.label("All actions");
    let field = ui.add(
        egui::TextEdit::singleline(text).hint_text("Type a part of a name").desired_width(f32::INFINITY),
    );
    let field = field.labelled_by(label.id);
    field.request_focus();
    if field.changed() {
        *chosen = 0;
    }
    let matching: Vec<&Named> = NAMED.iter().filter(|action| is_match(action.name, text)).collect();
    let (down, up, enter) = ui.input(|input| {
        let pressed = |key| input.key_pressed(key);
        (pressed(egui::Key::ArrowDown), pressed(egui::Key::ArrowUp), pressed(egui::Key::Enter))
    });
    let last = matching.len().saturating_sub(1);
    *chosen = match (down, up) {
        (true, _) => (*chosen + 1).min(last),
        (_, true) => chosen.saturating_sub(1),
        _ => (*chosen).min(last),
    };
    let mut run = None;
    egui::ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
        for (place, action) in matching.iter().enumerate() {
            let button = egui::Button::selectable(place == *chosen, action.name)
                .shortcut_text(keys::shown(action.shortcut))
                .min_size(egui::vec2(ui.available_width(), 0.0));
            let is_enabled = (action.is_enabled)(session);
            let response = ui.add_enabled(is_enabled, button).on_hover_text(action.help);
            if place == *chosen && (down || up) {
                response.scroll_to_me(None);
            }
            if response.clicked() || (enter && place == *chosen && is_enabled) {
                run = Some(action.what.clone());
            }
        }
        if matching.is_empty() {
            ui.weak("No action has such a name");
        }
    });
    let has_run = run.is_some();
    wanted.extend(run);
    has_run
}

/// Whether every typed word is part of the name.
fn is_match(name: &str, typed: &str) -> bool {
    let name = name.to_lowercase();
    typed.to_lowercase().split_whitespace().all(|word| name.contains(word))
}

fn shortcuts_ui(ui: &mut egui::Ui) -> bool {
    ui.set_width(460.0);
    ui.heading("Shortcuts");
    egui::ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
        egui::Grid::new("shortcuts").num_columns(3).striped(true).spacing([16.0, 4.0]).show(ui, |ui| {
            for action in NAMED.iter().filter(|action| !action.shortcut.is_empty()) {
                ui.monospace(keys::shown(action.shortcut));
                ui.label(action.name);
                ui.weak(action.help);
                ui.end_row();
            }
        });
    });
    ui.button("Close").clicked()
}

fn about_ui(ui: &mut egui::Ui) -> bool {
    ui.set_width(360.0);
    ui.heading("Timeglass");
    ui.label(concat!("Version ", env!("CARGO_PKG_VERSION")));
    ui.add_space(6.0);
    ui.label(
        "Explorer and time-travel debugger for event stores. It only reads: your database stays as it is.",
    );
    ui.add_space(6.0);
    ui.weak("Licensed under MIT or Apache 2.0. Licences of the fonts lie in assets/.");
    ui.add_space(6.0);
    ui.button("Close").clicked()
}
