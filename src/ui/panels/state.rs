//! The state at the cursor, with what the step changed.

use std::{collections::BTreeMap, sync::Arc};

use egui::{RichText, TextEdit};

use crate::{
    model::{Change, Pointer},
    session::{
        action::{Action, BrowseAction},
        view::StateView,
    },
    ui::{
        theme::Palette,
        widgets::{
            empty::empty_panel,
            icon::Icon,
            json_tree::{TreeState, TreeView},
        },
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct StateLocal {
    tree: TreeState,
    find: String,
}

/// Head, search and tree.
pub fn state_ui(
    ui: &mut egui::Ui,
    view: &StateView,
    local: &mut StateLocal,
    takes_keyboard: bool,
    actions: &mut Vec<Action>,
) {
    if view.stream.is_empty() {
        empty_panel(ui, Icon::Hourglass, "No state yet", view.empty, None);
        return;
    }
    head_ui(ui, view);
    find_ui(ui, local, takes_keyboard);
    let Some(state) = &view.state else {
        ui.weak(view.empty);
        return;
    };
    let _ = (actions, BTreeMap::<Pointer, Arc<Vec<Change>>>::new(), BrowseAction::ClearTypes);
    TreeView::new("State", state).show(ui, &mut local.tree);
}

fn head_ui(ui: &mut egui::Ui, view: &StateView) {
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&*view.stream).strong().size(15.0));
        ui.monospace(&view.place);
        if view.is_stale {
            ui.add(egui::Spinner::new().size(12.0));
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.weak(&view.time);
        if !view.event_type.is_empty() {
            ui.colored_label(Palette::of(ui).of_name(&view.event_type), &*view.event_type);
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.weak(&*view.reducer).on_hover_text(
            "The state is the JSON merge of all event data (RFC 7396): each member takes its last value, null removes it",
        );
    });
    if let Some(failure) = &view.failure {
        ui.colored_label(Palette::of(ui).trouble.ink, format!("⚠ This event was not applied: {failure}"));
    } else if view.failures > 0 {
        ui.weak(format!("{} steps of this history were not applied", view.failures));
    }
}

fn find_ui(ui: &mut egui::Ui, local: &mut StateLocal, takes_keyboard: bool) {
    let field = TextEdit::singleline(&mut local.find)
        .hint_text("Find in the state (Ctrl+F)")
        .desired_width(f32::INFINITY);
    let response = ui.add(field);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Find in the state"));
    if takes_keyboard {
        response.request_focus();
    }
}
