//! The state at the cursor, with what the step changed.

use std::sync::Arc;

use egui::{RichText, TextEdit};

use crate::{
    model::{Change, Pointer},
    replay::{Condition, Probe},
    session::{
        action::{Action, BlameAction, BrowseAction, ConditionAction, WatchAction},
        view::StateView,
    },
    ui::{
        panels::state_notes,
        theme::Palette,
        widgets::{
            band::branch_band,
            empty::empty_panel,
            icon::{Icon, icon_button},
            json_tree::{JsonTree, Marks, TreeState, marks_of},
        },
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct StateLocal {
    tree: TreeState,
    find: String,
    /// The changes that the marks were made of, so that they are made once.
    marked: Arc<Vec<Change>>,
    marks: Marks,
    /// The reducer's panel is to come to the front.
    pub shows_reducer: bool,
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
    local.shows_reducer |= state_notes::notes_ui(ui, view, actions);
    find_ui(ui, local, takes_keyboard);
    let Some(state) = &view.state else {
        ui.weak(view.empty);
        return;
    };
    if !Arc::ptr_eq(&local.marked, &view.changes) {
        local.marked = Arc::clone(&view.changes);
        local.marks = marks_of(&view.changes);
    }
    let mut asked = None;
    let mut menu = |ui: &mut egui::Ui, path: &Pointer| {
        for (name, action) in questions(path) {
            if ui.button(name).clicked() {
                asked = Some(action);
                ui.close();
            }
        }
    };
    let answer = JsonTree::new("State", state)
        .marks(&local.marks)
        .find(&local.find)
        .menu(&mut menu)
        .show(ui, &mut local.tree);
    actions.extend(asked.or_else(|| answer.entered.map(|path| Action::Blame(BlameAction::Ask(path)))));
}

/// What can be asked of a value in the state.
pub(crate) fn questions(path: &Pointer) -> [(&'static str, Action); 4] {
    let changes = Condition::Changes { path: path.clone(), from: None, to: None };
    [
        ("Why is this value so?", Action::Blame(BlameAction::Ask(path.clone()))),
        ("Watch this", Action::Watches(WatchAction::Add(Probe::State(path.clone())))),
        ("Look for changes of this", Action::Conditions(ConditionAction::Add(changes))),
        ("Show as a column of the events", Action::Browse(BrowseAction::AddColumn(path.clone().into()))),
    ]
}

impl StateLocal {
    /// The chosen node.
    pub(crate) fn selected(&self) -> Option<&Pointer> {
        self.tree.selected.as_ref()
    }
}

fn head_ui(ui: &mut egui::Ui, view: &StateView) {
    if let Some(branch) = &view.branch {
        branch_band(ui, branch);
    }
    // Lines of text, and no buttons: they stand as close as text does.
    let height = std::mem::replace(&mut ui.spacing_mut().interact_size.y, 16.0);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&*view.stream).strong().size(15.0));
        ui.monospace(&view.place);
        if view.is_stale {
            crate::ui::widgets::busy::busy(ui);
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.weak(&view.time);
        if !view.event_type.is_empty() {
            ui.colored_label(Palette::of(ui).of_name(&view.event_type), &*view.event_type);
        }
    });
    ui.horizontal_wrapped(|ui| {
        let response = ui.weak(&*view.reducer);
        if view.reducer.starts_with("merged") {
            response.on_hover_text(
                "The state is the JSON merge of all event data (RFC 7396): each member takes its last value, null removes it",
            );
        }
    });
    ui.spacing_mut().interact_size.y = height;
}

fn find_ui(ui: &mut egui::Ui, local: &mut StateLocal, takes_keyboard: bool) {
    ui.horizontal(|ui| {
        let is_finding = !local.find.is_empty();
        let width = ui.available_width() - if is_finding { 150.0 } else { 0.0 };
        let field = TextEdit::singleline(&mut local.find)
            .hint_text("Find in the state (Ctrl+F)")
            .desired_width(width);
        let response = ui.add(field);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Find in the state"));
        if takes_keyboard {
            response.request_focus();
        }
        if !is_finding {
            return;
        }
        let enter = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if enter {
            local.tree.go_to_hit(!ui.input(|input| input.modifiers.shift));
            response.request_focus();
        }
        if icon_button(ui, Icon::Up, "Hit before").clicked() {
            local.tree.go_to_hit(false);
        }
        if icon_button(ui, Icon::Down, "Next hit").clicked() {
            local.tree.go_to_hit(true);
        }
        match (local.tree.current_hit(), local.tree.hit_count()) {
            (_, 0) => ui.weak("not found"),
            (Some(hit), count) => ui.weak(format!("{} of {count}", hit + 1)),
            (None, count) => ui.weak(format!("{count} found")),
        };
    });
}
