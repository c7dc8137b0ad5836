//! Where the stored table is another than the rebuilt one.

use crate::session::{action::Action, view::DriftView};

/// What this part of the panel remembers.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct DriftLocal {}

pub(super) fn drift_ui(_: &mut egui::Ui, _: &DriftView, _: &mut DriftLocal, _: &mut Vec<Action>) {}
