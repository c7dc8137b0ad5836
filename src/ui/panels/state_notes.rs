//! What there is to say about the step at the cursor, above the state: where it failed, what the
//! reducer logged, which numbers lost digits.

use std::sync::Arc;

use egui::RichText;

use crate::{
    session::{
        action::{Action, CursorAction, ScriptAction},
        view::{StateView, StepNotes},
    },
    ui::{
        theme::{self, Palette},
        widgets::icon::{Icon, icon_label, trouble_label},
    },
};

/// So many lines of a log are shown at once; the rest is behind a click.
const LINES: usize = 5;

/// Draws the notes; tells whether the reducer's panel is to come to the front.
pub(super) fn notes_ui(ui: &mut egui::Ui, view: &StateView, actions: &mut Vec<Action>) -> bool {
    let colours = Palette::of(ui);
    let mut shows_reducer = false;
    if let Some(category) = &view.lacks_reducer {
        let button = ui.small_button("New reducer from the events").on_hover_text(
            "Write a reducer in JavaScript that takes over every field, to be changed as you like",
        );
        if button.clicked() {
            actions.push(Action::Scripts(ScriptAction::Scaffold(Arc::clone(category))));
            shows_reducer = true;
        }
    }
    if let Some(old) = &view.old {
        let label = egui::Label::new(RichText::new(&**old).color(colours.trouble.ink));
        let label = label.sense(egui::Sense::click()).selectable(false);
        let line = ui.horizontal_wrapped(|ui| {
            icon_label(ui, Icon::Warning, colours.trouble.ink);
            ui.add(label)
        });
        let response = line.inner;
        shows_reducer |= response.on_hover_text("Show the reducer").clicked();
    }
    let notes = &*view.notes;
    shows_reducer |= failure_ui(ui, view, notes, actions);
    if let Some(at) = notes.stopped_at {
        ui.horizontal_wrapped(|ui| {
            trouble_label(ui, format!("The history stops at event {at}, which failed"));
            if ui.small_button("Go there").clicked() {
                actions.push(Action::Cursor(CursorAction::ToCount(at)));
            }
        });
    }
    for rounding in notes.roundings.iter().take(LINES) {
        ui.colored_label(colours.changed.ink, rounding).on_hover_text(
            "JavaScript holds about 16 digits of a number: the state has another value than the event",
        );
    }
    more_ui(ui, notes.roundings.len());
    for line in notes.logs.iter().take(LINES) {
        let label = egui::Label::new(RichText::new(&**line).font(theme::mono()).color(colours.soft));
        ui.add(label.truncate()).on_hover_text("Logged by the reducer");
    }
    more_ui(ui, notes.logs.len());
    shows_reducer
}

fn more_ui(ui: &mut egui::Ui, count: usize) {
    if count > LINES {
        ui.weak(format!("and {} more", count - LINES));
    }
}

/// Why the event was not applied, with its place in the source; tells whether it was clicked.
fn failure_ui(ui: &mut egui::Ui, view: &StateView, notes: &StepNotes, actions: &mut Vec<Action>) -> bool {
    let colours = Palette::of(ui);
    let mut is_clicked = false;
    if let Some(failure) = &notes.failure {
        trouble_label(ui, format!("{} was not applied: {failure}", notes.label));
        // The first line says again what went wrong; lines of source are not wrapped, so that the
        // caret stays where it belongs.
        if let Some((_, source)) = notes.excerpt.split_once('\n') {
            egui::ScrollArea::horizontal().id_salt("excerpt").show(ui, |ui| {
                let code = RichText::new(source.trim_end()).font(theme::mono()).color(colours.soft);
                let label = egui::Label::new(code).extend().sense(egui::Sense::click()).selectable(false);
                is_clicked = ui.add(label).on_hover_text("Show this line in the editor").clicked();
            });
        }
        if is_clicked {
            actions.push(Action::Scripts(ScriptAction::ShowFailure));
        }
    } else if let Some(failure) = &view.failure {
        trouble_label(ui, format!("This event was not applied: {failure}"));
    } else if view.failures > 0 {
        let steps = if view.failures == 1 { "1 step".to_owned() } else { format!("{} steps", view.failures) };
        let label = egui::Label::new(RichText::new(format!("{steps} of this history failed")).weak());
        let response = ui.add(label.sense(egui::Sense::click()).selectable(false));
        is_clicked |= response.on_hover_text("List them in the Reducer panel").clicked();
    }
    is_clicked
}
