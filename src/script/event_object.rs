//! The object that handlers get for an event: eleven members that are there from the start, and four that
//! join them when they are first read.

use std::{rc::Rc, sync::Arc};

use rquickjs::{Ctx, Object, Result, String as Text, Value};

use crate::{
    model::Json,
    script::{
        build::build,
        build_text::build_text,
        envelope::{Envelope, Part},
        host::Host,
        rounding::roundings,
        step::Fault,
    },
};

/// Members that become own properties when they are first read, in the order in which the serialiser
/// reads them.
pub(crate) const LATE: [&str; 4] = ["body", "data", "metadata", "linkMetadata"];

/// Members that are there from the start, in their order.
pub(crate) const MEMBERS: [&str; 11] = [
    "partition",
    "created",
    "bodyRaw",
    "metadataRaw",
    "streamId",
    "eventId",
    "eventType",
    "isJson",
    "linkMetadataRaw",
    "category",
    "sequenceNumber",
];

/// Deeper nesting is not read by the dialect.
pub(crate) const MAX_DEPTH: usize = 64;

/// What an event object's members are made of.
pub(crate) struct EventCell {
    pub(crate) host: Rc<Host>,
    event: Arc<Envelope>,
    /// None where handlers see an empty one.
    partition: Option<Arc<str>>,
    has_category: bool,
}

/// The object for an event. Partition and category depend on who is asked.
pub(crate) fn event_object<'js>(
    host: &Rc<Host>,
    ctx: &Ctx<'js>,
    event: &Arc<Envelope>,
    partition: Option<&Arc<str>>,
    has_category: bool,
) -> Result<Value<'js>> {
    let cell = EventCell {
        host: Rc::clone(host),
        event: Arc::clone(event),
        partition: partition.cloned(),
        has_category,
    };
    Ok(host.event_object(ctx, cell)?.into_value())
}

/// The value of a member that is there from the start, by its place among [`MEMBERS`].
pub(crate) fn read_member<'js>(cell: &EventCell, ctx: &Ctx<'js>, place: usize) -> Result<Value<'js>> {
    let event = &cell.event;
    let text = |text: &str| Text::from_str(ctx.clone(), text).map(Text::into_value);
    let raw_text = |part: &Part| match &part.text {
        Some(found) => text(found),
        None => Ok(Value::new_null(ctx.clone())),
    };
    match MEMBERS.get(place).copied().unwrap_or_default() {
        "partition" => text(cell.partition.as_deref().unwrap_or_default()),
        "created" => text(&event.created_at()),
        "bodyRaw" => raw_text(&event.data),
        "metadataRaw" => raw_text(&event.metadata),
        "streamId" => text(&event.stream),
        "eventId" => text(&event.event_id),
        "eventType" => text(&event.event_type),
        "isJson" => Ok(Value::new_bool(ctx.clone(), event.is_json)),
        "linkMetadataRaw" => raw_text(&event.link_metadata),
        "category" => text(if cell.has_category { event.category() } else { "" }),
        _ => Ok(Value::new_number(ctx.clone(), event.sequence_number as f64)),
    }
}

/// The value of a late member, made anew.
pub(crate) fn read_late<'js>(cell: &EventCell, ctx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
    match name {
        "body" | "data" => body(cell, ctx),
        "metadata" => parsed(cell, ctx, &cell.event.metadata, "metadata"),
        _ => parsed(cell, ctx, &cell.event.link_metadata, "link metadata"),
    }
}

fn body<'js>(cell: &EventCell, ctx: &Ctx<'js>) -> Result<Value<'js>> {
    if !cell.event.is_json {
        return Ok(Value::new_undefined(ctx.clone()));
    }
    let value = parsed(cell, ctx, &cell.event.data, "data")?;
    let is_readable = value.is_object() || value.is_null() || cell.host.options.is_mended();
    if is_readable {
        return Ok(value);
    }
    Err(cell.host.refuse(ctx, Fault::HandlerError, "the event's data is neither an object nor an array"))
}

fn parsed<'js>(cell: &EventCell, ctx: &Ctx<'js>, part: &Part, what: &str) -> Result<Value<'js>> {
    let Part { text, json } = part;
    if let Some(text) = text
        && let Some(value) = build_text(ctx, &cell.host, text)
    {
        return value;
    }
    let parsed;
    let json = match (json, text) {
        (Some(json), _) => json,
        (None, None) => return Ok(Value::new_null(ctx.clone())),
        (None, Some(text)) => {
            parsed = read(text).map_err(|why| {
                let message = format!("the event's {what} is not valid JSON: {why}");
                cell.host.refuse(ctx, Fault::MalformedEvent, &message)
            })?;
            &parsed
        }
    };
    if is_deeper_than(json, MAX_DEPTH) {
        let message = format!("the event's {what} is nested deeper than {MAX_DEPTH} levels");
        return Err(cell.host.refuse(ctx, Fault::MalformedEvent, &message));
    }
    // Our own trees hold whole characters only; the language also has halves of them.
    if let Some(text) = text.as_ref().filter(|text| has_halves(text)) {
        return ctx.json_parse(text.as_bytes());
    }
    let (value, lost_digits) = build(ctx, &mut cell.host.atoms.borrow_mut(), json)?;
    if lost_digits && what == "data" {
        cell.host.note_roundings(roundings(json));
    }
    Ok(value)
}

fn read(text: &Arc<str>) -> std::result::Result<Json, String> {
    if text.starts_with('\u{feff}') {
        return Err("it begins with a byte order mark".to_owned());
    }
    Json::parse(text.as_bytes()).map_err(|err| err.to_string())
}

/// Whether the text spells surrogates, be they in pairs or not.
fn has_halves(text: &str) -> bool {
    text.contains("\\ud") || text.contains("\\uD")
}

/// Whether a value has more levels of arrays and objects than `most`.
pub(crate) fn is_deeper_than(json: &Json, most: usize) -> bool {
    match json {
        Json::Array(items) => most == 0 || items.iter().any(|item| is_deeper_than(item, most - 1)),
        Json::Object(object) => {
            most == 0 || object.iter().any(|(_, member)| is_deeper_than(member, most - 1))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => false,
    }
}

/// Reads all late members, as the serialiser does before it lists an event's properties.
pub(crate) fn read_all_late(object: &Object<'_>) -> Result<()> {
    for name in LATE {
        let _value: Value<'_> = object.get(name)?;
    }
    Ok(())
}
