//! Searching payloads: what to look for, and the hits as they are found.

use std::sync::Arc;

use egui::{ComboBox, TextEdit, Ui};

use crate::{
    model::{Json, Pointer, Timestamp},
    session::{
        action::{Action, PayloadAction, PayloadScope},
        view::PayloadsView,
    },
    store::search::{Field, SearchHit, Sought},
    ui::widgets::{
        empty::empty_panel,
        icon::{Icon, trouble_label},
        table::{Cell, ColumnKind, ColumnSpec, Ink, Table, TableState},
        whole::whole_label,
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct PayloadsLocal {
    kind: Kind,
    typed: String,
    path: String,
    is_exact_case: bool,
    scope: PayloadScope,
    hits: TableState,
    /// The row that was gone to last: a new one comes into sight.
    here: Option<usize>,
    /// Whether the field should take the keyboard.
    pub takes_keyboard: bool,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    #[default]
    Text,
    Value,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Value => "Value at path",
        }
    }
}

/// The panel.
pub fn payloads_ui(ui: &mut Ui, view: &PayloadsView, local: &mut PayloadsLocal, actions: &mut Vec<Action>) {
    let mut asked = Vec::new();
    if !view.is_ready {
        let hint = "Payloads can be searched as soon as the events are indexed";
        empty_panel(ui, Icon::Search, "Not ready yet", hint, None);
        return;
    }
    let is_entered = wish_ui(ui, local);
    let is_asked = choices_ui(ui, view, local, &mut asked);
    if let Some(sought) = sought(local).filter(|_| is_entered || is_asked) {
        asked.push(PayloadAction::Search(sought, local.scope));
    }
    if let Some(id) = &view.sought_id {
        ui.add(egui::Label::new(egui::RichText::new(format!("Events with the {id}")).strong()).truncate());
    }
    progress_ui(ui, view, &mut asked);
    for trouble in &view.troubles {
        trouble_label(ui, trouble);
    }
    if view.number.is_none() {
        let hint = "Type a text that stands in the data or metadata of an event: a name, an id, an amount";
        empty_panel(ui, Icon::Search, "Search all payloads", hint, None);
    } else if view.hits.is_empty() && view.is_over {
        empty_panel(ui, Icon::Search, "No event holds this", nothing_hint(view, local), None);
    } else {
        hits_ui(ui, view, local, &mut asked);
    }
    actions.extend(asked.into_iter().map(Action::Payloads));
}

/// What to look for; true once Enter was pressed.
fn wish_ui(ui: &mut Ui, local: &mut PayloadsLocal) -> bool {
    let mut is_entered = false;
    ui.horizontal(|ui| {
        let kinds = ComboBox::from_id_salt("kind").width(104.0).selected_text(local.kind.words());
        let kinds = kinds.show_ui(ui, |ui| {
            for kind in [Kind::Text, Kind::Value] {
                ui.selectable_value(&mut local.kind, kind, kind.words());
            }
        });
        let name = format!("What to look for: {}", local.kind.words());
        kinds.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, &name));
        if local.kind == Kind::Value {
            is_entered |=
                field_ui(ui, ("Path", "customer.name or items.*.sku"), &mut local.path, 180.0, false);
            ui.label("=");
        }
        let hint = match local.kind {
            Kind::Text => ("Text", "text in any payload"),
            Kind::Value => ("Value", "Anna, 12.5, true or null"),
        };
        let width = (ui.available_width() - 8.0).max(80.0);
        let takes_keyboard = std::mem::take(&mut local.takes_keyboard);
        is_entered |= field_ui(ui, hint, &mut local.typed, width, takes_keyboard);
    });
    is_entered
}

/// A field; true once Enter was pressed in it.
fn field_ui(
    ui: &mut Ui,
    (name, hint): (&str, &str),
    text: &mut String,
    width: f32,
    takes_keyboard: bool,
) -> bool {
    let field = ui.add(TextEdit::singleline(text).hint_text(hint).desired_width(width));
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, name));
    if takes_keyboard {
        field.request_focus();
    }
    field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))
}

/// Where to look, and how; true once the button was pressed.
fn choices_ui(
    ui: &mut Ui,
    view: &PayloadsView,
    local: &mut PayloadsLocal,
    asked: &mut Vec<PayloadAction>,
) -> bool {
    let mut is_asked = false;
    ui.horizontal_wrapped(|ui| {
        is_asked = ui.add_enabled(sought(local).is_some(), egui::Button::new("Search")).clicked();
        if view.stream.is_none() && local.scope == PayloadScope::Stream {
            local.scope = PayloadScope::Store;
        }
        let scopes = ComboBox::from_id_salt("scope").width(124.0).selected_text(scope_words(local.scope));
        let scopes = scopes.show_ui(ui, |ui| {
            ui.selectable_value(&mut local.scope, PayloadScope::Store, scope_words(PayloadScope::Store));
            let filtered = scope_words(PayloadScope::Filtered);
            let filtered = ui.selectable_value(&mut local.scope, PayloadScope::Filtered, filtered);
            filtered.on_hover_text(filter_words(view));
            if let Some(stream) = &view.stream {
                let words = scope_words(PayloadScope::Stream);
                let chosen = ui.selectable_value(&mut local.scope, PayloadScope::Stream, words);
                chosen.on_hover_text(&**stream);
            }
        });
        let name = format!("Where to look: {}", scope_words(local.scope));
        scopes.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, &name));
        let mut newest_first = view.newest_first;
        if ui.checkbox(&mut newest_first, "Newest first").changed() {
            asked.push(PayloadAction::TurnRound);
        }
        if local.kind == Kind::Text {
            ui.checkbox(&mut local.is_exact_case, "Match case");
        }
        // Of the filtered ones all have to be read, too.
        if let Some(words) =
            view.estimate.as_ref().filter(|_| view.is_over && local.scope != PayloadScope::Stream)
        {
            ui.weak(&**words);
        }
    });
    is_asked
}

fn scope_words(scope: PayloadScope) -> &'static str {
    match scope {
        PayloadScope::Store => "All events",
        PayloadScope::Filtered => "Filtered events",
        PayloadScope::Stream => "This stream",
    }
}

fn filter_words(view: &PayloadsView) -> String {
    if view.filters.is_empty() {
        "No filter is set in the panel Events".to_owned()
    } else {
        format!("As in the panel Events: {}", view.filters.join(", "))
    }
}

fn nothing_hint(view: &PayloadsView, local: &PayloadsLocal) -> &'static str {
    match (local.kind, local.scope) {
        _ if view.sought_id.is_some() => "The ids of all events were read",
        (_, PayloadScope::Filtered) if !view.filters.is_empty() => {
            "Events that are filtered out were left out"
        }
        (_, PayloadScope::Stream) => "Only this stream was looked at",
        (Kind::Value, _) => "A value is looked for at the very path; `*` stands for any member or item",
        (Kind::Text, _) => "Payloads that are stored in a binary form are searched as the JSON they say",
    }
}

/// What was typed.
fn sought(local: &PayloadsLocal) -> Option<Sought> {
    match local.kind {
        Kind::Text if local.typed.is_empty() => None,
        Kind::Text => {
            Some(Sought::Text { text: local.typed.as_str().into(), is_exact_case: local.is_exact_case })
        }
        Kind::Value => {
            Some(Sought::Value { path: Pointer::typed(&local.path)?, value: Json::typed(&local.typed) })
        }
    }
}

fn progress_ui(ui: &mut Ui, view: &PayloadsView, asked: &mut Vec<PayloadAction>) {
    if view.number.is_none() {
        return;
    }
    ui.horizontal(|ui| {
        whole_label(ui, &view.summary);
        if view.is_stopped {
            ui.weak("· stopped");
            if ui.button("Go on").clicked() {
                asked.push(PayloadAction::GoOn);
            }
        } else if !view.is_over {
            crate::ui::widgets::busy::busy(ui);
            if ui.button("Stop").clicked() {
                asked.push(PayloadAction::Stop);
            }
        }
    });
}

const POSITION: &str = "position";
const TIME: &str = "time";
const STREAM: &str = "stream";
const VERSION: &str = "version";
const TYPE: &str = "type";

fn columns() -> Vec<ColumnSpec> {
    vec![
        ColumnSpec::new(POSITION, "Position", 76.0, ColumnKind::Number),
        ColumnSpec::new(TIME, "Time", 166.0, ColumnKind::Code),
        ColumnSpec::new(STREAM, "Stream", 112.0, ColumnKind::Text),
        ColumnSpec::new(VERSION, "Version", 60.0, ColumnKind::Number),
        ColumnSpec::new(TYPE, "Type", 112.0, ColumnKind::Text),
        ColumnSpec::new("found", "Found", 420.0, ColumnKind::Code),
    ]
}

fn cell(hit: &SearchHit, key: &str, view: &PayloadsView) -> Cell {
    let shown = |text: Option<String>| Cell::text(text.unwrap_or_default());
    match key {
        POSITION => shown(hit.position.as_ref().map(ToString::to_string)),
        TIME => {
            let time = hit.time.map(|time: Timestamp| time.to_display(view.zone));
            Cell::inked(time.unwrap_or_default(), Ink::Soft)
        }
        STREAM => Cell::text(hit.stream.full().to_string()).with_id_at(hit.stream.id_at()),
        VERSION => shown(hit.version.map(|version| version.to_string())),
        TYPE => Cell::inked(hit.event_type.to_string(), Ink::Name),
        _ => {
            let field = match hit.field {
                Field::Data => "In the data",
                Field::Metadata => "In the metadata",
            };
            Cell::text(hit.excerpt.to_string())
                .with_mark(hit.at.clone())
                .with_tooltip(format!("{field}: {}", hit.excerpt))
        }
    }
}

fn hits_ui(ui: &mut Ui, view: &PayloadsView, local: &mut PayloadsLocal, asked: &mut Vec<PayloadAction>) {
    let columns = columns();
    let has_moved = std::mem::replace(&mut local.here, view.chosen) != view.chosen;
    let here = view.chosen.map(|row| row as u64);
    let hits = Arc::clone(&view.hits);
    let hit = |row: u64| usize::try_from(row).ok().and_then(|row| hits.get(row));
    let response = Table::new("Found in payloads", &columns)
        .rows(hits.len() as u64)
        .selected(here)
        .scroll_to(here.filter(|_| has_moved))
        .show(ui, &mut local.hits, |row, column| {
            let key = columns.get(column).map_or("", |column| &*column.key);
            hit(row).map(|hit| cell(hit, key, view)).unwrap_or_default()
        });
    let row = response.select.and_then(|row| usize::try_from(row).ok());
    asked.extend(row.map(PayloadAction::Choose));
}
