//! Bookmarks with notes, and the places gone to.

use egui::{RichText, ScrollArea, TextEdit};

use crate::{
    session::{
        action::{Action, BookmarkAction},
        view::{BookmarksView, PlaceRow},
    },
    ui::{
        theme::Palette,
        widgets::{
            empty::empty_panel,
            icon::{Icon, icon_button},
        },
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct BookmarksLocal {
    /// The note that is being written, and the bookmark it is of.
    note: Option<(usize, String)>,
    shows_trail: bool,
}

/// The bookmarks, or the places gone to.
pub fn bookmarks_ui(
    ui: &mut egui::Ui,
    view: &BookmarksView,
    local: &mut BookmarksLocal,
    actions: &mut Vec<Action>,
) {
    let mut asked = Vec::new();
    ui.horizontal_wrapped(|ui| {
        for (shows_trail, name) in [(false, "Bookmarks"), (true, "Places gone to")] {
            if ui.selectable_label(local.shows_trail == shows_trail, name).clicked() {
                local.shows_trail = shows_trail;
            }
        }
        let name = if view.here.is_some() { "Let this place go" } else { "Keep this place" };
        let button = egui::Button::new(name);
        if ui.add_enabled(view.can_add, button).on_hover_text("The cursor's place (Ctrl+D)").clicked() {
            asked.push(BookmarkAction::Toggle);
        }
        if let Some(undo) = &view.undo
            && ui.button("Undo").on_hover_text(format!("Bring the bookmark back: {undo}")).clicked()
        {
            asked.push(BookmarkAction::Undo);
        }
    });
    if local.shows_trail {
        trail_ui(ui, &view.trail, &mut asked);
    } else {
        rows_ui(ui, view, local, &mut asked);
    }
    actions.extend(asked.into_iter().map(Action::Bookmarks));
}

fn rows_ui(
    ui: &mut egui::Ui,
    view: &BookmarksView,
    local: &mut BookmarksLocal,
    asked: &mut Vec<BookmarkAction>,
) {
    if view.rows.is_empty() {
        empty_panel(ui, Icon::Pin, "No bookmarks", "Ctrl+D keeps the cursor's place; a note says why", None);
        return;
    }
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        for (place, row) in view.rows.iter().enumerate() {
            ui.horizontal_wrapped(|ui| {
                if place_ui(ui, row, view.here == Some(place)) {
                    asked.push(BookmarkAction::GoTo(place));
                }
                let name = format!("Remove the bookmark at {} {}", row.stream, row.place);
                if icon_button(ui, Icon::Close, &name).clicked() {
                    asked.push(BookmarkAction::Remove(place));
                }
            });
            asked.extend(note_ui(ui, place, row, local));
        }
    });
}

/// The note of a bookmark, written in place; what is to be kept when the field is left.
fn note_ui(
    ui: &mut egui::Ui,
    place: usize,
    row: &PlaceRow,
    local: &mut BookmarksLocal,
) -> Option<BookmarkAction> {
    let mut text = match &local.note {
        Some((of, text)) if *of == place => text.clone(),
        _ => row.note.to_string(),
    };
    let field = TextEdit::singleline(&mut text).hint_text("A note").desired_width(f32::INFINITY);
    let response = ui.add(field);
    let name = format!("Note at {} {}", row.stream, row.place);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, &name));
    if response.changed() {
        local.note = Some((place, text));
    }
    if !response.lost_focus() {
        return None;
    }
    let (of, text) = local.note.take()?;
    (of == place).then_some(BookmarkAction::Note(place, text))
}

fn trail_ui(ui: &mut egui::Ui, rows: &[PlaceRow], asked: &mut Vec<BookmarkAction>) {
    if rows.is_empty() {
        let hint = "Every jump leaves the place before here; Alt+← goes back";
        empty_panel(ui, Icon::Hourglass, "Nowhere yet", hint, None);
        return;
    }
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        for (place, row) in rows.iter().enumerate() {
            ui.horizontal_wrapped(|ui| {
                if place_ui(ui, row, false) {
                    asked.push(BookmarkAction::Return(place));
                }
                ui.weak(&*row.note);
            });
        }
    });
}

/// Stream, place and time; tells whether the user wants to go there.
fn place_ui(ui: &mut egui::Ui, row: &PlaceRow, is_here: bool) -> bool {
    let stream = if row.stream.is_empty() { "Whole store" } else { &*row.stream };
    let text = RichText::new(format!("{stream}  {}", row.place));
    if let Some(trouble) = &row.trouble {
        ui.add_enabled(false, egui::Button::new(text.weak()));
        ui.colored_label(Palette::of(ui).faint, trouble);
        return false;
    }
    let response = ui.selectable_label(is_here, text).on_hover_text("Go there");
    ui.weak(&row.time);
    response.clicked()
}
