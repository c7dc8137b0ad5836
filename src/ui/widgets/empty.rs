//! What a panel shows when it has nothing to show: why, and what to do.

use egui::{RichText, Sense, Ui, vec2};

use crate::ui::{
    theme::{self, Palette},
    widgets::icon::Icon,
};

/// Draws title, hint and perhaps a button in the middle of the space; tells whether the button was clicked.
pub fn empty_panel(ui: &mut Ui, icon: Icon, title: &str, hint: &str, button: Option<&str>) -> bool {
    let colours = Palette::of(ui);
    let mut is_clicked = false;
    let height = 72.0 + if hint.is_empty() { 0.0 } else { 24.0 } + if button.is_some() { 40.0 } else { 0.0 };
    let above = ((ui.available_height() - height) * 0.42).max(theme::GROUP);
    ui.vertical_centered(|ui| {
        ui.add_space(above);
        let (rect, _) = ui.allocate_exact_size(vec2(34.0, 34.0), Sense::HOVER);
        icon.paint(ui.painter(), rect, colours.strong_line);
        ui.add_space(theme::GROUP);
        ui.label(RichText::new(title).font(theme::heading()).color(colours.soft));
        if !hint.is_empty() {
            ui.scope(|ui| {
                ui.set_max_width(420.0_f32.min(ui.available_width()));
                ui.label(RichText::new(hint).color(colours.faint));
            });
        }
        if let Some(button) = button {
            ui.add_space(theme::GROUP);
            is_clicked = ui.button(button).clicked();
        }
    });
    is_clicked
}
