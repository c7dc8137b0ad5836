//! The mark of what is not recorded: a state or a timeline that shows a branch.

use egui::{Color32, Frame, Margin, RichText, Stroke, Ui};

use crate::ui::theme::{self, Palette};

fn frame(ui: &Ui) -> (Frame, Color32) {
    let tone = Palette::of(ui).changed;
    let frame = Frame::NONE
        .fill(tone.ground)
        .stroke(Stroke::new(1.0, tone.ink))
        .corner_radius(theme::ROUND)
        .inner_margin(Margin::symmetric(8, 2));
    (frame, tone.ink)
}

fn words(branch: &str) -> String {
    format!("what-if: {branch}")
}

/// A band over the whole width: what is below it is of the branch.
pub fn branch_band(ui: &mut Ui, branch: &str) {
    let (frame, ink) = frame(ui);
    frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.label(RichText::new(words(branch)).font(theme::strong()).color(ink))
            .on_hover_text("This is a branch, not what was recorded");
    });
    ui.add_space(2.0);
}

/// The same in a line of other things.
pub fn branch_chip(ui: &mut Ui, branch: &str) {
    let (frame, ink) = frame(ui);
    frame.show(ui, |ui| {
        ui.label(RichText::new(words(branch)).font(theme::strong()).color(ink))
            .on_hover_text("The timeline shows a branch, not what was recorded");
    });
}
