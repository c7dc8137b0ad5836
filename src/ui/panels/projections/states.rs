//! The state of a partition at the cursor, or the one that all partitions share.

use std::sync::Arc;

use egui::Ui;

use crate::{
    model::{Change, Json},
    projection::RowKey,
    session::{
        action::ProjectionAction,
        view::{ModelView, PartitionState},
    },
    ui::widgets::json_tree::{JsonTree, Marks, TreeState, marks_of},
};

/// What this part of the panel remembers.
#[derive(Default)]
pub(super) struct StatesLocal {
    /// Whether the shared state is shown, and not the partition's.
    pub(super) is_shared: bool,
    trees: [TreeState; 2],
    /// The marks, and of which state they are.
    marks: Option<(Arc<PartitionState>, bool, Marks)>,
    asked: Option<(Option<RowKey>, u64, u64)>,
}

pub(super) fn states_ui(
    ui: &mut Ui,
    view: &ModelView,
    local: &mut StatesLocal,
    asked: &mut Vec<ProjectionAction>,
) {
    // A panel is as wide as what stands in it: a text before the first state must not make it narrow.
    ui.set_min_width(ui.available_width());
    let key = view.story.as_ref().map(|story| story.key.clone());
    let wanted = (key, view.at, view.revision);
    if local.asked.as_ref() != Some(&wanted) {
        asked.push(ProjectionAction::ShowState);
        local.asked = Some(wanted);
    }
    let found = view.state.clone().unwrap_or_default();
    ui.horizontal(|ui| {
        for (is_shared, name) in [(false, "State"), (true, "Shared state")] {
            let is_there = if is_shared { found.shared.is_some() } else { view.story.is_some() };
            ui.add_enabled_ui(is_there, |ui| {
                if ui.selectable_label(local.is_shared == is_shared, name).clicked() {
                    local.is_shared = is_shared;
                }
            });
        }
    });
    let (state, changes, words) = if local.is_shared {
        (&found.shared, &found.shared_changes, "There is no shared state yet")
    } else {
        (&found.state, &found.changes, "There is no such partition yet")
    };
    match state {
        Some(state) => tree_ui(ui, &found, (state, changes), local),
        None => drop(ui.weak(words)),
    }
}

fn tree_ui(ui: &mut Ui, found: &Arc<PartitionState>, of: (&Json, &[Change]), local: &mut StatesLocal) {
    let is_known = local
        .marks
        .as_ref()
        .is_some_and(|(known, is_shared, _)| Arc::ptr_eq(known, found) && *is_shared == local.is_shared);
    if !is_known {
        local.marks = Some((Arc::clone(found), local.is_shared, marks_of(of.1)));
    }
    let none = Marks::new();
    let marks = local.marks.as_ref().map_or(&none, |(.., marks)| marks);
    let name = if local.is_shared { "Shared state" } else { "State of the partition" };
    let [own, shared] = &mut local.trees;
    let tree = if local.is_shared { shared } else { own };
    JsonTree::new(name, of.0).marks(marks).show(ui, tree);
}
