//! The line at the bottom: how the store is read, and what takes long.

use egui::{Align, Layout, RichText};

use crate::{
    session::{
        action::{Action, ShellAction},
        job::Slot,
        view::View,
    },
    ui::{pace::Pace, widgets::icon::trouble_label},
};

/// Shows the status; `long_work` is each question that takes long, with its pace.
/// Tells whether the user wants to see the layout.
pub fn status_ui(
    ui: &mut egui::Ui,
    view: &View,
    long_work: &[(Slot, Pace)],
    actions: &mut Vec<Action>,
) -> bool {
    ui.horizontal(|ui| {
        ui.set_height(22.0);
        let width = ui.available_width() * if long_work.is_empty() { 0.85 } else { 0.5 };
        let is_clicked = ui
            .scope(|ui| {
                ui.set_max_width(width);
                let status = egui::Label::new(RichText::new(&view.status).weak()).truncate();
                ui.add(status.sense(egui::Sense::click())).on_hover_text(&view.status_detail).clicked()
            })
            .inner;
        if let Some(warning) = &view.status_warning {
            trouble_label(ui, warning).on_hover_text("They are listed in the Layout panel");
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if long_work.is_empty() {
                return;
            }
            if ui.small_button("Cancel").clicked() {
                actions.push(Action::Shell(ShellAction::CancelWork));
            }
            if let Some((slot, pace)) = long_work.first() {
                progress_ui(ui, *slot, pace);
            }
        });
        is_clicked
    })
    .inner
}

fn progress_ui(ui: &mut egui::Ui, slot: Slot, pace: &Pace) {
    if let Some(total) = pace.total {
        let share = (pace.done as f32 / total.max(1) as f32).clamp(0.0, 1.0);
        ui.add(egui::ProgressBar::new(share).desired_width(120.0).desired_height(8.0));
    }
    let words = pace.words();
    ui.label(if words.is_empty() { slot.label().to_owned() } else { format!("{} · {words}", slot.label()) });
    crate::ui::widgets::busy::busy(ui);
}
