//! Watches: paths and expressions followed over the whole history.

use crate::{
    session::{action::Action, view::WatchesView},
    ui::widgets::{empty::empty_panel, icon::Icon},
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct WatchesLocal {}

/// The panel.
pub fn watches_ui(ui: &mut egui::Ui, _: &WatchesView, _: &mut WatchesLocal, _: &mut Vec<Action>) {
    empty_panel(ui, Icon::Search, "Watches", "Nothing here yet", None);
}
