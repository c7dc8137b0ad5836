//! What a projection emitted, logged and could not handle.

use crate::session::{action::Action, view::ProjectionsView};

/// What this part of the panel remembers.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct OutputLocal {}

pub(super) fn output_ui(_: &mut egui::Ui, _: &ProjectionsView, _: &mut OutputLocal, _: &mut Vec<Action>) {}
