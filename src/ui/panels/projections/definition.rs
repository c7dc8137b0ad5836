//! The source of a projection, to be read and edited.

use std::sync::Arc;

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
            code_editor::{CodeShape, CodeState, Mark, code_editor, keep_for_undo},
            empty::empty_panel,
            icon::Icon,
        },
    },
};

/// What this part of the panel remembers.
#[derive(Default)]
pub(super) struct DefinitionLocal {
    text: String,
    /// Which file's text that is, and which revision.
    of: Option<(String, u64)>,
    code: CodeState,
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
    let id = Id::unique(("definition text", &detail.path));
    let editor = &mut local.definition;
    take_text(ui, id, detail, detail.draft.as_ref().unwrap_or(text), editor);
    head_ui(ui, detail, text, actions);
    let mark = detail.error.as_ref().map(|error| Mark {
        line: error.line,
        column: 1,
        message: error.message.clone(),
    });
    let is_edited = detail.draft.is_some();
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
    if code_editor(ui, id, &mut editor.text, &shape, &mut editor.code) {
        actions.push(Action::Projections(ProjectionAction::EditText {
            projection: Arc::clone(&detail.name),
            revision: detail.revision,
            text: editor.text.as_str().into(),
        }));
    }
}

/// Takes the session's text where it is another than the one typed; undo brings back the old one.
fn take_text(ui: &Ui, id: Id, detail: &ProjectionDetail, text: &str, local: &mut DefinitionLocal) {
    let of = (detail.path.clone(), detail.revision);
    if local.of.as_ref() == Some(&of) {
        return;
    }
    let is_same_file = local.of.as_ref().is_some_and(|(path, _)| *path == detail.path);
    let old = std::mem::replace(&mut local.text, text.to_owned());
    local.of = Some(of);
    if is_same_file && old != local.text {
        keep_for_undo(ui, id, old);
    }
}

fn head_ui(ui: &mut Ui, detail: &ProjectionDetail, text: &Arc<str>, actions: &mut Vec<Action>) {
    let name = || Arc::clone(&detail.name);
    let mut asked = Vec::new();
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&detail.file).font(theme::strong())).on_hover_text(&detail.path);
        if detail.is_writing {
            ui.weak("saving…");
        } else if detail.draft.is_some() {
            ui.colored_label(Palette::of(ui).changed.ink, "● unsaved");
        }
        let can_save = detail.draft.is_some() && !detail.is_writing && !detail.has_conflict;
        let save = ui.add_enabled(can_save, egui::Button::new("Save definition"));
        let save = save.on_hover_text("Write the file; a rebuild uses the new text");
        if let (true, Some(draft)) = (save.clicked(), &detail.draft) {
            asked.push(ProjectionAction::SaveText {
                projection: name(),
                text: Arc::clone(draft),
                known: Arc::clone(text),
            });
        }
        let is_edited = detail.draft.is_some();
        if is_edited && ui.button("Revert").on_hover_text("Back to what the file holds").clicked() {
            asked.push(ProjectionAction::RevertText(name()));
        }
        ui.weak("Changes made in your own editor are taken at once");
    });
    let colours = Palette::of(ui);
    if detail.has_conflict {
        note_ui(ui, colours.changed, |ui| {
            ui.label(format!("{} was changed elsewhere while this text was not saved", detail.file));
            if ui.button("Keep mine").on_hover_text("Saving then writes over the other text").clicked() {
                asked.push(ProjectionAction::KeepText(name()));
            }
            if ui.button("Take theirs").clicked() {
                asked.push(ProjectionAction::RevertText(name()));
            }
        });
    }
    actions.extend(asked.into_iter().map(Action::Projections));
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
