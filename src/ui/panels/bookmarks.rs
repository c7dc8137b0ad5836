//! Bookmarks with notes, and the places gone to.

use crate::{
    session::{action::Action, view::BookmarksView},
    ui::widgets::{empty::empty_panel, icon::Icon},
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct BookmarksLocal {}

/// The panel.
pub fn bookmarks_ui(ui: &mut egui::Ui, _: &BookmarksView, _: &mut BookmarksLocal, _: &mut Vec<Action>) {
    empty_panel(ui, Icon::Search, "Bookmarks", "Nothing here yet", None);
}
