//! Watches: paths and expressions followed over the whole history.

use egui::{
    Align, Layout, PopupCloseBehavior, RichText, TextEdit,
    containers::menu::{MenuButton, MenuConfig},
};

use crate::{
    session::{
        action::{Action, WatchAction},
        estimates::with_estimate,
        view::{WatchView, WatchesView, grouped},
    },
    ui::{
        theme::Palette,
        widgets::{
            empty::empty_panel,
            icon::{Icon, trouble_label},
            plot::plot,
        },
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct WatchesLocal {
    typed: String,
    /// The watch whose name is being typed, and the name so far.
    renamed: Option<(usize, String)>,
}

/// The panel.
pub fn watches_ui(
    ui: &mut egui::Ui,
    view: &WatchesView,
    local: &mut WatchesLocal,
    actions: &mut Vec<Action>,
) {
    add_ui(ui, view, local, actions);
    if view.stream.is_empty() {
        let hint = "Watches are followed along the history of one stream";
        empty_panel(ui, Icon::Search, "No stream is chosen", hint, None);
        return;
    }
    if view.rows.is_empty() {
        let hint = "Type total, address.city or state.items.length, or use the menu of a value in the state";
        empty_panel(ui, Icon::Search, "Nothing is watched", hint, None);
        return;
    }
    progress_ui(ui, view, actions);
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for watch in view.rows.iter() {
            ui.push_id(watch.place, |ui| watch_ui(ui, view, watch, local, actions));
            ui.add_space(4.0);
        }
    });
}

fn add_ui(ui: &mut egui::Ui, view: &WatchesView, local: &mut WatchesLocal, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let is_something = !local.typed.trim().is_empty();
            let help = with_estimate("Follow it along the history", view.estimate.as_ref());
            let button = ui.add_enabled(is_something, egui::Button::new("Watch")).on_hover_text(help);
            let is_clicked = button.clicked();
            let field = TextEdit::singleline(&mut local.typed)
                .hint_text("Path or expression, such as state.total")
                .desired_width(f32::INFINITY);
            let field = ui.add(field);
            field.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Path or expression to watch")
            });
            let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            // A quick hand types and presses Enter within one frame.
            if (is_clicked || is_entered) && !local.typed.trim().is_empty() {
                let typed = std::mem::take(&mut local.typed);
                actions.push(Action::Watches(WatchAction::AddTyped(typed)));
                field.request_focus();
            }
        });
    });
    if let Some(words) = view.estimate.as_ref().filter(|_| !local.typed.trim().is_empty()) {
        ui.weak(&**words);
    }
}

fn progress_ui(ui: &mut egui::Ui, view: &WatchesView, actions: &mut Vec<Action>) {
    let Some(progress) = &view.progress else { return };
    ui.horizontal(|ui| {
        if view.is_stopped {
            ui.label(format!("Stopped at {progress}"));
            if ui.button("Go on").clicked() {
                actions.push(Action::Watches(WatchAction::GoOn));
            }
        } else {
            crate::ui::widgets::busy::busy(ui);
            ui.weak(progress);
        }
    });
}

fn watch_ui(
    ui: &mut egui::Ui,
    view: &WatchesView,
    watch: &WatchView,
    local: &mut WatchesLocal,
    actions: &mut Vec<Action>,
) {
    let colours = Palette::of(ui);
    ui.horizontal(|ui| {
        menu_ui(ui, watch, local, actions);
        ui.label(RichText::new(&watch.name).strong()).on_hover_text(&watch.text);
        if watch.is_old {
            ui.weak("old").on_hover_text("The history is being made anew");
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let value = egui::Label::new(RichText::new(&*watch.value).monospace()).truncate();
            let label = ui.add(value);
            if let Some(reason) = &watch.reason {
                label.on_hover_text(&**reason);
            }
            if let Some(before) = &watch.before {
                ui.colored_label(colours.changed.ink, "→");
                ui.add(egui::Label::new(RichText::new(&**before).monospace().weak()).truncate());
            }
        });
    });
    match (&watch.fault, &watch.reason) {
        (Some(fault), _) => drop(trouble_label(ui, fault)),
        (None, Some(reason)) => drop(trouble_label(ui, reason.to_string())),
        (None, None) => (),
    }
    let describe = |count: usize| {
        let value = watch.series.at(count);
        let words = match value {
            Some(span) if span.is_even => span.last.words().to_string(),
            // Only the ends of such a stretch are known.
            Some(span) => format!("{} … {}", span.first.words(), span.last.words()),
            None => "not looked at yet".to_owned(),
        };
        format!("event {} of {}: {words}", grouped(count as u64), grouped(view.events as u64))
    };
    let name = format!("{} over the history", watch.name);
    if let Some(count) = plot(ui, &name, &watch.sketch, view.here, describe) {
        actions.push(Action::Watches(WatchAction::GoTo(count)));
    }
}

fn menu_ui(ui: &mut egui::Ui, watch: &WatchView, local: &mut WatchesLocal, actions: &mut Vec<Action>) {
    let close = PopupCloseBehavior::CloseOnClickOutside;
    let menu = MenuButton::new("▾").config(MenuConfig::new().close_behavior(close));
    let mut asked = None;
    let (button, _) = menu.ui(ui, |ui| {
        ui.set_min_width(220.0);
        let (_, name) = match &mut local.renamed {
            Some(renamed) if renamed.0 == watch.place => renamed,
            other => other.insert((watch.place, watch.name.clone())),
        };
        let label = ui.label("Name");
        let field = ui.add(TextEdit::singleline(name)).labelled_by(label.id);
        if field.lost_focus() && *name != watch.name {
            let name = if *name == watch.text { String::new() } else { name.clone() };
            asked = Some(WatchAction::Rename(watch.place, name));
        }
        let mut is_column = watch.is_column;
        if ui.checkbox(&mut is_column, "Column in the table of events").changed() {
            asked = Some(WatchAction::ToggleColumn(watch.place));
        }
        for (name, action) in [
            ("Move up", WatchAction::Move(watch.place, -1)),
            ("Move down", WatchAction::Move(watch.place, 1)),
            ("Remove", WatchAction::Remove(watch.place)),
        ] {
            if ui.button(name).clicked() {
                asked = Some(action);
                ui.close();
            }
        }
    });
    button.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Menu of {}", watch.name))
    });
    if asked.is_some() {
        local.renamed = None;
    }
    actions.extend(asked.map(Action::Watches));
}
