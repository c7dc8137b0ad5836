//! Two points or two streams side by side.

use crate::{
    session::{action::Action, view::CompareView},
    ui::widgets::{empty::empty_panel, icon::Icon},
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct CompareLocal {}

/// The panel.
pub fn compare_ui(ui: &mut egui::Ui, _: &CompareView, _: &mut CompareLocal, _: &mut Vec<Action>) {
    empty_panel(ui, Icon::Search, "Compare", "Nothing here yet", None);
}
