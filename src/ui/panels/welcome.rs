//! What the window shows while no store is open.

use std::path::Path;

use egui::{Align, Layout, RichText};

use crate::{
    session::{
        action::{Action, ShellAction, WindowAction},
        view::View,
    },
    ui::{theme::Palette, widgets::icon::Icon},
};

/// The welcome screen: open, sample, recent files. Returns what only the window can do.
pub fn welcome_ui(ui: &mut egui::Ui, view: &View, actions: &mut Vec<Action>) -> Option<WindowAction> {
    let mut wanted = None;
    egui::ScrollArea::vertical().show(ui, |ui| {
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            ui.set_max_width(560.0);
            ui.add_space((ui.ctx().content_rect().height() * 0.12).min(110.0));
            let (rect, _) = ui.allocate_exact_size(egui::vec2(44.0, 44.0), egui::Sense::HOVER);
            Icon::Hourglass.paint(ui.painter(), rect, Palette::of(ui).accent);
            ui.add_space(8.0);
            ui.label(RichText::new("Timeglass").size(32.0).strong());
            ui.add_space(2.0);
            ui.label(
                RichText::new("See what any aggregate looked like at any moment, and which event made it so")
                    .weak(),
            );
            ui.add_space(24.0);
            ui.horizontal(|ui| {
                let width = 190.0;
                ui.add_space(((ui.available_width() - 2.0 * width - 8.0) / 2.0).max(0.0));
                let size = egui::vec2(width, 34.0);
                if ui.add(egui::Button::new(RichText::new("Open…").strong()).min_size(size)).clicked() {
                    wanted = Some(WindowAction::OpenDialog);
                }
                if ui.add(egui::Button::new("Open the sample store").min_size(size)).clicked() {
                    actions.push(Action::Shell(ShellAction::OpenSample));
                }
            });
            ui.add_space(10.0);
            ui.label(RichText::new("or drop a database file here").weak());
            ui.add_space(28.0);
            recent_ui(ui, view, actions);
        });
    });
    wanted
}

fn recent_ui(ui: &mut egui::Ui, view: &View, actions: &mut Vec<Action>) {
    if view.recent.is_empty() {
        ui.label(RichText::new("Files that you open appear here").weak());
        return;
    }
    ui.with_layout(Layout::top_down(Align::Min), |ui| {
        ui.label(RichText::new("Recent").strong());
        ui.add_space(4.0);
        for file in view.recent.iter() {
            ui.horizontal(|ui| {
                let open = ui.add(egui::Button::new(&file.name).frame(false));
                if open.on_hover_text(file.path.display().to_string()).clicked() {
                    actions.push(Action::Shell(ShellAction::Open(file.path.clone())));
                }
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let forget =
                        ui.add(egui::Button::new("×").frame(false)).on_hover_text("Take off this list");
                    forget.widget_info(|| {
                        egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Forget {}", file.name))
                    });
                    if forget.clicked() {
                        actions.push(Action::Shell(ShellAction::Forget(file.path.clone())));
                    }
                    ui.add(egui::Label::new(RichText::new(&file.folder).weak()).truncate());
                });
            });
        }
    });
}

/// Shown while a file is being opened.
pub fn opening_ui(ui: &mut egui::Ui, path: &Path, actions: &mut Vec<Action>) {
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space(ui.available_height() * 0.35);
        ui.spinner();
        ui.add_space(8.0);
        ui.label(format!("Opening {}", path.display()));
        ui.add_space(8.0);
        if ui.button("Cancel").clicked() {
            actions.push(Action::Shell(ShellAction::CancelWork));
        }
    });
}

/// Says that a dragged file can be dropped.
pub fn drop_hint_ui(ctx: &egui::Context) {
    if ctx.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let area = egui::Area::new(egui::Id::unique("drop hint")).order(egui::Order::Foreground);
    area.anchor(egui::Align2::CENTER_CENTER, egui::Vec2::ZERO).show(ctx, |ui| {
        egui::Frame::popup(ui.style()).inner_margin(24.0).show(ui, |ui| {
            ui.label(RichText::new("Drop to open").size(20.0));
        });
    });
}
