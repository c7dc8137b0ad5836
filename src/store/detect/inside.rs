//! Roles that are played inside JSON: in the metadata, or in an envelope around the data.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    model::{Json, Pointer, Segment},
    store::{
        decode::Value,
        detect::{names, values},
        layout::{Form, Role, Source, Unwrap},
    },
};

/// What stands at one place of many documents.
#[derive(Debug)]
pub(super) struct Place {
    /// Where.
    pub(super) path: Pointer,
    /// Its last name, in plain spelling.
    pub(super) name: String,
    /// In how many documents it stands.
    pub(super) count: usize,
    /// The values there, scalars only.
    pub(super) values: Vec<Json>,
    /// How often it is an object.
    pub(super) objects: usize,
}

/// The documents of one column, place by place.
#[derive(Debug)]
pub(super) struct Documents {
    pub(super) column: Arc<str>,
    pub(super) count: usize,
    pub(super) places: Vec<Place>,
}

/// Places are looked for to this depth: `event.meta.correlationId`, `state.timestamp._data_`.
const DEPTH: usize = 3;
/// More places than this come from keys that are data themselves.
const MOST_PLACES: usize = 400;

impl Documents {
    /// Collects the places of all documents of a column.
    pub(super) fn of(column: Arc<str>, docs: &[Option<Json>]) -> Self {
        let mut documents = Self { column, count: 0, places: Vec::new() };
        for doc in docs.iter().flatten() {
            if doc.as_object().is_some() {
                documents.count += 1;
                documents.add(&Pointer::root(), doc, 0);
            }
        }
        documents
    }

    fn add(&mut self, path: &Pointer, json: &Json, depth: usize) {
        let Some(object) = json.as_object().filter(|_| depth < DEPTH) else {
            return;
        };
        for (name, value) in object.iter() {
            let path = path.child(Segment::Name(Arc::clone(name)));
            let at = match self.places.iter().position(|place| place.path == path) {
                Some(at) => at,
                None if self.places.len() >= MOST_PLACES => continue,
                None => {
                    // The two halves of a wrapped value are no names of anything.
                    let is_wrapping = matches!(&**name, "_type_" | "_data_");
                    let name = if is_wrapping { String::new() } else { names::normalised(name) };
                    self.places.push(Place {
                        path: path.clone(),
                        name,
                        count: 0,
                        values: Vec::new(),
                        objects: 0,
                    });
                    self.places.len() - 1
                }
            };
            if let Some(place) = self.places.get_mut(at) {
                place.count += 1;
                match value {
                    Json::Object(_) => place.objects += 1,
                    Json::Null | Json::Array(_) => (),
                    scalar => place.values.push(scalar.clone()),
                }
            }
            self.add(&path, value, depth + 1);
        }
    }

    pub(super) fn source(&self, place: &Place) -> Source {
        Source::Json { column: Arc::clone(&self.column), path: place.path.clone() }
    }

    /// The best place for a role, with the form of its values.
    pub(super) fn find(&self, role: Role, is_metadata: bool) -> Option<(&Place, Form)> {
        let mut best: Option<(f64, &Place, Form)> = None;
        for place in &self.places {
            let Some((score, form)) = self.fit(role, place, is_metadata) else {
                continue;
            };
            if best.as_ref().is_none_or(|(known, _, _)| score > *known) {
                best = Some((score, place, form));
            }
        }
        best.map(|(_, place, form)| (place, form))
    }

    /// How well a place fits a role: by its name, by its values, the shallower the better.
    fn fit(&self, role: Role, place: &Place, is_metadata: bool) -> Option<(f64, Form)> {
        let depth = place.path.segments().len();
        let name = match place.path.segments().split_last() {
            // The library `eventsourcing` writes a time as `{"_type_": "datetime_iso", "_data_": …}`.
            Some((Segment::Name(last), before)) if **last == *"_data_" => match before.last()? {
                Segment::Name(name) => names::normalised(name),
                Segment::Index(_) => return None,
            },
            _ => place.name.clone(),
        };
        let is_header = depth > 1 && is_below_header(place);
        let depth = if place.path.to_string().ends_with("/_data_") { depth - 1 } else { depth };
        if depth > 1 && !is_header {
            return None;
        }
        // `_schema` in the data is not the domain's word.
        let is_marked = role == Role::SchemaVersion && place.path.to_string().starts_with("/_");
        let rank = inside_rank(role, &name, is_metadata || is_header || is_marked)?;
        let form = self.values_fit(role, place, &name)?;
        Some((rank - 0.05 * depth as f64 + 0.001 * place.count as f64 / self.count.max(1) as f64, form))
    }

    fn values_fit(&self, role: Role, place: &Place, name: &str) -> Option<Form> {
        let all = |test: &dyn Fn(&Json) -> bool| place.values.iter().all(test);
        let often = place.count * 10 >= self.count * 6;
        match role {
            Role::Time => {
                let forms =
                    [Form::Iso, Form::EpochSeconds, Form::EpochMillis, Form::EpochMicros, Form::EpochNanos];
                let fits = |form: &Form| {
                    !place.values.is_empty() && all(&|value| values::is_time(Value::from(value), *form))
                };
                forms.into_iter().find(|form| often && fits(form))
            }
            Role::EventType => {
                let kinds: BTreeSet<Arc<str>> =
                    place.values.iter().filter_map(Json::as_scalar_text).collect();
                let few = kinds.len() <= usize::max(60, self.count / 10);
                let names = all(&|value| value.as_text().is_some_and(values::is_identifier));
                (often && few && names && !place.values.is_empty()).then_some(Form::Plain)
            }
            Role::SchemaVersion => {
                let short = |value: &Json| value.as_scalar_text().is_some_and(|text| text.len() <= 12);
                let kinds: BTreeSet<Arc<str>> =
                    place.values.iter().filter_map(Json::as_scalar_text).collect();
                let is_plain = !matches!(name, "version" | "schema") || (often && kinds.len() <= 8);
                (!place.values.is_empty() && kinds.len() <= 20 && is_plain && all(&short))
                    .then_some(Form::Plain)
            }
            Role::Category => {
                let kinds: BTreeSet<Arc<str>> =
                    place.values.iter().filter_map(Json::as_scalar_text).collect();
                let names = all(&|value| value.as_text().is_some_and(values::is_identifier));
                (often && names && !kinds.is_empty() && kinds.len() * 3 <= self.count.max(9))
                    .then_some(Form::Plain)
            }
            Role::Version => {
                let numbers = all(&|value| Value::from(value).as_i64().is_some());
                (often && numbers && !place.values.is_empty()).then_some(Form::Plain)
            }
            Role::Stream => {
                let kinds: BTreeSet<Arc<str>> =
                    place.values.iter().filter_map(Json::as_scalar_text).collect();
                (often && kinds.len() > 1 && place.objects == 0).then_some(Form::Plain)
            }
            Role::EventId | Role::Actor => {
                (often && !place.values.is_empty() && place.objects == 0).then_some(Form::Plain)
            }
            Role::Metadata | Role::Data => {
                (place.objects > 0 && place.objects == place.count).then_some(Form::Plain)
            }
            _ => (place.objects == 0).then_some(Form::Plain),
        }
    }

    /// The member that holds the domain data, if all others are about the event.
    pub(super) fn envelope(&self) -> Option<&Place> {
        const INNER: &[&str] = &["data", "payload", "body", "event_data", "event", "properties", "content"];
        let top: Vec<&Place> = self.places.iter().filter(|place| place.path.segments().len() == 1).collect();
        let inner = top.iter().find(|place| {
            INNER.contains(&place.name.as_str()) && place.objects * 10 >= self.count * 9 && self.count > 0
        })?;
        let others = top.iter().filter(|place| place.path != inner.path);
        let mut others = others.peekable();
        others.peek()?;
        others.all(|place| is_about_the_event(&place.name)).then_some(inner)
    }

    /// Whether values are wrapped as `{"_type_": …, "_data_": …}`.
    pub(super) fn has_typed_values(&self) -> bool {
        self.places.iter().any(|place| place.path.to_string().ends_with("/_data_"))
    }

    /// The top members that are about the event: those whose place plays a role, and a few more.
    pub(super) fn about(&self, played: &[Source]) -> Option<Unwrap> {
        let tops = played.iter().filter_map(|source| match source {
            Source::Json { column, path } if *column == self.column => match path.segments().first() {
                Some(Segment::Name(name)) => Some(Arc::clone(name)),
                _ => None,
            },
            _ => None,
        });
        let mut members: BTreeSet<Arc<str>> = tops.collect();
        if members.is_empty() {
            return None;
        }
        for place in self.places.iter().filter(|place| place.path.segments().len() == 1) {
            if let Some(Segment::Name(name)) = place.path.segments().first()
                && matches!(
                    &**name,
                    "__persisted" | "originator_topic" | "originator_id" | "originator_version"
                )
            {
                members.insert(Arc::clone(name));
            }
        }
        Some(Unwrap::Without(members.into_iter().collect()))
    }
}

fn is_below_header(place: &Place) -> bool {
    const HEADERS: &[&str] = &["meta", "metadata", "headers", "header", "meta_data", "context"];
    match place.path.segments().first() {
        Some(Segment::Name(first)) => HEADERS.contains(&names::normalised(first).as_str()),
        _ => false,
    }
}

/// Whether every document is one member named after its event type.
pub(super) fn is_tagged(docs: &[Option<Json>]) -> bool {
    const PLAIN: &[&str] = &["data", "payload", "event", "value", "id", "name", "items", "metadata"];
    let tops: BTreeSet<&str> = docs.iter().flatten().filter_map(tag).collect();
    let tagged = docs.iter().flatten().filter(|doc| tag(doc).is_some()).count();
    let filled = docs.iter().flatten().count();
    tagged > 0
        && tagged * 10 >= filled * 9
        && tops.len() * 3 <= filled.max(6)
        && !tops.iter().any(|top| PLAIN.contains(top))
}

fn tag(doc: &Json) -> Option<&str> {
    match doc {
        Json::Text(name) => values::is_identifier(name).then_some(name),
        _ => {
            let object = doc.as_object().filter(|object| object.len() == 1)?;
            let (name, value) = object.member(0)?;
            let starts_upper = name.starts_with(char::is_uppercase);
            (values::is_identifier(name) && (starts_upper || value.as_object().is_some())).then_some(&**name)
        }
    }
}

fn is_about_the_event(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "id",
        "type",
        "name",
        "class",
        "version",
        "revision",
        "time",
        "timestamp",
        "meta",
        "metadata",
        "headers",
        "header",
        "tenant_id",
        "tenant",
        "actor",
        "actor_id",
        "user",
        "user_id",
        "source",
        "subject",
        "specversion",
        "datacontenttype",
        "dataschema",
        "schema",
        "persisted",
        "created_at",
        "occurred_at",
        "occurred_on",
        "recorded_at",
        "published_at",
        "topic",
        "kind",
        "context",
        "stream",
        "position",
        "sequence",
        "event",
    ];
    const STARTS: &[&str] = &[
        "event_",
        "aggregate_",
        "stream_",
        "message_",
        "correlation",
        "causation",
        "schema_",
        "command_",
        "originator_",
    ];
    NAMES.contains(&name) || STARTS.iter().any(|start| name.starts_with(start))
}

/// Names inside JSON: fewer than for columns, since domain data has names of its own.
fn inside_rank(role: Role, name: &str, is_metadata: bool) -> Option<f64> {
    let list: &[&str] = match role {
        Role::EventType => &["event_type", "event_name", "type", "name", "kind", "class"],
        Role::Time => &[
            "occurred_at",
            "occurred_on",
            "timestamp",
            "event_time",
            "time_of_recording",
            "recorded_at",
            "time",
            "created_at",
            "created",
            "date",
        ],
        Role::EventId if is_metadata => &["event_id", "message_id", "id"],
        Role::EventId => &["event_id", "id"],
        Role::CorrelationId if is_metadata => {
            &["correlation_id", "correlation", "trace_id", "correlation_stream_name", "request_id"]
        }
        Role::CorrelationId => &["correlation_id"],
        Role::CausationId if is_metadata => &[
            "causation_id",
            "causation",
            "caused_by",
            "causation_message_global_position",
            "source_id",
            "command_id",
        ],
        Role::CausationId => &["causation_id", "caused_by"],
        Role::SchemaVersion if is_metadata => {
            &["schema_version", "event_schema_version", "event_version", "class_version", "schema", "version"]
        }
        Role::SchemaVersion => &["schema_version", "event_version", "class_version"],
        Role::Actor if is_metadata => &["actor", "actor_id", "user_id", "user", "username", "u", "principal"],
        Role::Category => &["aggregate_type", "aggregate_root_type", "stream_type", "aggregate_name"],
        Role::Metadata => &["metadata", "meta", "headers", "meta_data"],
        Role::Stream => &[
            "stream_id",
            "stream_name",
            "aggregate_id",
            "aggregate_uuid",
            "aggregate_root_id",
            "originator_id",
            "stream",
        ],
        Role::Version => {
            &["stream_version", "aggregate_version", "aggregate_root_version", "originator_version"]
        }
        _ => return None,
    };
    let place = list.iter().position(|known| *known == name)?;
    Some(1.0 - 0.5 * place as f64 / list.len() as f64)
}
