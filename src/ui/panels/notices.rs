//! Notices, in the lower right corner.

use crate::{
    session::{
        action::{Action, ShellAction},
        view::{Notice, Severity},
    },
    ui::widgets::notice::{self, NoticeRequest, NoticeText},
};

/// Shows the notices, the newest below.
pub fn notices_ui(ctx: &egui::Context, notices: &[Notice], actions: &mut Vec<Action>) {
    if notices.is_empty() {
        return;
    }
    let area = egui::Area::new(egui::Id::unique("notices")).order(egui::Order::Foreground);
    area.anchor(egui::Align2::RIGHT_BOTTOM, egui::vec2(-16.0, -40.0)).show(ctx, |ui| {
        ui.set_width(460.0_f32.min(ctx.content_rect().width() - 32.0));
        for shown in notices {
            let text = NoticeText {
                severity: match shown.severity {
                    Severity::Info => notice::Severity::Done,
                    Severity::Warning => notice::Severity::Warning,
                    Severity::Error => notice::Severity::Trouble,
                },
                title: shown.title.clone(),
                detail: shown.detail.clone(),
                hint: shown.hint.clone(),
            };
            egui::Frame::popup(ui.style()).inner_margin(0.0).show(ui, |ui| {
                if notice::notice(ui, &text) == Some(NoticeRequest::Dismiss) {
                    actions.push(Action::Shell(ShellAction::Dismiss(shown.id)));
                }
                if let Some(offer) = &shown.offer
                    && ui.button(offer.label).clicked()
                {
                    actions.push((*offer.action).clone());
                    actions.push(Action::Shell(ShellAction::Dismiss(shown.id)));
                }
            });
            ui.add_space(6.0);
        }
    });
}
