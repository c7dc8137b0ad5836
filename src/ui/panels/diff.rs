//! What differs: before and after the step at the cursor, or between two pinned points.

use crate::{
    model::Pointer,
    session::{
        action::{Action, BlameAction, CursorAction},
        view::DiffView,
    },
    ui::{
        panels::state::why_button,
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
            let changes = view.changes.iter().map(crate::model::Change::to_json);
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
        let mut why = None;
        let mut menu = |ui: &mut egui::Ui, path: &Pointer| why = why_button(ui, path).or_else(|| why.take());
        diff_list_with_menu(ui, "Changes", &view.changes, &mut local.list, Some(&mut menu));
        actions.extend(why.map(|path| Action::Blame(BlameAction::Ask(path))));
    }
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
