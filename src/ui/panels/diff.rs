//! What differs: before and after the step at the cursor, or between two pinned points.

use crate::{
    model::{Change, Pointer},
    session::{
        action::{Action, CursorAction},
        view::DiffView,
    },
    ui::{
        panels::state::questions,
        widgets::{
            diff::{DiffState, diff_list_with_menu},
            empty::empty_panel,
            icon::Icon,
        },
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct DiffLocal {
    list: DiffState,
}

/// Pins, title and changes.
pub fn diff_ui(ui: &mut egui::Ui, view: &DiffView, local: &mut DiffLocal, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        for (which, name) in ["A", "B"].into_iter().enumerate() {
            pin_ui(ui, which, name, view, actions);
        }
    });
    ui.add_space(2.0);
    ui.horizontal_wrapped(|ui| {
        ui.strong(&view.title);
        let count = view.changes.len();
        if view.is_ready {
            ui.weak(format!("{count} change{}", if count == 1 { "" } else { "s" }));
        }
        if !view.changes.is_empty() && ui.small_button("Copy as JSON").clicked() {
            let changes = view.changes.iter().map(Change::to_json);
            ui.ctx().copy_text(crate::model::Json::array(changes).to_pretty());
        }
    });
    if !view.is_ready {
        empty_panel(
            ui,
            Icon::Search,
            "Nothing to compare yet",
            "Choose a stream; pin two points to compare them",
            None,
        );
    } else if view.changes.is_empty() {
        let hint = if view.is_between_pins {
            "Both points hold the same state"
        } else {
            "This step changed nothing"
        };
        empty_panel(ui, Icon::Check, "No difference", hint, None);
    } else {
        changes_ui(ui, "Changes", &view.changes, &mut local.list, actions);
    }
}

/// A list of changes, each with the menu of questions that a value of the state has.
pub(crate) fn changes_ui(
    ui: &mut egui::Ui,
    name: &str,
    changes: &[Change],
    list: &mut DiffState,
    actions: &mut Vec<Action>,
) {
    let mut asked = None;
    let mut menu = |ui: &mut egui::Ui, path: &Pointer| {
        for (name, action) in questions(path) {
            if ui.button(name).clicked() {
                asked = Some(action);
                ui.close();
            }
        }
    };
    diff_list_with_menu(ui, name, changes, list, Some(&mut menu));
    actions.extend(asked);
}

fn pin_ui(ui: &mut egui::Ui, which: usize, name: &str, view: &DiffView, actions: &mut Vec<Action>) {
    match view.pins.get(which).and_then(Option::as_ref) {
        Some(words) => {
            let chip = egui::Button::new(format!("{name}: {words}  ×")).corner_radius(10.0);
            if ui.add(chip).on_hover_text("Take this pin away").clicked() {
                actions.push(Action::Cursor(CursorAction::Unpin(which)));
            }
        }
        None => {
            let help = format!("Keep the cursor's place as {name} (Ctrl+{})", which + 1);
            if ui
                .add_enabled(view.is_ready, egui::Button::new(format!("Pin {name} here")))
                .on_hover_text(help)
                .clicked()
            {
                actions.push(Action::Cursor(CursorAction::Pin(which)));
            }
        }
    }
}
