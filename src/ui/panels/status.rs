//! The line at the bottom: how the store is read, and what takes long.

use egui::{Align, Layout, RichText};

use crate::{
    session::{
        action::{Action, ShellAction},
        job::Slot,
        view::{View, grouped},
    },
    ui::theme,
};

/// Shows the status; `long_work` is each question that takes long, with steps done and in all.
/// Tells whether the user wants to see the layout.
pub fn status_ui(
    ui: &mut egui::Ui,
    view: &View,
    long_work: &[(Slot, u64, Option<u64>)],
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
            ui.colored_label(theme::Palette::of(ui).trouble.ink, format!("⚠ {warning}"))
                .on_hover_text("They are listed in the Layout panel");
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if long_work.is_empty() {
                return;
            }
            if ui.small_button("Cancel").clicked() {
                actions.push(Action::Shell(ShellAction::CancelWork));
            }
            if let Some((slot, done, total)) = long_work.first() {
                progress_ui(ui, *slot, *done, *total);
            }
        });
        is_clicked
    })
    .inner
}

fn progress_ui(ui: &mut egui::Ui, slot: Slot, done: u64, total: Option<u64>) {
    let text = match total {
        Some(total) => {
            let share = (done as f32 / total.max(1) as f32).clamp(0.0, 1.0);
            ui.add(egui::ProgressBar::new(share).desired_width(120.0).desired_height(8.0));
            format!("{} · {} of {}", slot.label(), grouped(done), grouped(total))
        }
        None if done > 0 => format!("{} · {}", slot.label(), grouped(done)),
        None => slot.label().to_owned(),
    };
    ui.label(text);
    ui.add(egui::Spinner::new().size(12.0));
}
