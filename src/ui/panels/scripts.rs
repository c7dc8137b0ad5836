//! Reducers in JavaScript: which make the state, their source, what is wrong with it.

use crate::{
    session::{action::Action, view::ScriptsView},
    ui::widgets::{empty::empty_panel, icon::Icon},
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct ScriptsLocal {}

/// The panel.
pub fn scripts_ui(ui: &mut egui::Ui, _: &ScriptsView, _: &mut ScriptsLocal, _: &mut Vec<Action>) {
    empty_panel(ui, Icon::Search, "Reducer", "Nothing here yet", None);
}
