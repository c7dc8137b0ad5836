//! The editor of one reducer, with what is wrong above it.

use std::sync::Arc;

use egui::{Id, RichText};

use crate::{
    replay::OnFailure,
    session::{
        action::{Action, ScriptAction},
        view::{EditorView, ScriptsView},
    },
    ui::{
        theme::{self, Palette, Tone},
        widgets::{
            code_editor::{CodeShape, CodeState, Mark, code_editor, keep_for_undo},
            icon::{Icon, icon_label, trouble_label},
        },
    },
};

/// What the editor keeps for itself.
#[derive(Default)]
pub struct EditorLocal {
    text: String,
    /// Whose text that is, and which revision.
    of: Option<(Arc<str>, u64)>,
    code: CodeState,
    /// A place that was clicked in this panel.
    clicked: Option<(u32, u32)>,
    /// The number of the last place that the session or a click sent the editor to.
    target: u64,
    seen_target: u64,
}

/// A longer text would make every frame slow, and was not written by hand.
const EDITED_BYTES: usize = 200_000;

/// So many names of event types are listed.
const NAMES: usize = 8;

/// Head, bars and text; tells whether a file is to be asked for.
pub(super) fn editor_ui(
    ui: &mut egui::Ui,
    view: &EditorView,
    scripts: &ScriptsView,
    local: &mut EditorLocal,
    actions: &mut Vec<Action>,
) -> bool {
    let is_file_wanted = head_ui(ui, view, scripts, actions);
    bars_ui(ui, view, local, actions);
    let id = Id::unique(("reducer text", &*view.category));
    take_text(ui, id, view, local);
    let mark = view.failure.as_ref().or(view.step_failure.as_ref()).and_then(|failure| {
        Some(Mark {
            line: failure.line?,
            column: failure.column.unwrap_or(1),
            message: failure.message.to_string(),
        })
    });
    let shape = CodeShape {
        name: "Reducer text",
        mark: mark.as_ref(),
        target: target(view, local),
        ..CodeShape::default()
    };
    if view.text.len() > EDITED_BYTES {
        ui.weak("This file is too long to be edited here; changes made in another editor are taken at once");
        return is_file_wanted;
    }
    if code_editor(ui, id, &mut local.text, &shape, &mut local.code) {
        let text = Arc::from(&*local.text);
        let category = Arc::clone(&view.category);
        actions.push(Action::Scripts(ScriptAction::Edit { category, revision: view.revision, text }));
    }
    is_file_wanted
}

/// Takes the session's text where it is another than the one typed; undo brings back the old one.
fn take_text(ui: &egui::Ui, id: Id, view: &EditorView, local: &mut EditorLocal) {
    let of = (Arc::clone(&view.category), view.revision);
    if local.of.as_ref() == Some(&of) {
        return;
    }
    let is_same_reducer = local.of.as_ref().is_some_and(|(category, _)| *category == view.category);
    let old = std::mem::replace(&mut local.text, view.text.to_string());
    local.of = Some(of);
    if is_same_reducer && old != local.text {
        keep_for_undo(ui, id, old);
    }
}

/// Where the editor is to go: what was clicked here, or what the session asks for.
fn target(view: &EditorView, local: &mut EditorLocal) -> Option<(u64, u32, u32)> {
    let asked = view.target.filter(|(number, ..)| *number > local.seen_target);
    if let Some((number, ..)) = asked {
        local.seen_target = number;
    }
    let (line, column) = local.clicked.take().or_else(|| asked.map(|(_, line, column)| (line, column)))?;
    local.target += 1;
    Some((local.target, line, column))
}

fn head_ui(ui: &mut egui::Ui, view: &EditorView, scripts: &ScriptsView, actions: &mut Vec<Action>) -> bool {
    let mut is_file_wanted = false;
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&view.file).font(theme::strong())).on_hover_text(&view.path);
        if view.is_saving {
            ui.weak("saving…");
        } else if view.is_unsaved {
            ui.colored_label(Palette::of(ui).changed.ink, "● unsaved");
        }
        // What cannot be used may be saved again: loading it may have been stopped.
        let is_possible = (view.is_unsaved || view.failure.is_some()) && !view.is_saving;
        let save = ui.add_enabled(is_possible, egui::Button::new("Save"));
        if save.on_hover_text("Write the file and make the states anew (Ctrl+S)").clicked() {
            actions.push(Action::Scripts(ScriptAction::Save));
        }
        ui.menu_button("Reducer", |ui| {
            if ui.button("Use another file…").clicked() {
                is_file_wanted = true;
                ui.close();
            }
            if ui.button("New reducer from the events").clicked() {
                actions.push(Action::Scripts(ScriptAction::Scaffold(Arc::clone(&view.category))));
                ui.close();
            }
            if ui.button("Stop using it").on_hover_text("The file stays").clicked() {
                actions.push(Action::Scripts(ScriptAction::StopUsing(Arc::clone(&view.category))));
                ui.close();
            }
        });
        ui.separator();
        ui.weak("When an event fails");
        for (choice, name) in [(OnFailure::GoOn, "go on"), (OnFailure::Stop, "stop there")] {
            let is_chosen = scripts.on_failure == choice;
            if ui.selectable_label(is_chosen, name).clicked() && !is_chosen {
                actions.push(Action::Scripts(ScriptAction::SetOnFailure(choice)));
            }
        }
    });
    is_file_wanted
}

/// What is to be known or decided, a line each.
fn bars_ui(ui: &mut egui::Ui, view: &EditorView, local: &mut EditorLocal, actions: &mut Vec<Action>) {
    let colours = Palette::of(ui);
    let category = || Arc::clone(&view.category);
    if view.has_conflict {
        bar_ui(ui, colours.changed, |ui| {
            ui.label(format!("{} was changed elsewhere while this text was not saved", view.file));
            if ui.button("Keep mine").on_hover_text("Saving then writes over the other text").clicked() {
                actions.push(Action::Scripts(ScriptAction::KeepMine(category())));
            }
            if ui.button("Take theirs").on_hover_text("Ctrl+Z brings this text back").clicked() {
                actions.push(Action::Scripts(ScriptAction::TakeTheirs(category())));
            }
        });
    }
    if let Some(problem) = &view.problem {
        bar_ui(ui, colours.trouble, |ui| drop(trouble_label(ui, problem.to_string())));
    }
    if let Some(failure) = &view.failure {
        bar_ui(ui, colours.trouble, |ui| {
            icon_label(ui, Icon::Warning, colours.trouble.ink);
            let text = failure.to_string();
            let place = failure.line.map(|line| (line, failure.column.unwrap_or(1)));
            let response = ui.add(egui::Label::new(text).sense(egui::Sense::click()).selectable(false));
            if place.is_some() && response.on_hover_text("Go there").clicked() {
                local.clicked = place;
            }
            if view.is_older_in_use {
                ui.weak("The states are those of the text before");
            }
        });
    }
    if !view.unhandled.is_empty() {
        bar_ui(ui, colours.changed, |ui| {
            ui.label(unhandled_words(&view.unhandled, &view.category));
            if ui.button("Add handlers").on_hover_text("Write handlers for them from their events").clicked()
            {
                actions.push(Action::Scripts(ScriptAction::InsertHandlers(category())));
            }
        });
    }
    if !view.unseen.is_empty() {
        let words = match &*view.unseen {
            [one] => format!(
                "The handler {one} is for an event type that {} does not have",
                quoted(&view.category)
            ),
            many => format!(
                "The handlers {} are for event types that {} does not have",
                names(many),
                quoted(&view.category)
            ),
        };
        ui.weak(words);
    }
}

fn bar_ui(ui: &mut egui::Ui, tone: Tone, add: impl FnOnce(&mut egui::Ui)) {
    let frame = egui::Frame::new().fill(tone.ground).corner_radius(theme::ROUND);
    frame.inner_margin(egui::Margin::symmetric(8, 3)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            ui.visuals_mut().override_text_color = Some(tone.ink);
            add(ui);
        });
    });
}

fn unhandled_words(types: &[Arc<str>], category: &str) -> String {
    let (category, list) = (quoted(category), names(types));
    match types.len() {
        1 => format!("1 event type of {category} has no handler: {list}"),
        count => format!("{count} event types of {category} have no handler: {list}"),
    }
}

fn quoted(category: &str) -> String {
    if category.is_empty() { "streams without a category".to_owned() } else { format!("`{category}`") }
}

fn names(names: &[Arc<str>]) -> String {
    let mut list: Vec<&str> = names.iter().take(NAMES).map(|name| &**name).collect();
    if names.len() > NAMES {
        list.push("…");
    }
    list.join(", ")
}
