//! Conditions: running forward and backward to where something holds.

use crate::{
    session::{action::Action, view::ConditionsView},
    ui::widgets::{empty::empty_panel, icon::Icon},
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct ConditionsLocal {}

/// The panel.
pub fn conditions_ui(ui: &mut egui::Ui, _: &ConditionsView, _: &mut ConditionsLocal, _: &mut Vec<Action>) {
    empty_panel(ui, Icon::Search, "Conditions", "Nothing here yet", None);
}
