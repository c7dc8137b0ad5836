//! What-if: branches of a history, beside the truth.

use std::{path::PathBuf, sync::Arc};

use egui::{RichText, ScrollArea, TextEdit, WidgetInfo};

use crate::{
    replay::BranchReducer,
    session::{
        action::{Action, CompareAction, WhatIfAction},
        estimates::with_estimate,
        view::{BranchRow, EditRow, OutcomeView, WhatIfView},
        what_if::{DraftTexts, ExportKind, content_of},
    },
    ui::{
        panels::diff::changes_ui,
        theme::Palette,
        widgets::{
            diff::DiffState,
            empty::empty_panel,
            icon::{Icon, icon_button, trouble_label},
        },
    },
};

/// A longer text would make every frame slow.
const SHOWN_BYTES: usize = 200_000;

/// What the panel keeps for itself.
#[derive(Default)]
pub struct WhatIfLocal {
    /// The name that is being typed, and the branch it is of.
    name: Option<(usize, String)>,
    /// The number of the draft whose texts these are.
    draft: u64,
    texts: DraftTexts,
    trouble: Option<String>,
    reducer: String,
    shows_end: bool,
    list: DiffState,
    path: String,
}

/// Branches, the edits of the chosen one, and what came of them.
pub fn what_if_ui(ui: &mut egui::Ui, view: &WhatIfView, local: &mut WhatIfLocal, actions: &mut Vec<Action>) {
    let mut asked = Vec::new();
    if view.branches.is_empty() && view.draft.is_none() {
        let button = (!view.stream.is_empty()).then_some("New branch");
        let hint = "Right-click an event to leave it out, edit it, or put another beside it. Your database stays as it is";
        if empty_panel(ui, Icon::Hourglass, "What if it had gone otherwise?", hint, button) {
            asked.push(WhatIfAction::New);
        }
        if view.can_undo && ui.button("Undo").on_hover_text("Bring the last branch back").clicked() {
            asked.push(WhatIfAction::Undo);
        }
    } else {
        branches_ui(ui, view, &mut asked);
        if let Some(draft) = &view.draft {
            if local.draft != draft.number {
                local.draft = draft.number;
                local.texts = draft.texts.clone();
                local.trouble = None;
            }
            let trouble = draft.trouble.as_ref().filter(|_| local.texts == draft.texts);
            let trouble = local.trouble.clone().or_else(|| trouble.cloned());
            let estimate = view.estimate.as_ref();
            draft_ui(ui, (&draft.title, draft.is_move, estimate), trouble.as_deref(), local, &mut asked);
        } else if let Some((kind, text)) = &view.export {
            export_ui(ui, *kind, text, local, &mut asked);
        } else if let Some(branch) = view.chosen.and_then(|chosen| view.branches.get(chosen)) {
            branch_ui(ui, view, branch, local, (&mut asked, actions));
        } else {
            ui.weak("Choose a branch");
        }
    }
    actions.extend(asked.into_iter().map(Action::WhatIf));
}

fn branches_ui(ui: &mut egui::Ui, view: &WhatIfView, asked: &mut Vec<WhatIfAction>) {
    ui.horizontal_wrapped(|ui| {
        let truth = ui.selectable_label(!view.is_standing, "Truth");
        if truth.on_hover_text("Show what was recorded").clicked() && view.is_standing {
            asked.push(WhatIfAction::StandOnTruth);
        }
        for (place, branch) in view.branches.iter().enumerate() {
            let is_shown = view.is_standing && view.chosen == Some(place);
            let text = if branch.is_here {
                branch.name.to_string()
            } else {
                format!("{} · {}", branch.name, branch.stream)
            };
            let text = RichText::new(text);
            let text = if branch.trouble.is_some() { text.weak().strikethrough() } else { text };
            let edits = branch.edits;
            let help = branch.trouble.clone().unwrap_or_else(|| {
                format!(
                    "Show this branch of {}: {edits} edit{}",
                    branch.stream,
                    if edits == 1 { "" } else { "s" }
                )
            });
            if ui.selectable_label(is_shown, text).on_hover_text(help).clicked() {
                asked.push(WhatIfAction::Choose(place));
            }
        }
        let can_begin = !view.stream.is_empty();
        if ui
            .add_enabled(can_begin, egui::Button::new("New"))
            .on_hover_text("Begin a branch of this stream")
            .clicked()
        {
            asked.push(WhatIfAction::New);
        }
    });
}

fn branch_ui(
    ui: &mut egui::Ui,
    view: &WhatIfView,
    branch: &BranchRow,
    local: &mut WhatIfLocal,
    (asked, actions): (&mut Vec<WhatIfAction>, &mut Vec<Action>),
) {
    head_ui(ui, view, branch, local, asked);
    if let Some(trouble) = &branch.trouble {
        trouble_label(ui, trouble);
    }
    ui.weak("Recorded decisions are not made again: the events after a change are those that were recorded");
    edits_ui(ui, &view.edits, asked);
    reducer_ui(ui, view, local, asked);
    ui.separator();
    let Some(outcome) = &view.outcome else {
        if branch.trouble.is_none() {
            ui.weak(format!("It is a branch of {}; choose it to see what comes of it", branch.stream));
        }
        return;
    };
    outcome_ui(ui, view, outcome, (asked, actions));
    let again = with_estimate("Compare the branch with the truth", view.estimate.as_ref());
    if let Some(chosen) = view.chosen.filter(|_| outcome.is_stopped)
        && ui.button("Compare again").on_hover_text(again).clicked()
    {
        asked.push(WhatIfAction::Choose(chosen));
    }
    beside_ui(ui, outcome, local, actions);
}

fn head_ui(
    ui: &mut egui::Ui,
    view: &WhatIfView,
    branch: &BranchRow,
    local: &mut WhatIfLocal,
    asked: &mut Vec<WhatIfAction>,
) {
    ui.horizontal(|ui| {
        let mut text = match &local.name {
            Some((of, text)) if Some(*of) == view.chosen => text.clone(),
            _ => branch.name.to_string(),
        };
        let response = ui.add(TextEdit::singleline(&mut text).desired_width(180.0));
        response.widget_info(|| WidgetInfo::labeled(egui::Role::TextInput, true, "Name of the branch"));
        if response.changed() {
            local.name = view.chosen.map(|chosen| (chosen, text));
        }
        if response.lost_focus()
            && let Some((chosen, text)) = local.name.take()
        {
            asked.push(WhatIfAction::Rename(chosen, text));
        }
        for (name, help, is_possible, action) in [
            ("Undo", "Take the last change back", view.can_undo, WhatIfAction::Undo),
            ("Redo", "Do it again", view.can_redo, WhatIfAction::Redo),
        ] {
            let help = with_estimate(help, view.estimate.as_ref());
            if ui.add_enabled(is_possible, egui::Button::new(name)).on_hover_text(help).clicked() {
                asked.push(action);
            }
        }
        if let Some(chosen) = view.chosen
            && ui.button("Remove branch").on_hover_text("Undo brings it back").clicked()
        {
            asked.push(WhatIfAction::Remove(chosen));
        }
    });
}

fn edits_ui(ui: &mut egui::Ui, edits: &[EditRow], asked: &mut Vec<WhatIfAction>) {
    if edits.is_empty() {
        ui.weak("No edits yet: right-click an event to leave it out, edit it, or put another beside it");
    }
    for (place, edit) in edits.iter().enumerate() {
        ui.horizontal_wrapped(|ui| {
            let mut is_on = edit.is_on;
            let mut words = edit.words.clone();
            if let Some(first) = words.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            if ui.checkbox(&mut is_on, &words).on_hover_text("Whether this counts").changed() {
                asked.push(WhatIfAction::ToggleEdit(place));
            }
            if edit.can_revise && ui.small_button("Change…").clicked() {
                asked.push(WhatIfAction::Revise(place));
            }
            if icon_button(ui, Icon::Close, &format!("Take away: {}", edit.words)).clicked() {
                asked.push(WhatIfAction::RemoveEdit(place));
            }
            if let Some(misfit) = &edit.misfit {
                trouble_label(ui, format!("not applied: {misfit}"));
            }
        });
    }
}

fn reducer_ui(ui: &mut egui::Ui, view: &WhatIfView, local: &mut WhatIfLocal, asked: &mut Vec<WhatIfAction>) {
    ui.horizontal_wrapped(|ui| {
        let title = match &view.reducer {
            BranchReducer::Same => "Reducer: as for the truth ▾".to_owned(),
            BranchReducer::Merge => "Reducer: merge ▾".to_owned(),
            BranchReducer::File(path) => format!("Reducer: {path} ▾"),
        };
        ui.menu_button(title, |ui| {
            ui.set_min_width(260.0);
            for (name, reducer) in
                [("As for the truth", BranchReducer::Same), ("The built-in merge", BranchReducer::Merge)]
            {
                if ui.selectable_label(view.reducer == reducer, name).clicked() {
                    asked.push(WhatIfAction::UseReducer(reducer));
                    ui.close();
                }
            }
            let label = ui.label("Another file");
            let field =
                TextEdit::singleline(&mut local.reducer).hint_text("reducers/order.js").desired_width(240.0);
            let entered = ui.add(field).labelled_by(label.id).lost_focus()
                && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let path = local.reducer.trim();
            if (ui.add_enabled(!path.is_empty(), egui::Button::new("Use this file")).clicked() || entered)
                && !path.is_empty()
            {
                asked.push(WhatIfAction::UseReducer(BranchReducer::File(path.into())));
                ui.close();
            }
        });
        if let Some(trouble) = &view.reducer_trouble {
            trouble_label(ui, format!("not used: {trouble}"));
        }
    });
}

fn outcome_ui(
    ui: &mut egui::Ui,
    view: &WhatIfView,
    outcome: &OutcomeView,
    (asked, actions): (&mut Vec<WhatIfAction>, &mut Vec<Action>),
) {
    ui.label(RichText::new(&outcome.parting).strong());
    let [truth, branch] = outcome.failed;
    if branch > 0 || truth > 0 {
        let text = format!("Events that could not be applied: {truth} in the truth, {branch} in the branch");
        ui.colored_label(Palette::of(ui).trouble.ink, text);
    }
    ui.horizontal_wrapped(|ui| {
        if ui.add_enabled(outcome.has_parted, egui::Button::new("Go where it parts")).clicked() {
            asked.push(WhatIfAction::GoToParting);
        }
        let beside = with_estimate("Compare the truth and the branch step by step", view.estimate.as_ref());
        if ui.button("Side by side").on_hover_text(beside).clicked() {
            actions.push(Action::Compare(CompareAction::TakeBranch));
        }
        for (name, kind, estimate) in [
            // Of the other streams only the first events are looked at.
            ("Compensating events…", ExportKind::Compensation, None),
            ("Test case…", ExportKind::Case, view.case_estimate.as_ref()),
        ] {
            if ui.button(name).on_hover_text(with_estimate(kind.title(), estimate)).clicked() {
                asked.push(WhatIfAction::Export(kind));
            }
        }
    });
}

fn beside_ui(ui: &mut egui::Ui, outcome: &OutcomeView, local: &mut WhatIfLocal, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        for (shows_end, name) in [(false, "At the cursor"), (true, "At the end")] {
            if ui.selectable_label(local.shows_end == shows_end, name).clicked() {
                local.shows_end = shows_end;
            }
        }
        if !local.shows_end {
            let (truth, branch) = &outcome.places;
            ui.weak(format!("truth {truth} → branch {branch}"));
        }
    });
    let changes = if local.shows_end { &outcome.at_end } else { &outcome.at_cursor };
    match changes {
        None => {
            ui.weak("Comparing…");
        }
        Some(changes) if changes.is_empty() => {
            let hint = "The truth and the branch hold the same state here";
            empty_panel(ui, Icon::Check, "No difference", hint, None);
        }
        Some(changes) => {
            changes_ui(ui, "Truth to branch", changes, &mut local.list, actions);
        }
    }
}

fn draft_ui(
    ui: &mut egui::Ui,
    (title, is_move, estimate): (&str, bool, Option<&Arc<str>>),
    trouble: Option<&str>,
    local: &mut WhatIfLocal,
    asked: &mut Vec<WhatIfAction>,
) {
    ui.heading(title);
    let mut is_changed = false;
    let mut line = |ui: &mut egui::Ui, name: &str, text: &mut String| {
        ui.horizontal(|ui| {
            let label = ui.label(name);
            is_changed |=
                ui.add(TextEdit::singleline(text).desired_width(220.0)).labelled_by(label.id).changed();
        });
    };
    if is_move {
        line(ui, "After version (or start)", &mut local.texts.after);
    } else {
        line(ui, "Event type", &mut local.texts.event_type);
    }
    ui.horizontal(|ui| {
        let apply = egui::Button::new(RichText::new("Apply to the branch").strong());
        let help = with_estimate("The branch is then compared with the truth", estimate);
        if ui.add_enabled(trouble.is_none(), apply).on_hover_text(help).clicked() {
            asked.push(WhatIfAction::ApplyDraft(local.texts.clone()));
        }
        if ui.button("Leave as it was").clicked() {
            asked.push(WhatIfAction::DropDraft);
        }
    });
    match trouble {
        Some(trouble) => trouble_label(ui, trouble),
        None if is_move => ui.weak("The event then stands after that one"),
        None => ui.weak("It is kept in the branch alone; the database stays as it is"),
    };
    if let Some(words) = estimate {
        ui.weak(&**words);
    }
    if !is_move {
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            for (name, text, rows) in [
                ("Data (JSON)", &mut local.texts.data, 12),
                ("Metadata (JSON, may be empty)", &mut local.texts.metadata, 3),
            ] {
                let label = ui.label(name);
                let field =
                    TextEdit::multiline(text).code_editor().desired_rows(rows).desired_width(f32::INFINITY);
                is_changed |= ui.add(field).labelled_by(label.id).changed();
            }
        });
    }
    if is_changed {
        local.trouble = if is_move { None } else { content_of(&local.texts).err() };
    }
}

fn export_ui(
    ui: &mut egui::Ui,
    kind: ExportKind,
    text: &str,
    local: &mut WhatIfLocal,
    asked: &mut Vec<WhatIfAction>,
) {
    ui.heading(kind.title());
    ui.horizontal_wrapped(|ui| {
        if ui.button("Copy").clicked() {
            ui.ctx().copy_text(text.to_owned());
        }
        let label = ui.label("File");
        let field = TextEdit::singleline(&mut local.path).hint_text("/path/to/new.json").desired_width(220.0);
        ui.add(field).labelled_by(label.id);
        let path = local.path.trim();
        if ui.add_enabled(!path.is_empty(), egui::Button::new("Save")).clicked() {
            asked.push(WhatIfAction::SaveExport(PathBuf::from(path)));
        }
        if ui.button("Close").clicked() {
            asked.push(WhatIfAction::CloseExport);
        }
    });
    let mut shown = text;
    if text.len() > SHOWN_BYTES {
        shown = text.get(..text.floor_char_boundary(SHOWN_BYTES)).unwrap_or_default();
        ui.weak("Only the beginning is shown here; what is copied or saved is whole");
    }
    ScrollArea::both().auto_shrink([false, false]).show(ui, |ui| {
        let field = TextEdit::multiline(&mut shown).code_editor().desired_width(f32::INFINITY);
        ui.add(field).widget_info(|| {
            WidgetInfo::labeled(egui::Role::MultilineTextInput, true, "What is written down")
        });
    });
}
