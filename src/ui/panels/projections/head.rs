//! What there is to do with the chosen projection, and what is to be known of it.

use std::sync::Arc;

use egui::{RichText, Ui};

use crate::{
    projection::OnFailure,
    session::{
        action::{Action, ProjectionAction},
        projections::Extent,
        view::{ProjectionDetail, Stage, grouped},
    },
    ui::{
        panels::projections::{Detail, ProjectionsLocal},
        theme::{self, Palette, Tone},
        widgets::{
            icon::{Icon, icon_label},
            whole::whole_label,
        },
    },
};

/// So many failures are listed at once; the Output tab has all of them.
const FAILURES: usize = 3;

/// Name, tabs, buttons.
pub(super) fn head_ui(
    ui: &mut Ui,
    detail: &ProjectionDetail,
    local: &mut ProjectionsLocal,
    actions: &mut Vec<Action>,
) {
    let mut asked = Vec::new();
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&*detail.name).font(theme::strong()));
        for tab in Detail::ALL {
            if ui.selectable_label(local.detail == tab, tab.title()).clicked() {
                local.detail = tab;
            }
        }
        ui.separator();
        rebuild_ui(ui, detail, local, &mut asked);
    });
    actions.extend(asked.into_iter().map(Action::Projections));
}

fn rebuild_ui(
    ui: &mut Ui,
    detail: &ProjectionDetail,
    local: &ProjectionsLocal,
    asked: &mut Vec<ProjectionAction>,
) {
    let name = || Arc::clone(&detail.name);
    match detail.stage {
        Stage::Idle => {
            // Last in the line, so that nothing else is disabled along; a group of their own would not wrap.
            if !detail.has_definition {
                ui.disable();
            }
            rebuild_menu_ui(ui, detail, asked);
        }
        Stage::Queued | Stage::Running => {
            if ui
                .button("Stop")
                .on_hover_text("What was made so far stays, and can be gone on with")
                .clicked()
            {
                asked.push(ProjectionAction::Stop(name()));
            }
            let pace = detail.slot.and_then(|slot| local.paces.get(&slot)).copied().unwrap_or_default();
            if detail.stage == Stage::Queued {
                ui.weak("waiting for other rebuilds");
            } else {
                if let Some(total) = pace.total {
                    let share = (pace.done as f32 / total.max(1) as f32).clamp(0.0, 1.0);
                    ui.add(egui::ProgressBar::new(share).desired_width(120.0).desired_height(8.0));
                }
                whole_label(ui, &pace.words());
            }
        }
        Stage::Stopping => {
            ui.weak("stopping…");
        }
        Stage::Checking => {
            ui.weak("checking what was rebuilt…");
        }
    }
}

fn rebuild_menu_ui(ui: &mut Ui, detail: &ProjectionDetail, asked: &mut Vec<ProjectionAction>) {
    let name = || Arc::clone(&detail.name);
    let help = match &detail.estimate {
        Some(words) => format!("Anew, from all events: {words}"),
        None => "Anew, from all events".to_owned(),
    };
    let rebuild = ui.button("Rebuild").on_hover_text(help);
    if rebuild.on_disabled_hover_text("Nothing says how it is made: it needs a definition").clicked() {
        asked.push(ProjectionAction::Rebuild(name(), Extent::Whole));
    }
    ui.menu_button("Rebuild only ▾", |ui| {
        let mut item = |ui: &mut Ui, words: String, is_possible: bool, extent: Extent| {
            if ui.add_enabled(is_possible, egui::Button::new(words)).clicked() {
                asked.push(ProjectionAction::Rebuild(name(), extent));
                ui.close();
            }
        };
        let here = grouped(detail.cursor);
        item(ui, format!("Up to the cursor, event {here}"), detail.cursor > 0, Extent::UntilCursor);
        item(ui, format!("From the cursor on, event {here}"), detail.cursor > 0, Extent::FromCursor);
        let stream = match &detail.stream {
            Some(stream) => format!("Events of {stream}"),
            None => "Events of the chosen stream".to_owned(),
        };
        item(ui, stream, detail.stream.is_some(), Extent::ChosenStream);
    });
    if let Some(words) = &detail.estimate {
        whole_label(ui, words);
    }
}

/// What is to be known or decided, a line each.
pub(super) fn notes_ui(
    ui: &mut Ui,
    detail: &ProjectionDetail,
    local: &mut ProjectionsLocal,
    actions: &mut Vec<Action>,
) {
    let colours = Palette::of(ui);
    let mut asked = Vec::new();
    let name = || Arc::clone(&detail.name);
    if let Some(words) = super::definition::error_words(detail)
        && local.detail != Detail::Definition
        && detail.has_definition
    {
        note_ui(ui, colours.trouble, |ui| {
            ui.label(words);
            ui.weak("The text before is in use");
            if ui.small_button("Show the definition").clicked() {
                local.detail = Detail::Definition;
            }
        });
    }
    if let Some(trouble) = &detail.trouble {
        note_ui(ui, colours.trouble, |ui| drop(ui.label(format!("The rebuild failed: {trouble}"))));
    }
    if detail.is_outdated && detail.stage == Stage::Idle {
        note_ui(ui, colours.changed, |ui| {
            ui.label("The definition is another now than when this was rebuilt");
            if ui.small_button("Rebuild it").clicked() {
                asked.push(ProjectionAction::Rebuild(name(), Extent::Whole));
            }
        });
    }
    if let Some(guess) = &detail.guess {
        note_ui(ui, colours.changed, |ui| {
            let what = if guess.projection == detail.name {
                format!("The stored table {} may be what this makes: {}", guess.table, guess.why)
            } else {
                format!("{} may make this table: {}", guess.projection, guess.why)
            };
            ui.label(what);
            if ui.small_button(format!("Compare with {}", guess.table)).clicked() {
                asked.push(ProjectionAction::Pair {
                    projection: Arc::clone(&guess.projection),
                    table: Arc::clone(&guess.table),
                });
            }
        });
    }
    failures_ui(ui, detail, local, &mut asked);
    if let Some(extent) = &detail.extent {
        ui.weak(format!("Rebuilt {extent}: what other events made is not there"));
    }
    progress_ui(ui, detail, &mut asked);
    actions.extend(asked.into_iter().map(Action::Projections));
}

/// Where a rebuild stopped, and how far the store is ahead of it.
fn progress_ui(ui: &mut Ui, detail: &ProjectionDetail, asked: &mut Vec<ProjectionAction>) {
    let Some(progress) = detail.progress.as_ref().filter(|_| detail.stage == Stage::Idle) else { return };
    let (words, button) = if progress.is_complete {
        match detail.behind {
            0 => return,
            1 => ("1 event is not taken in yet".to_owned(), "Catch up"),
            many => (format!("{} events are not taken in yet", grouped(many)), "Catch up"),
        }
    } else {
        let total = grouped(detail.total);
        (format!("Stopped at {} of {total} events", grouped(progress.count)), "Continue")
    };
    note_ui(ui, Palette::of(ui).changed, |ui| {
        ui.label(words);
        if ui.small_button(button).clicked() {
            asked.push(ProjectionAction::Continue(Arc::clone(&detail.name)));
        }
    });
}

/// Events that could not be handled, and what to do about them.
fn failures_ui(
    ui: &mut Ui,
    detail: &ProjectionDetail,
    local: &mut ProjectionsLocal,
    asked: &mut Vec<ProjectionAction>,
) {
    let Some(progress) = detail.progress.as_ref().filter(|progress| progress.failed > 0) else { return };
    note_ui(ui, Palette::of(ui).trouble, |ui| {
        ui.vertical(|ui| {
            ui.horizontal_wrapped(|ui| {
                let many = if progress.failed == 1 {
                    "1 event could not be handled".to_owned()
                } else {
                    format!("{} events could not be handled", grouped(progress.failed))
                };
                ui.label(many);
                for (choice, words, help) in [
                    (OnFailure::Stop, "stop there", "The rebuild ends before such an event"),
                    (OnFailure::Skip, "skip it", "Such an event changes nothing, and the next one is taken"),
                ] {
                    let is_chosen = detail.on_failure == choice;
                    if ui.selectable_label(is_chosen, words).on_hover_text(help).clicked() && !is_chosen {
                        asked.push(ProjectionAction::SetOnFailure(Arc::clone(&detail.name), choice));
                    }
                }
                if progress.failures.len() > FAILURES && ui.small_button("List them").clicked() {
                    local.detail = Detail::Output;
                }
            });
            for failure in progress.failures.iter().take(FAILURES) {
                let line = failure.line.map(|line| format!(" line {line}")).unwrap_or_default();
                let text = format!("{}   {}{line}: {}", failure.event, failure.directive, failure.message);
                let label = egui::Label::new(RichText::new(&text).font(theme::small())).truncate();
                let response = ui.add(label.sense(egui::Sense::click()).selectable(false));
                response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &text));
                if response.on_hover_text("Go to this event").clicked() {
                    asked.push(ProjectionAction::GoToFailure(failure.count));
                }
            }
        });
    });
}

pub(super) fn note_ui(ui: &mut Ui, tone: Tone, add: impl FnOnce(&mut Ui)) {
    let frame = egui::Frame::new().fill(tone.ground).corner_radius(theme::ROUND);
    frame.inner_margin(egui::Margin::symmetric(8, 3)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            ui.visuals_mut().override_text_color = Some(tone.ink);
            if tone.ink == Palette::of(ui).trouble.ink {
                icon_label(ui, Icon::Warning, tone.ink);
            }
            add(ui);
        });
    });
}
