//! The projections of a store: the list, and one of them in detail.

pub mod drift;
mod output;
mod rows;

use crate::{
    session::{action::Action, view::View},
    ui::widgets::{empty::empty_panel, icon::Icon},
};

/// What the panel remembers.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ProjectionsLocal {
    /// What is shown of the chosen projection.
    pub detail: Detail,
    rows: rows::RowsLocal,
    output: output::OutputLocal,
    drift: drift::DriftLocal,
}

/// What is shown of the chosen projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Detail {
    /// Its read model at the cursor.
    #[default]
    Rows,
    /// Where the stored table is another.
    Drift,
    /// What it wrote, logged and could not handle.
    Output,
}

/// List and detail.
pub fn projections_ui(
    ui: &mut egui::Ui,
    view: &View,
    local: &mut ProjectionsLocal,
    actions: &mut Vec<Action>,
) {
    if view.projections.chosen.is_none() {
        empty_panel(ui, Icon::Info, "No projections", "Add a definition in SQL or JavaScript", None);
        return;
    }
    match local.detail {
        Detail::Rows => rows::rows_ui(ui, &view.projections, &mut local.rows, actions),
        Detail::Drift => drift::drift_ui(ui, &view.drift, &mut local.drift, actions),
        Detail::Output => output::output_ui(ui, &view.projections, &mut local.output, actions),
    }
}
