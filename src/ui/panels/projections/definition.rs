//! The source of a projection, to be read and edited.

use std::{collections::BTreeMap, sync::Arc};

use egui::{Id, RichText, Ui};

use crate::{
    session::{
        action::{Action, ProjectionAction},
        view::ProjectionDetail,
    },
    ui::{
        panels::projections::{FileWish, ProjectionsLocal, head::note_ui},
        theme::{self, Palette},
        widgets::{
            code_editor::{CodeShape, CodeState, Mark, code_editor},
            empty::empty_panel,
            icon::Icon,
        },
    },
};

/// What this part of the panel remembers.
#[derive(Default)]
pub(super) struct DefinitionLocal {
    /// What was typed, by the file's path.
    drafts: BTreeMap<String, Draft>,
    code: CodeState,
}

/// The text in the editor.
struct Draft {
    /// What the file held when typing began.
    known: Arc<str>,
    text: String,
}

/// A longer text would make every frame slow, and was not written by hand.
const EDITED_BYTES: usize = 200_000;

pub(super) fn definition_ui(
    ui: &mut Ui,
    detail: &ProjectionDetail,
    local: &mut ProjectionsLocal,
    actions: &mut Vec<Action>,
) {
    let Some(text) = &detail.text else {
        no_text_ui(ui, detail, local, actions);
        return;
    };
    let drafts = &mut local.definition.drafts;
    let new = || Draft { known: Arc::clone(text), text: text.to_string() };
    let draft = drafts.entry(detail.path.clone()).or_insert_with(new);
    // What was not typed into follows the file; what was saved is no draft any more.
    if *draft.text == *draft.known || *draft.text == **text {
        if *draft.text != **text {
            draft.text = text.to_string();
        }
        draft.known = Arc::clone(text);
    }
    head_ui(ui, detail, text, draft, actions);
    let mark = detail.error.as_ref().map(|error| Mark {
        line: error.line,
        column: 1,
        message: error.message.clone(),
    });
    let is_edited = *draft.text != **text;
    let shape = CodeShape {
        name: "Text of the definition",
        mark: mark.as_ref().filter(|_| !is_edited),
        is_sql: detail.path.to_ascii_lowercase().ends_with(".sql"),
        ..CodeShape::default()
    };
    if text.len() > EDITED_BYTES {
        ui.weak("This file is too long to be edited here; changes made in another editor are taken at once");
        return;
    }
    let id = Id::unique(("definition text", &detail.path));
    code_editor(ui, id, &mut draft.text, &shape, &mut local.definition.code);
}

fn head_ui(
    ui: &mut Ui,
    detail: &ProjectionDetail,
    text: &Arc<str>,
    draft: &mut Draft,
    actions: &mut Vec<Action>,
) {
    let is_edited = *draft.text != **text;
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&detail.file).font(theme::strong())).on_hover_text(&detail.path);
        if detail.is_writing {
            ui.weak("saving…");
        } else if is_edited {
            ui.colored_label(Palette::of(ui).changed.ink, "● unsaved");
        }
        let can_save = is_edited && !detail.is_writing && draft.known == *text;
        let save = ui.add_enabled(can_save, egui::Button::new("Save definition"));
        if save.on_hover_text("Write the file; a rebuild uses the new text").clicked() {
            actions.push(Action::Projections(ProjectionAction::SaveText {
                projection: Arc::clone(&detail.name),
                text: draft.text.as_str().into(),
                known: Arc::clone(&draft.known),
            }));
        }
        if is_edited && ui.button("Revert").on_hover_text("Back to what the file holds").clicked() {
            *draft = Draft { known: Arc::clone(text), text: text.to_string() };
        }
        ui.weak("Changes made in your own editor are taken at once");
    });
    let colours = Palette::of(ui);
    if is_edited && draft.known != *text {
        note_ui(ui, colours.changed, |ui| {
            ui.label(format!("{} was changed elsewhere while this text was not saved", detail.file));
            if ui.button("Keep mine").on_hover_text("Saving then writes over the other text").clicked() {
                draft.known = Arc::clone(text);
            }
            if ui.button("Take theirs").clicked() {
                *draft = Draft { known: Arc::clone(text), text: text.to_string() };
            }
        });
    }
    if let Some(words) = error_words(detail) {
        note_ui(ui, colours.trouble, |ui| drop(ui.label(words)));
    }
}

fn no_text_ui(
    ui: &mut Ui,
    detail: &ProjectionDetail,
    local: &mut ProjectionsLocal,
    actions: &mut Vec<Action>,
) {
    if let Some(problem) = &detail.problem {
        empty_panel(ui, Icon::Warning, "The definition cannot be read", problem, None);
        return;
    }
    if !detail.file.is_empty() {
        empty_panel(ui, Icon::Hourglass, "Reading the definition…", "", None);
        return;
    }
    let title = format!("Nothing defines {}", detail.name);
    if detail.table.is_none() {
        if empty_panel(ui, Icon::Plus, &title, "", Some("Add a definition…")) {
            local.wish = Some(FileWish::Definition);
        }
        return;
    }
    ui.horizontal(|ui| {
        if ui.button("Add a definition…").on_hover_text("Use a file that you have").clicked() {
            local.wish = Some(FileWish::Definition);
        }
    });
    let hint = "A definition to start with can be written: the table as it is declared, and a place for each event type";
    if empty_panel(ui, Icon::Plus, &title, hint, Some("Write a definition for it")) {
        actions.push(Action::Projections(ProjectionAction::Scaffold(Arc::clone(&detail.name))));
    }
}

/// Why the file defines nothing: file and line, directive, what is wrong.
pub(super) fn error_words(detail: &ProjectionDetail) -> Option<String> {
    if let Some(problem) = &detail.problem {
        return Some(problem.to_string());
    }
    let error = detail.error.as_ref()?;
    let directive = error.directive.as_ref().map(|directive| format!(", {directive}")).unwrap_or_default();
    Some(format!("{}:{}{directive}: {}", error.file, error.line, error.message))
}
