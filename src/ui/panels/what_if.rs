//! What-if: branches of a history, beside the truth.

use crate::{
    session::{action::Action, view::WhatIfView},
    ui::widgets::{empty::empty_panel, icon::Icon},
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct WhatIfLocal {}

/// The panel.
pub fn what_if_ui(ui: &mut egui::Ui, _: &WhatIfView, _: &mut WhatIfLocal, _: &mut Vec<Action>) {
    empty_panel(ui, Icon::Search, "What-if", "Nothing here yet", None);
}
