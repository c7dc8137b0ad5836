//! What a reading still lacks, taken from inside documents and names; what is wrapped; what is odd.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    model::{Encoding, Json, Stored},
    store::{
        decode::{Value, id_text},
        detect::{
            inside::{self, Documents},
            look::Look,
            roles::Reading,
            values,
        },
        layout::{Form, Mapping, Role, Source, Unwrap},
    },
};

/// Roles that metadata may play, and data where it is an envelope.
const INSIDE: [Role; 10] = [
    Role::Stream,
    Role::Version,
    Role::EventType,
    Role::Time,
    Role::EventId,
    Role::CorrelationId,
    Role::CausationId,
    Role::SchemaVersion,
    Role::Actor,
    Role::Metadata,
];

/// Completes a reading from documents, names and values; `open` says which roles may still be set.
pub(super) fn finish(look: &Look<'_>, reading: &mut Reading, open: &dyn Fn(Role) -> bool) {
    let documents = |role: Role| {
        let column = reading.columns.get(&role).copied()?;
        let documents = Documents::of(look.name(column), &look.profile(column).docs);
        Some((column, documents))
    };
    let (metadata, data) = (documents(Role::Metadata), documents(Role::Data));
    if let Some((_, metadata)) = &metadata {
        inside_roles(reading, metadata, true, open);
    }
    let mut played = Vec::new();
    if let Some((column, data)) = &data {
        if inside::is_tagged(&look.profile(*column).docs) && agrees_with_type(look, reading, *column) {
            tagged(reading, data, open);
        } else {
            played = inside_roles(reading, data, false, open);
            unwrap(reading, data, &played, open);
        }
        if data.has_typed_values() {
            reading.unwrap.insert(0, Unwrap::TypedValues);
        }
    }
    if open(Role::Time) && !reading.roles.contains_key(&Role::Time) {
        time_in_id(look, reading);
    }
    if open(Role::Category) && !reading.roles.contains_key(&Role::Category) {
        category(look, reading, [&metadata, &data].into_iter().flatten().map(|(_, documents)| documents));
        played.extend(reading.roles.get(&Role::Category).map(|mapping| mapping.source.clone()));
    }
    oddities(look, reading);
}

/// Sets the roles that are open and stand inside these documents; returns the places taken.
fn inside_roles(
    reading: &mut Reading,
    documents: &Documents,
    is_metadata: bool,
    open: &dyn Fn(Role) -> bool,
) -> Vec<Source> {
    let is_envelope = is_metadata || documents.envelope().is_some();
    let mut played = Vec::new();
    for role in INSIDE {
        let only_in_envelopes = matches!(role, Role::EventId | Role::Stream | Role::Version) && !is_envelope;
        if reading.roles.contains_key(&role) || !open(role) || only_in_envelopes {
            continue;
        }
        let Some((place, form)) = documents.find(role, is_metadata) else {
            continue;
        };
        let source = documents.source(place);
        let evidence = format!(
            "inside `{}`, in {} of {} documents looked at",
            documents.column, place.count, documents.count
        );
        let is_named =
            role == Role::CausationId && !place.values.is_empty() && place.values.iter().all(is_name);
        if is_named {
            reading.problems.push(format!("{source} holds names, not ids: causes cannot be followed"));
        }
        let is_uncertain =
            is_named || (role == Role::Time && !is_envelope && !source.to_string().ends_with("._data_"));
        reading.roles.insert(role, Mapping { source: source.clone(), form, evidence, is_uncertain });
        played.push(source);
    }
    played
}

/// A name in words, such as a command's, and no id.
fn is_name(value: &Json) -> bool {
    value.as_text().is_some_and(|text| {
        values::is_identifier(text) && !text.bytes().any(|byte| byte.is_ascii_digit()) && text.len() > 3
    })
}

/// Whether the one member is named as the event type is, where there is an event type.
fn agrees_with_type(look: &Look<'_>, reading: &Reading, data: usize) -> bool {
    let Some(kind) = reading.columns.get(&Role::EventType) else {
        return true;
    };
    let docs = look.profile(data).docs.iter().zip(&look.sample.rows);
    let agreeing = docs.filter(|(doc, row)| {
        let tag =
            doc.as_ref().and_then(|doc| doc.as_text().or_else(|| Some(&**doc.as_object()?.member(0)?.0)));
        let kind = row.get(*kind).and_then(|cell| Value::from(cell).as_str());
        tag.zip(kind).is_some_and(|(tag, kind)| kind.contains(tag) || tag.contains(kind))
    });
    agreeing.count() * 10 >= look.profile(data).filled * 8
}

fn tagged(reading: &mut Reading, data: &Documents, open: &dyn Fn(Role) -> bool) {
    reading.unwrap.push(Unwrap::TypeTag);
    if open(Role::EventType) && !reading.roles.contains_key(&Role::EventType) {
        let mapping = Mapping {
            source: Source::TypeTag { column: Arc::clone(&data.column) },
            form: Form::Plain,
            evidence: format!("every `{}` is one member, named after its type", data.column),
            is_uncertain: false,
        };
        reading.roles.insert(Role::EventType, mapping);
    }
}

/// Takes the envelope off: reads the member that holds the domain data, or leaves out what is not.
fn unwrap(reading: &mut Reading, data: &Documents, played: &[Source], open: &dyn Fn(Role) -> bool) {
    if let Some(inner) = data.envelope().filter(|_| open(Role::Data)) {
        if let Some(mapping) = reading.roles.get_mut(&Role::Data) {
            mapping.source = data.source(inner);
            mapping.evidence =
                format!("the domain's part of the envelope in `{}`; {}", data.column, mapping.evidence);
        }
        return;
    }
    // Domain data may repeat an id or a time; only where the type stands inside, too, or several
    // roles do, is it an envelope.
    let is_envelope = played.len() >= 2
        || reading.roles.get(&Role::EventType).is_some_and(|mapping| played.contains(&mapping.source));
    if is_envelope && let Some(step) = data.about(played) {
        reading.unwrap.push(step);
    }
}

/// The time inside an id that sorts by time, where there is no other.
fn time_in_id(look: &Look<'_>, reading: &mut Reading) {
    let ids = [Role::EventId, Role::GlobalPosition]
        .into_iter()
        .filter_map(|role| reading.columns.get(&role).copied());
    let sortable = ids.into_iter().find(|at| {
        let profile = look.profile(*at);
        profile.mostly(profile.sortable_ids, 0.95)
    });
    let Some(column) = sortable else { return };
    let is_ulid = texts(look, column).first().is_some_and(|text| text.len() == 26);
    let form = if is_ulid { Form::Ulid } else { Form::UuidV7 };
    let mapping = Mapping {
        source: Source::Column { table: None, column: look.name(column) },
        form,
        evidence: "there is no time of its own; this one is inside the id".to_owned(),
        is_uncertain: true,
    };
    reading.roles.insert(Role::Time, mapping);
}

/// The kind of stream where no column says it.
fn category<'a>(look: &Look<'_>, reading: &mut Reading, documents: impl Iterator<Item = &'a Documents>) {
    if let Some(stream) = reading.columns.get(&Role::Stream).copied()
        && let Some(mapping) = prefix(&look.name(stream), &texts(look, stream))
    {
        reading.roles.insert(Role::Category, mapping);
        return;
    }
    for documents in documents {
        if let Some((place, form)) = documents.find(Role::Category, true) {
            let evidence = format!(
                "inside `{}`, in {} of {} documents looked at",
                documents.column, place.count, documents.count
            );
            let mapping = Mapping { source: documents.source(place), form, evidence, is_uncertain: false };
            reading.roles.insert(Role::Category, mapping);
            return;
        }
    }
    let classes = reading.columns.get(&Role::EventType).map(|at| texts(look, *at)).unwrap_or_default();
    let with_class = classes.iter().filter(|text| class_of(text).is_some()).count();
    if with_class > 0 && with_class * 10 >= classes.len() * 9 {
        let mapping = Mapping {
            source: Source::TypeClass,
            form: Form::Plain,
            evidence: "event types are written `module:Class.Event`".to_owned(),
            is_uncertain: false,
        };
        reading.roles.insert(Role::Category, mapping);
    }
}

/// The class in `module:Class.Event`.
#[must_use]
pub fn class_of(event_type: &str) -> Option<&str> {
    let (module, path) = event_type.split_once(':')?;
    let (class, event) = path.rsplit_once('.')?;
    let is_name = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '<' | '>'))
    };
    (is_name(module) && is_name(class) && is_name(event)).then_some(class)
}

pub(super) fn texts(look: &Look<'_>, column: usize) -> Vec<String> {
    let cells =
        look.sample.rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Stored::Null);
    cells.filter_map(|cell| id_text(Value::from(cell), Form::Plain)).map(|text| text.into_owned()).collect()
}

/// `order-17`, `Order|17`, `order/17`: the separator that leaves few kinds and many ids.
pub(super) fn prefix(column: &str, names: &[String]) -> Option<Mapping> {
    let names: BTreeSet<&str> =
        names.iter().map(String::as_str).filter(|name| !name.starts_with(['$', '@'])).collect();
    let whole_ids = names.iter().filter(|name| values::is_id(name)).count();
    if names.is_empty() || whole_ids * 5 > names.len() {
        return None;
    }
    let found = ['-', '|', '/', '$', ':', '_'].into_iter().filter_map(|separator| {
        let score = prefix_score(&names, separator, column)?;
        Some((score, separator))
    });
    let (_, separator) = found.max_by(|left, right| left.0.total_cmp(&right.0))?;
    Some(Mapping {
        source: Source::StreamPrefix { separator },
        form: Form::Plain,
        evidence: format!("`{column}` is written as a kind, \"{separator}\" and an id"),
        is_uncertain: false,
    })
}

fn prefix_score(names: &BTreeSet<&str>, separator: char, column: &str) -> Option<f64> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut split, mut ids, mut numbers, mut decimals) = (0, 0, 0, 0);
    for name in names {
        let Some((kind, id)) = name.split_once(separator) else {
            continue;
        };
        let id = id.trim_start_matches(separator);
        if kind.starts_with(char::is_alphabetic) && !id.is_empty() && values::is_identifier(kind) {
            split += 1;
            *kinds.entry(kind).or_default() += 1;
            ids += usize::from(values::is_id(id));
            numbers += usize::from(is_number_like(id));
            decimals += usize::from(id.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }
    let all = names.len();
    let few = kinds.len() * 2 <= all.max(4) && kinds.len() <= 100;
    if split * 10 < all * 9 || !few {
        return None;
    }
    let ids_share = ids as f64 / all as f64;
    let numbers_share = numbers as f64 / all as f64;
    // One kind alone may be part of the id, unless what follows is an id of its own.
    let is_stream = crate::store::detect::names::normalised(column).starts_with("stream");
    let is_counted = separator == '-' && decimals == all;
    let is_named = is_stream && separator != '_' && numbers_share > 0.9;
    if kinds.len() == 1 && ids_share < 0.9 && !is_counted && !is_named {
        return None;
    }
    if separator == '_' && ids_share.max(numbers_share) < 0.9 {
        return None;
    }
    Some(2.0 * ids_share + numbers_share + if separator == '-' { 0.2 } else { 0.0 })
}

fn is_number_like(id: &str) -> bool {
    id.len() <= 40
        && id.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_hexdigit())
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What the user should know about this reading.
fn oddities(look: &Look<'_>, reading: &mut Reading) {
    let mut problems = Vec::new();
    if let Some(mapping) = reading.roles.get(&Role::Time)
        && let Source::Column { table: None, column } = &mapping.source
        && let Some(at) = look.table.column(column)
        && mapping.form == Form::Iso
    {
        let times = texts(look, at);
        let is_whole =
            |text: &String| crate::model::Timestamp::parse(text).is_some_and(|time| time.digits() == 0);
        if !times.is_empty() && times.iter().all(is_whole) {
            problems.push(format!("`{column}` has whole seconds: several events share a time"));
        }
        let has_offset =
            |text: &String| text.get(10..).is_some_and(|rest| rest.contains(['Z', 'z', '+', '-']));
        if !times.is_empty() && !times.iter().any(has_offset) {
            problems.push(format!("`{column}` names no zone: its times are taken as UTC"));
        }
    }
    let data = reading.columns.get(&Role::Data).map(|at| look.name(*at)).unwrap_or_default();
    match reading.encoding {
        Encoding::Encrypted => {
            problems.push(format!("`{data}` looks encrypted: only what stands outside it can be shown"));
        }
        Encoding::Pickle | Encoding::Yaml | Encoding::Xml | Encoding::Unknown | Encoding::Text => {
            problems.push(format!("`{data}` is {} and is shown as it is stored", reading.encoding));
        }
        _ => (),
    }
    if !reading.order.is_certain {
        problems.push(format!("the global order is not certain: {}", reading.order.evidence));
    }
    if !reading.roles.contains_key(&Role::EventType) {
        problems.push("nothing names the types of the events".to_owned());
    }
    if !reading.roles.contains_key(&Role::Version) {
        problems.push("there is no stream version: events of a stream are taken in global order".to_owned());
    }
    if !reading.roles.contains_key(&Role::Time) {
        problems.push("there is no time".to_owned());
    }
    if look.is_empty() {
        problems.push(format!("`{}` is empty: its columns are told by their names alone", look.table.name));
    }
    if let Some(trouble) = &look.sample.trouble {
        problems.push(format!("`{}` could not be looked at whole: {trouble}", look.table.name));
    }
    reading.problems.extend(problems);
}
