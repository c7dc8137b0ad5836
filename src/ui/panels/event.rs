//! The event at the cursor: its head, data, metadata and stored bytes.

use std::sync::Arc;

use egui::RichText;

use crate::{
    model::{Payload, Pointer, RecordedEvent, Zone},
    replay::Probe,
    session::{
        action::{Action, BrowseAction, PayloadAction, WatchAction},
        view::ColumnPath,
    },
    store::search::{Field, IdKind, SoughtId},
    ui::widgets::{
        empty::empty_panel,
        hex::hex_view,
        icon::{Icon, trouble_label},
        json_tree::{JsonTree, TreeState},
        rows::Scroll,
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct EventLocal {
    shown: Part,
    data: TreeState,
    metadata: TreeState,
    hex: Scroll,
}

/// Which part of the event is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Part {
    #[default]
    Data,
    Metadata,
    Bytes,
}

/// The height that is left to the payload and the names of its parts, in points: in a low window the head is
/// scrolled, and never takes all of it.
const PAYLOAD: f32 = 170.0;

/// Something of the head is always seen, in points.
const LEAST_HEAD: f32 = 48.0;

/// What is known of the ids of this store's events.
pub struct Ids<'a> {
    /// Whether events say what caused them.
    pub has_causes: bool,
    /// How long reading the ids of all events takes; nothing if they are soon read.
    pub estimate: Option<&'a str>,
}

/// Head and parts.
pub fn event_ui(
    ui: &mut egui::Ui,
    event: Option<&RecordedEvent>,
    (zone, ids): (Zone, &Ids<'_>),
    local: &mut EventLocal,
    actions: &mut Vec<Action>,
) {
    let Some(event) = event else {
        empty_panel(ui, Icon::Info, "No event here", "Choose an event, or move the cursor onto one", None);
        return;
    };
    ui.horizontal_wrapped(|ui| {
        let name = if event.event_type.is_empty() { "(no type)" } else { &*event.event_type };
        ui.label(RichText::new(name).strong().size(15.0));
        if ui.small_button("Copy as JSON").on_hover_text("Copy this event as JSON (Ctrl+Shift+C)").clicked() {
            ui.ctx().copy_text(event.to_json().to_pretty());
        }
    });
    let room = (ui.available_height() - PAYLOAD).max(LEAST_HEAD);
    let head = egui::ScrollArea::vertical().id_salt("event head").max_height(room);
    head.show(ui, |ui| head_ui(ui, event, zone, ids, actions));
    for trouble in &event.troubles {
        trouble_label(ui, trouble.to_string());
    }
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        for (part, name) in
            [(Part::Data, "Data"), (Part::Metadata, "Metadata"), (Part::Bytes, "Stored bytes")]
        {
            ui.selectable_value(&mut local.shown, part, name);
        }
        ui.weak(match local.shown {
            Part::Data | Part::Bytes => event.data.encoding.to_string(),
            Part::Metadata => event.metadata.encoding.to_string(),
        });
    });
    match local.shown {
        Part::Data => {
            actions.extend(payload_ui(ui, Field::Data, &event.data, &mut local.data, &mut local.hex));
        }
        Part::Metadata => {
            actions.extend(payload_ui(
                ui,
                Field::Metadata,
                &event.metadata,
                &mut local.metadata,
                &mut local.hex,
            ));
        }
        Part::Bytes => hex_view(ui, "Stored bytes of the data", &event.data.stored.bytes(), &mut local.hex),
    }
}

fn head_ui(ui: &mut egui::Ui, event: &RecordedEvent, zone: Zone, ids: &Ids<'_>, actions: &mut Vec<Action>) {
    let plain = |value: Option<String>| value.map(|value| (Arc::from(value), None));
    let id = |id: &Option<Arc<str>>, kind| id.clone().map(|id| (id, Some(kind)));
    let text = |text: &Option<Arc<str>>| text.clone().map(|text| (text, None));
    let rows: [(&str, Shown); 9] = [
        ("Stream", Some((event.stream.full(), None))),
        ("Version", plain(event.version.map(|version| version.to_string()))),
        ("Position", plain(event.position.as_ref().map(ToString::to_string))),
        ("Time", plain(event.time.map(|time| time.to_display(zone)))),
        ("Event id", id(&event.event_id, IdOf::Itself)),
        ("Correlation", id(&event.correlation_id, IdOf::Others)),
        ("Causation", id(&event.causation_id, IdOf::Cause)),
        ("Schema version", text(&event.schema_version)),
        ("Actor", text(&event.actor)),
    ];
    egui::Grid::new("event head").num_columns(2).spacing([14.0, 2.0]).show(ui, |ui| {
        for (name, value) in rows {
            let Some((value, kind)) = value else { continue };
            ui.weak(name);
            let label =
                egui::Label::new(RichText::new(&*value).monospace()).truncate().sense(egui::Sense::click());
            let response = ui.add(label);
            match kind {
                Some(kind) => id_menus_ui(&response, &value, kind, ids, actions),
                None if response.on_hover_text("Click to copy").clicked() => {
                    ui.ctx().copy_text(value.to_string());
                }
                None => (),
            }
            ui.end_row();
        }
    });
}

/// A value of the head, if the event has it, and whose id it is.
type Shown = Option<(Arc<str>, Option<IdOf>)>;

/// Whose id it is.
#[derive(Clone, Copy)]
enum IdOf {
    /// The event's own.
    Itself,
    /// That of all events which belong together.
    Others,
    /// That of the event which caused this one.
    Cause,
}

/// The menu of an id, by either button of the mouse.
fn id_menus_ui(
    response: &egui::Response,
    id: &Arc<str>,
    kind: IdOf,
    ids: &Ids<'_>,
    actions: &mut Vec<Action>,
) {
    response.clone().on_hover_text(format!("{id}\nClick to copy or to follow it"));
    let is_asked = response.clicked() || response.secondary_clicked();
    egui::Popup::menu(response)
        .open_memory(is_asked.then_some(egui::SetOpenCommand::Toggle))
        .show(|ui| id_menu_ui(ui, id, kind, ids, actions));
}

fn id_menu_ui(ui: &mut egui::Ui, id: &Arc<str>, kind: IdOf, ids: &Ids<'_>, actions: &mut Vec<Action>) {
    let search = |kind| {
        let sought = SoughtId { kind, id: Arc::clone(id) };
        Action::Payloads(PayloadAction::SearchId(sought))
    };
    let caused = ("Find what it caused", search(IdKind::Causation));
    let items: Vec<(&str, Action)> = match kind {
        IdOf::Itself => ids.has_causes.then_some(caused).into_iter().collect(),
        IdOf::Others => vec![("Find all events with this correlation id", search(IdKind::Correlation))],
        IdOf::Cause => vec![
            ("Go to the event that caused this", Action::Browse(BrowseAction::GoToId(Arc::clone(id)))),
            ("Find all events with this cause", search(IdKind::Causation)),
        ],
    };
    if ui.button("Copy").clicked() {
        ui.ctx().copy_text(id.to_string());
        ui.close();
    }
    let is_long = !items.is_empty();
    for (name, action) in items {
        if ui.button(name).clicked() {
            actions.push(action);
            ui.close();
        }
    }
    if let Some(words) = ids.estimate.filter(|_| is_long) {
        ui.weak(format!("Reads the ids of all events: {words}"));
    }
}

/// A decoded payload as a tree, another as bytes; returns what was asked of a value in it.
fn payload_ui(
    ui: &mut egui::Ui,
    field: Field,
    payload: &Payload,
    tree: &mut TreeState,
    hex: &mut Scroll,
) -> Option<Action> {
    let name = match field {
        Field::Data => "Data",
        Field::Metadata => "Metadata",
    };
    match &payload.decoded {
        Ok(value) => {
            let mut asked = None;
            let mut menu = |ui: &mut egui::Ui, path: &Pointer| {
                let column = ColumnPath { field, path: path.clone() };
                let column =
                    ("Show as a column of the events", Action::Browse(BrowseAction::AddColumn(column)));
                let watch = ("Watch this", Action::Watches(WatchAction::Add(Probe::Event(path.clone()))));
                // Watches see the data alone.
                let watch = (field == Field::Data).then_some(watch);
                for (name, action) in std::iter::once(column).chain(watch) {
                    if ui.button(name).clicked() {
                        asked = Some(action);
                        ui.close();
                    }
                }
            };
            JsonTree::new(name, value).menu(&mut menu).show(ui, tree);
            asked
        }
        Err(reason) => {
            trouble_label(ui, reason.to_string());
            hex_view(ui, name, &payload.stored.bytes(), hex);
            None
        }
    }
}
