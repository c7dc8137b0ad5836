//! Menu bar and shortcuts, both read from the table of actions.

use crate::{
    session::{
        Session,
        action::{Menu, NAMED, What},
    },
    ui::{keys, widgets::rows::take_focused_list},
};

/// The menu bar; returns what was asked for.
pub(crate) fn menu_bar_ui(ui: &mut egui::Ui, session: &Session) -> Vec<What> {
    let mut wanted = Vec::new();
    egui::MenuBar::new().ui(ui, |ui| {
        for menu in Menu::ALL {
            ui.menu_button(menu.title(), |ui| wanted.extend(menu_ui(ui, session, menu)));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.add_space(6.0);
            ui.add(egui::Label::new(egui::RichText::new(&session.view().title).weak()).truncate());
        });
    });
    wanted
}

fn menu_ui(ui: &mut egui::Ui, session: &Session, menu: Menu) -> Vec<What> {
    let mut wanted = Vec::new();
    ui.set_min_width(220.0);
    // What is longer than the window is scrolled; a menu begins below the bar.
    let room = ui.ctx().content_rect().height() - BAR_ABOVE;
    let room = room.max(120.0);
    let scroll = egui::ScrollArea::vertical().max_height(room).min_scrolled_height(room);
    scroll.show(ui, |ui| items_ui(ui, session, menu, &mut wanted));
    wanted
}

/// What is above and below an open menu at least, in points.
const BAR_ABOVE: f32 = 56.0;

fn items_ui(ui: &mut egui::Ui, session: &Session, menu: Menu, wanted: &mut Vec<What>) {
    for action in NAMED.iter().filter(|action| action.menu == menu) {
        if action.begins_group {
            ui.separator();
        }
        let button = egui::Button::new(action.name).shortcut_text(keys::shown(action.shortcut));
        let is_enabled = (action.is_enabled)(session);
        if ui.add_enabled(is_enabled, button).on_hover_text(action.help).clicked() {
            wanted.push(action.what.clone());
            ui.close();
        }
    }
}

/// The lists that Escape leaves for all streams.
const ESCAPED: [&str; 2] = ["Events", "Streams"];

/// When keys are taken in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Before the panels are drawn.
    BeforePanels,
    /// After.
    AfterPanels,
}

/// The actions whose keys were pressed. Keys without Ctrl or Alt act only while nothing is typed and nothing lies
/// over the panels: an arrow in a text field moves the caret, not the cursor, and Escape closes a menu first.
///
/// Keys that open and close nodes are taken after the panels were drawn, so that a tree with the focus has them first.
pub(crate) fn shortcuts(ctx: &egui::Context, session: &Session, has_dialog: bool, turn: Turn) -> Vec<What> {
    let is_covered = has_dialog || session.view().mapping.is_some();
    // Escape closes a menu first, and Space presses what it stands on.
    let is_typing = ctx.text_edit_focused() || egui::Popup::is_any_open(ctx);
    let list = (turn == Turn::BeforePanels).then(|| take_focused_list(ctx)).flatten();
    let is_at_events = list.is_some_and(|name| ESCAPED.contains(&name.as_str()));
    let mut wanted = Vec::new();
    let keyed = || NAMED.iter().filter_map(|action| Some((action, keys::parse(action.shortcut)?)));
    let with_shift = |shift: bool| keyed().filter(move |(_, keys)| keys.modifiers.shift == shift);
    // Shift first: the same key without it would take both.
    for (action, shortcut) in with_shift(true).chain(with_shift(false)) {
        let is_blocked = keys::is_plain(shortcut) && (is_typing || is_covered);
        let is_its_turn = keys::moves_in_trees(shortcut) == (turn == Turn::AfterPanels);
        // Escape leaves fields, views and menus; only from a list of events or streams it leaves a stream.
        let is_elsewhere = shortcut.logical_key == egui::Key::Escape && !is_at_events;
        if is_blocked || is_elsewhere || !is_its_turn || !(action.is_enabled)(session) {
            continue;
        }
        // A key that was pressed twice since the last frame asks twice.
        let presses =
            ctx.input_mut(|input| input.count_and_consume_key(shortcut.modifiers, shortcut.logical_key));
        wanted.extend(std::iter::repeat_n(&action.what, presses).cloned());
    }
    wanted
}
