//! Blame: which events wrote a value.

use crate::{
    session::{action::Action, view::BlameView},
    ui::widgets::{empty::empty_panel, icon::Icon},
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct BlameLocal {}

/// The panel.
pub fn blame_ui(ui: &mut egui::Ui, _: &BlameView, _: &mut BlameLocal, _: &mut Vec<Action>) {
    empty_panel(ui, Icon::Search, "Why", "Nothing here yet", None);
}
