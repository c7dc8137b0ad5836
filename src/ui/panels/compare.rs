//! Two points or two streams side by side.

use std::sync::Arc;

use egui::{RichText, TextEdit};

use crate::{
    model::Change,
    session::{
        action::{Action, CompareAction},
        compare::CompareAlign,
        view::{CompareSideView, CompareView, grouped},
    },
    ui::{
        panels::diff::changes_ui,
        widgets::{
            diff::DiffState,
            empty::empty_panel,
            icon::Icon,
            json_tree::{JsonTree, Marks, TreeState, marks_of},
        },
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct CompareLocal {
    names: [String; 2],
    shows_states: bool,
    list: DiffState,
    trees: [TreeState; 2],
    /// The changes that the marks were made of, so that they are made once.
    marked: Option<Arc<Vec<Change>>>,
    marks: Marks,
}

/// Both sides, where they differ, and both states.
pub fn compare_ui(
    ui: &mut egui::Ui,
    view: &CompareView,
    local: &mut CompareLocal,
    actions: &mut Vec<Action>,
) {
    let mut asked = Vec::new();
    for (which, name) in ["Left", "Right"].into_iter().enumerate() {
        side_ui(ui, (which, name), view, local, &mut asked);
    }
    if view.sides.iter().all(Option::is_some) {
        way_ui(ui, view, &mut asked);
        found_ui(ui, view, local, actions);
    } else {
        let hint = "Take two histories: two streams, one stream with its reducer and merged, or the truth and a branch";
        empty_panel(ui, Icon::Search, "Nothing to compare yet", hint, None);
    }
    actions.extend(asked.into_iter().map(Action::Compare));
}

fn side_ui(
    ui: &mut egui::Ui,
    (which, name): (usize, &str),
    view: &CompareView,
    local: &mut CompareLocal,
    asked: &mut Vec<CompareAction>,
) {
    ui.horizontal_wrapped(|ui| {
        ui.strong(name);
        if let Some(side) = view.sides.get(which).and_then(Option::as_ref) {
            chosen_ui(ui, which, side, asked);
            return;
        }
        let shown = egui::Button::new("What is shown");
        if ui
            .add_enabled(view.has_stream, shown)
            .on_hover_text("The history that the window shows now")
            .clicked()
        {
            asked.push(CompareAction::Take(which));
        }
        if let Some(text) = local.names.get_mut(which) {
            let field = TextEdit::singleline(text).hint_text("or a stream's name").desired_width(160.0);
            let response = ui.add(field);
            response.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::TextInput, true, format!("{name} stream"))
            });
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if entered && !text.trim().is_empty() {
                asked.push(CompareAction::TakeStream(which, std::mem::take(text)));
            }
        }
        let help = "The same stream with the built-in merge instead of its reducer";
        if ui.add_enabled(view.has_stream, egui::Button::new("Merged")).on_hover_text(help).clicked() {
            asked.push(CompareAction::TakeMerged(which));
        }
        if which == 1 && view.has_branch && ui.button("Truth and branch").clicked() {
            asked.push(CompareAction::TakeBranch);
        }
    });
}

fn chosen_ui(ui: &mut egui::Ui, which: usize, side: &CompareSideView, asked: &mut Vec<CompareAction>) {
    let chip = egui::Button::new(format!("{}  ×", side.title)).corner_radius(10.0);
    if ui.add(chip).on_hover_text("Take this side away").clicked() {
        asked.push(CompareAction::Clear(which));
    }
    ui.monospace(&side.place);
    ui.weak(&side.event);
    ui.weak(&*side.reducer);
}

fn way_ui(ui: &mut egui::Ui, view: &CompareView, asked: &mut Vec<CompareAction>) {
    ui.horizontal_wrapped(|ui| {
        for (align, name, help) in [
            (CompareAlign::ByVersion, "By version", "As many events behind each"),
            (CompareAlign::ByTime, "By time", "What happened until the same moment"),
        ] {
            ui.add_enabled_ui(view.can_align, |ui| {
                let response = ui.selectable_label(view.align == align, name).on_hover_text(help);
                if response.clicked() && view.align != align {
                    asked.push(CompareAction::Align(align));
                }
            });
        }
        if ui.button("Swap").on_hover_text("Left becomes right").clicked() {
            asked.push(CompareAction::Swap);
        }
        ui.separator();
        let steps = view.steps.unwrap_or_default();
        let (before, after) = view.turns;
        for (name, help, is_possible, action) in [
            ("First difference", "Where they part (Ctrl+Shift+←)", view.has_parted, CompareAction::First),
            ("Previous", "Where other values differ, before this (Ctrl+←)", before, CompareAction::Previous),
            ("Next", "Where other values differ, after this (Ctrl+→)", after, CompareAction::Next),
            ("−1", "One step back", view.step > 0, CompareAction::Step(-1)),
            ("+1", "One step on", view.step < steps, CompareAction::Step(1)),
        ] {
            if ui.add_enabled(is_possible, egui::Button::new(name)).on_hover_text(help).clicked() {
                asked.push(action);
            }
        }
        ui.monospace(format!("step {} of {}", grouped(view.step as u64), grouped(steps as u64)));
    });
    ui.horizontal_wrapped(|ui| {
        if view.is_comparing {
            crate::ui::widgets::busy::busy(ui);
            ui.weak("Comparing…");
        }
        ui.label(RichText::new(&view.summary).strong());
        if view.steps.is_none() && !view.is_comparing {
            ui.weak("The comparison was stopped");
            if ui.button("Compare again").clicked() {
                asked.push(CompareAction::Align(view.align));
            }
        }
    });
}

fn found_ui(ui: &mut egui::Ui, view: &CompareView, local: &mut CompareLocal, actions: &mut Vec<Action>) {
    let Some(changes) = &view.changes else { return };
    ui.horizontal(|ui| {
        for (shows_states, name) in [(false, "Differences"), (true, "Both states")] {
            if ui.selectable_label(local.shows_states == shows_states, name).clicked() {
                local.shows_states = shows_states;
            }
        }
        let count = changes.len() as u64;
        ui.weak(format!("{} difference{}", grouped(count), if count == 1 { "" } else { "s" }));
        if !changes.is_empty() && ui.small_button("Copy as JSON").clicked() {
            let changes = changes.iter().map(Change::to_json);
            ui.ctx().copy_text(crate::model::Json::array(changes).to_pretty());
        }
    });
    if local.shows_states {
        states_ui(ui, view, changes, local);
    } else if changes.is_empty() {
        empty_panel(ui, Icon::Check, "No difference", "Both hold the same state at this step", None);
    } else {
        changes_ui(ui, "Left to right", changes, &mut local.list, actions);
    }
}

fn states_ui(ui: &mut egui::Ui, view: &CompareView, changes: &Arc<Vec<Change>>, local: &mut CompareLocal) {
    if !local.marked.as_ref().is_some_and(|marked| Arc::ptr_eq(marked, changes)) {
        local.marked = Some(Arc::clone(changes));
        local.marks = marks_of(changes);
    }
    let marks = &local.marks;
    ui.columns(2, |columns| {
        let sides = view.sides.iter().zip(["Left state", "Right state"]).zip(&mut local.trees);
        for (which, (((side, name), tree), ui)) in sides.zip(columns).enumerate() {
            let Some(state) = side.as_ref().and_then(|side| side.state.as_ref()) else { continue };
            let shown = JsonTree::new(name, state);
            // What is marked is what left becomes on the right.
            let shown = if which == 1 { shown.marks(marks) } else { shown };
            shown.show(ui, tree);
        }
    });
}
