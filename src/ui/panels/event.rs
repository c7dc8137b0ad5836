//! The event at the cursor: its head, data, metadata and stored bytes.

use egui::RichText;

use crate::{
    model::{Payload, Pointer, RecordedEvent, Zone},
    replay::Probe,
    session::action::{Action, BrowseAction, WatchAction},
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

/// Head and parts.
pub fn event_ui(
    ui: &mut egui::Ui,
    event: Option<&RecordedEvent>,
    zone: Zone,
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
    head.show(ui, |ui| head_ui(ui, event, zone));
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
            actions.extend(payload_ui(ui, "Data", &event.data, &mut local.data, &mut local.hex));
        }
        Part::Metadata => {
            drop(payload_ui(ui, "Metadata", &event.metadata, &mut local.metadata, &mut local.hex));
        }
        Part::Bytes => hex_view(ui, "Stored bytes of the data", &event.data.stored.bytes(), &mut local.hex),
    }
}

fn head_ui(ui: &mut egui::Ui, event: &RecordedEvent, zone: Zone) {
    let text = |value: &Option<std::sync::Arc<str>>| value.as_ref().map(ToString::to_string);
    let rows = [
        ("Stream", Some(event.stream.full().to_string())),
        ("Version", event.version.map(|version| version.to_string())),
        ("Position", event.position.as_ref().map(ToString::to_string)),
        ("Time", event.time.map(|time| time.to_display(zone))),
        ("Event id", text(&event.event_id)),
        ("Correlation", text(&event.correlation_id)),
        ("Causation", text(&event.causation_id)),
        ("Schema version", text(&event.schema_version)),
        ("Actor", text(&event.actor)),
    ];
    egui::Grid::new("event head").num_columns(2).spacing([14.0, 2.0]).show(ui, |ui| {
        for (name, value) in rows {
            let Some(value) = value else { continue };
            ui.weak(name);
            let label =
                egui::Label::new(RichText::new(&value).monospace()).truncate().sense(egui::Sense::click());
            let response = ui.add(label).on_hover_text("Click to copy");
            if response.clicked() {
                ui.ctx().copy_text(value);
            }
            ui.end_row();
        }
    });
}

/// A decoded payload as a tree, another as bytes; returns what was asked of a value in it.
fn payload_ui(
    ui: &mut egui::Ui,
    name: &str,
    payload: &Payload,
    tree: &mut TreeState,
    hex: &mut Scroll,
) -> Option<Action> {
    match &payload.decoded {
        Ok(value) => {
            let mut asked = None;
            let mut menu = |ui: &mut egui::Ui, path: &Pointer| {
                if name != "Data" {
                    return;
                }
                for (name, action) in [
                    ("Show as a column of the events", Action::Browse(BrowseAction::AddColumn(path.clone()))),
                    ("Watch this", Action::Watches(WatchAction::Add(Probe::Event(path.clone())))),
                ] {
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
