//! A read model as of the cursor.

use crate::session::{action::Action, view::ProjectionsView};

/// What this part of the panel remembers.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct RowsLocal {}

pub(super) fn rows_ui(_: &mut egui::Ui, _: &ProjectionsView, _: &mut RowsLocal, _: &mut Vec<Action>) {}
