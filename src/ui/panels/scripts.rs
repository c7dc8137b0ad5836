//! Reducers: which category has which, and the editor of one.

use std::sync::Arc;

use egui::{RichText, Sense, vec2};

use crate::{
    session::{
        action::{Action, CursorAction, ScriptAction},
        view::{CategoryLine, ScriptsView, grouped},
    },
    ui::{
        panels::scripts_editor::{self, EditorLocal},
        theme::{self, Palette},
        widgets::{empty::empty_panel, icon::Icon},
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct ScriptsLocal {
    editor: EditorLocal,
    /// A file is to be asked for, for this category.
    pub wants_file: Option<Arc<str>>,
}

/// Categories on the left, the editor beside them, failed steps below.
pub fn scripts_ui(
    ui: &mut egui::Ui,
    view: &ScriptsView,
    local: &mut ScriptsLocal,
    actions: &mut Vec<Action>,
) {
    if view.lines.is_empty() {
        empty_panel(
            ui,
            Icon::Hourglass,
            "No categories yet",
            "They appear when the events are indexed",
            None,
        );
        return;
    }
    egui::Panel::left("reducer categories").resizable(true).default_size(150.0).show(ui, |ui| {
        categories_ui(ui, view, actions);
    });
    if view.failure_count > 0 {
        egui::Panel::bottom("failed steps").resizable(true).default_size(110.0).show(ui, |ui| {
            failures_ui(ui, view, actions);
        });
    }
    let Some(shown) = &view.shown else { return };
    egui::Frame::new().inner_margin(egui::Margin { left: 8, ..egui::Margin::ZERO }).show(ui, |ui| {
        reducer_ui(ui, shown, view, local, actions);
    });
}

fn reducer_ui(
    ui: &mut egui::Ui,
    shown: &Arc<str>,
    view: &ScriptsView,
    local: &mut ScriptsLocal,
    actions: &mut Vec<Action>,
) {
    match &view.editor {
        Some(editor) => {
            let is_asked = scripts_editor::editor_ui(ui, editor, view, &mut local.editor, actions);
            if is_asked {
                local.wants_file = Some(Arc::clone(shown));
            }
        }
        None => no_reducer_ui(ui, shown, view, local, actions),
    }
}

/// The name of a category for people.
pub(crate) fn category_name(category: &str) -> &str {
    if category.is_empty() { "(no category)" } else { category }
}

fn categories_ui(ui: &mut egui::Ui, view: &ScriptsView, actions: &mut Vec<Action>) {
    const HEIGHT: f32 = 38.0;
    egui::ScrollArea::vertical().auto_shrink(false).show_rows(ui, HEIGHT, view.lines.len(), |ui, rows| {
        for line in view.lines.get(rows).unwrap_or_default() {
            let is_shown = view.shown.as_ref() == Some(&line.category);
            if category_ui(ui, line, is_shown, HEIGHT) {
                actions.push(Action::Scripts(ScriptAction::Show(Arc::clone(&line.category))));
            }
        }
    });
}

/// Draws a category with its reducer below its name; tells whether it was clicked.
fn category_ui(ui: &mut egui::Ui, line: &CategoryLine, is_shown: bool, height: f32) -> bool {
    let colours = Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::CLICK);
    let name = category_name(&line.category);
    let (words, ink) = line_words(line, colours);
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::Button, true, is_shown, format!("{name}: {words}"))
    });
    let ground = if is_shown { Some(colours.selection) } else { response.hovered().then_some(colours.hover) };
    if let Some(ground) = ground {
        ui.painter().rect_filled(rect, f32::from(theme::ROUND), ground);
    }
    let painter = ui.painter().with_clip_rect(rect.shrink2(vec2(6.0, 0.0)));
    let left = rect.left() + 8.0;
    let middle = rect.center().y;
    painter.text(
        egui::pos2(left, middle - 1.0),
        egui::Align2::LEFT_BOTTOM,
        name,
        theme::body(),
        colours.text,
    );
    painter.text(egui::pos2(left, middle + 1.0), egui::Align2::LEFT_TOP, &words, theme::small(), ink);
    response.on_hover_text(words.as_str()).clicked()
}

fn line_words(line: &CategoryLine, colours: &Palette) -> (String, egui::Color32) {
    let Some(file) = &line.file else { return ("merged".to_owned(), colours.faint) };
    let unsaved = if line.is_unsaved { ", unsaved" } else { "" };
    if !line.is_known {
        return (format!("{file}: the store has no such category"), colours.trouble.ink);
    }
    match (&line.trouble, line.unhandled) {
        (Some(trouble), _) => (format!("{file}{unsaved}: {trouble}"), colours.trouble.ink),
        (None, 0) => (format!("{file}{unsaved}"), colours.soft),
        (None, count) => (format!("{file}{unsaved}: {count} unhandled"), colours.changed.ink),
    }
}

fn no_reducer_ui(
    ui: &mut egui::Ui,
    category: &Arc<str>,
    view: &ScriptsView,
    local: &mut ScriptsLocal,
    actions: &mut Vec<Action>,
) {
    if view.is_scaffolding {
        empty_panel(ui, Icon::Hourglass, "Looking at the events…", "", None);
        return;
    }
    let name = category_name(category);
    let title = format!("No reducer for {name}");
    let hint = "Its states are the merge of all event data. A reducer in JavaScript makes them as your application \
                does; one can be written from the events to start with";
    ui.horizontal_wrapped(|ui| {
        if ui.button("Use a file…").on_hover_text("Use a reducer or projection that you have").clicked() {
            local.wants_file = Some(Arc::clone(category));
        }
    });
    if empty_panel(ui, Icon::Plus, &title, hint, Some("New reducer from the events")) {
        actions.push(Action::Scripts(ScriptAction::Scaffold(Arc::clone(category))));
    }
}

fn failures_ui(ui: &mut egui::Ui, view: &ScriptsView, actions: &mut Vec<Action>) {
    let colours = Palette::of(ui);
    let count = view.failure_count as u64;
    let steps = if count == 1 { "1 step".to_owned() } else { format!("{} steps", grouped(count)) };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(format!("{steps} of this history failed")).font(theme::strong()));
        if view.failures.len() < view.failure_count {
            ui.weak(format!("The first {} are listed", grouped(view.failures.len() as u64)));
        }
    });
    let area = egui::ScrollArea::vertical().id_salt("failed steps").auto_shrink(false);
    area.show_rows(ui, theme::ROW, view.failures.len(), |ui, rows| {
        for line in view.failures.get(rows).unwrap_or_default() {
            let text = format!("{}   {}", line.label, line.failure);
            let label = egui::Label::new(RichText::new(&text).color(colours.trouble.ink)).truncate();
            let row = ui.horizontal(|ui| {
                ui.set_height(theme::ROW);
                ui.add(label.sense(Sense::click()).selectable(false))
            });
            let response = row.inner;
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &text));
            if response.on_hover_text("Go to this event").clicked() {
                actions.push(Action::Cursor(CursorAction::ToCount(line.count)));
            }
        }
    });
}
