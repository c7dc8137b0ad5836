//! A quiet bar that tells what happened, what it means and what to do.

use egui::{CornerRadius, Frame, Margin, RichText, Role, Stroke, Ui, UiBuilder};

use crate::ui::{
    theme::{self, Palette},
    widgets::icon::{Icon, icon_button_sized, icon_label},
};

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Done as asked.
    Done,
    /// Not all is as it should be.
    Warning,
    /// Something could not be done.
    Trouble,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeText {
    /// How much it matters.
    pub severity: Severity,
    /// What happened, in one line.
    pub title: String,
    /// The rest: where, the words of the system; may be empty.
    pub detail: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

/// What the user did with a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeRequest {
    /// It was read.
    Dismiss,
    /// Its text goes to the clipboard; the widget has done that already.
    Copy,
}

/// Draws one notice over the whole width.
pub fn notice(ui: &mut Ui, text: &NoticeText) -> Option<NoticeRequest> {
    let colours = Palette::of(ui);
    let (icon, word, ink, ground) = match text.severity {
        Severity::Info => (Icon::Info, "Note", colours.accent, colours.raised),
        Severity::Done => (Icon::Check, "Done", colours.added.ink, colours.added.ground),
        Severity::Warning => (Icon::Warning, "Warning", colours.changed.ink, colours.changed.ground),
        Severity::Trouble => (Icon::Trouble, "Trouble", colours.trouble.ink, colours.trouble.ground),
    };
    let mut asked = None;
    let builder = UiBuilder::new()
        .accessibility_role(if text.severity >= Severity::Warning { Role::Alert } else { Role::Status })
        .accessibility_label(format!("{word}: {}", text.title));
    ui.scope_builder(builder, |ui| {
        let frame = Frame::new()
            .fill(ground)
            .stroke(Stroke::new(1.0, ink.gamma_multiply(0.35)))
            .corner_radius(CornerRadius::same(theme::ROUND))
            .inner_margin(Margin::symmetric(10, 6));
        frame.show(ui, |ui| {
            ui.horizontal_top(|ui| {
                icon_label(ui, icon, ink);
                let width = ui.available_width() - 52.0;
                ui.vertical(|ui| {
                    ui.set_width(width.max(40.0));
                    ui.spacing_mut().item_spacing.y = 2.0;
                    ui.label(RichText::new(&text.title).font(theme::strong()).color(colours.text));
                    let lines = [(&text.detail, colours.soft), (&text.hint, colours.text)];
                    for (line, ink) in lines.into_iter().filter(|(line, _)| !line.is_empty()) {
                        ui.label(RichText::new(line).color(ink));
                    }
                });
                ui.spacing_mut().item_spacing.x = 2.0;
                if icon_button_sized(ui, Icon::Copy, "Copy this notice", 20.0).clicked() {
                    ui.copy_text(as_text(text));
                    asked = Some(NoticeRequest::Copy);
                }
                if icon_button_sized(ui, Icon::Close, "Dismiss", 20.0).clicked() {
                    asked = Some(NoticeRequest::Dismiss);
                }
            });
        });
    });
    asked
}

/// All of a notice as plain text, a line for each part.
#[must_use]
pub fn as_text(text: &NoticeText) -> String {
    [&text.title, &text.detail, &text.hint]
        .into_iter()
        .filter(|line| !line.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join("\n")
}
