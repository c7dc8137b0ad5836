//! From a row of the database to an event, whatever the row holds.

use std::{borrow::Cow, cell::OnceCell, sync::Arc};

use rusqlite::{Row, types::ValueRef};

use crate::{
    model::{
        EventKey, GlobalPosition, Json, KeyPart, LastDay, Payload, RecordedEvent, Stored, StreamName,
        StreamVersion, Timestamp,
    },
    store::{
        decode::{self, Value, id_text},
        detect::class_of,
        layout::{Form, Role, Unwrap},
        pages::PageRow,
        sqlite::plan::{Select, Take},
    },
};

/// The id that events without a stream are listed under.
pub(super) const NO_STREAM: &str = "(null)";

/// The values of a row, from SQLite or from a page of our own decoding.
#[derive(Clone, Copy)]
pub(super) enum Cells<'r> {
    /// A row of a statement.
    Row(&'r Row<'r>),
    /// A row of a page, with the columns that the statement would have.
    Page(&'r PageRow<'r>),
    /// A row that was copied out of the database.
    Copied(&'r [Stored]),
}

impl<'r> From<&'r [Stored]> for Cells<'r> {
    fn from(row: &'r [Stored]) -> Self {
        Self::Copied(row)
    }
}

impl<'r> From<&'r Row<'r>> for Cells<'r> {
    fn from(row: &'r Row<'r>) -> Self {
        Self::Row(row)
    }
}

/// A row, its roles, and the JSON in it as far as roles need it.
pub(super) struct Fields<'r> {
    row: Cells<'r>,
    select: &'r Select,
    parsed: Vec<(usize, OnceCell<Option<Json>>)>,
}

/// A stream's name as one row spells it.
pub(super) struct Named<'a> {
    pub(super) category: Option<Cow<'a, str>>,
    pub(super) id: Cow<'a, str>,
    pub(super) stored: Option<Cow<'a, str>>,
}

impl<'r> Fields<'r> {
    pub(super) fn new(row: impl Into<Cells<'r>>, select: &'r Select) -> Self {
        // Mostly there is none, and collecting nothing costs as much as a column, for every row.
        let cells = || select.json.iter().map(|at| (*at, OnceCell::new())).collect();
        let parsed = if select.json.is_empty() { Vec::new() } else { cells() };
        Self { row: row.into(), select, parsed }
    }

    /// The column's value; a value that cannot be had counts as none.
    #[inline]
    pub(super) fn column(&self, at: usize) -> Value<'_> {
        match self.row {
            Cells::Row(row) => row.get_ref(at).map_or(Value::Null, Value::from),
            Cells::Page(row) => row.column(at),
            Cells::Copied(row) => row.get(at).map_or(Value::Null, Value::from),
        }
    }

    /// Whether values that nobody looks at cost nothing.
    pub(super) fn is_lazy(&self) -> bool {
        matches!(self.row, Cells::Page(_))
    }

    /// The JSON of a column, parsed once a row.
    fn json(&self, at: usize) -> Option<&Json> {
        let (_, cell) = self.parsed.iter().find(|(known, _)| *known == at)?;
        cell.get_or_init(|| decode::read(self.column(at)).1.ok()).as_ref()
    }

    /// The value of a role as it is stored, and how it is written.
    #[inline]
    fn value(&self, role: Role) -> Option<(Value<'_>, Form)> {
        self.taken(self.select.of(role)?)
    }

    #[inline]
    pub(super) fn taken(&self, take: &Take) -> Option<(Value<'_>, Form)> {
        let (value, form) = match take {
            Take::Column { at, form } => (self.column(*at), *form),
            Take::Json { at, path, form } => (Value::from(path.resolve(self.json(*at)?)?), *form),
            Take::Tag(at) => match self.json(*at)? {
                Json::Text(tag) => (Value::Text(tag.as_bytes()), Form::Plain),
                Json::Object(members) => match members.iter().next() {
                    Some((tag, _)) if members.iter().nth(1).is_none() => {
                        (Value::Text(tag.as_bytes()), Form::Plain)
                    }
                    _ => return None,
                },
                _ => return None,
            },
            Take::Prefix(_) | Take::Class => return None,
        };
        (value != Value::Null).then_some((value, form))
    }

    /// The text of a role that names something.
    pub(super) fn text(&self, role: Role) -> Option<Cow<'_, str>> {
        if let Some(Take::Json { at, path, .. }) = self.select.of(role)
            && let Some(Json::Bool(value)) = path.resolve(self.json(*at)?)
        {
            return Some(if *value { "true" } else { "false" }.into());
        }
        let (value, form) = self.value(role)?;
        id_text(value, form)
    }

    /// The position of the row with this key, which mostly is the same number: to read it twice would cost as much
    /// as another column.
    #[inline]
    pub(super) fn position(&self, key: &[KeyPart]) -> Option<GlobalPosition> {
        if let [KeyPart::Integer(number)] = key
            && let Some(Take::Column { at: 0, .. }) = self.select.of(Role::GlobalPosition)
        {
            return Some(GlobalPosition::Number(*number));
        }
        let (value, form) = self.value(Role::GlobalPosition)?;
        match value {
            Value::Integer(number) => Some(GlobalPosition::Number(number)),
            Value::Real(_) => value.as_i64().map(GlobalPosition::Number),
            Value::Null | Value::Text(_) | Value::Blob(_) => {
                Some(GlobalPosition::Text(id_text(value, form)?.into()))
            }
        }
    }

    pub(super) fn version(&self, troubles: &mut Vec<Arc<str>>) -> Option<StreamVersion> {
        let (value, form) = self.value(Role::Version)?;
        let version = value.as_i64().map(StreamVersion);
        if version.is_none() {
            let shown = id_text(value, form).unwrap_or_default();
            troubles.push(format!("the version is no whole number: {}", brief(&shown)).into());
        }
        version
    }

    pub(super) fn time(&self, last: &mut LastDay, troubles: &mut Vec<Arc<str>>) -> Option<Timestamp> {
        let (value, form) = self.value(Role::Time)?;
        let time = decode::time_after(value, form, last);
        if time.is_none() {
            let shown = id_text(value, Form::Plain).unwrap_or_default();
            troubles.push(format!("the time cannot be read as {form}: {}", brief(&shown)).into());
        }
        time
    }

    pub(super) fn event_type(&self, troubles: &mut Vec<Arc<str>>) -> Cow<'_, str> {
        let text = self.text(Role::EventType).unwrap_or_default();
        if let Cow::Owned(_) = text {
            self.note_bad_text(Role::EventType, "event type", troubles);
        }
        text
    }

    pub(super) fn stream(&self, event_type: &str, troubles: &mut Vec<Arc<str>>) -> Named<'_> {
        let Some(text) = self.text(Role::Stream) else {
            troubles.push("the event has no stream".into());
            return Named { category: None, id: NO_STREAM.into(), stored: None };
        };
        if let Cow::Owned(_) = text {
            self.note_bad_text(Role::Stream, "stream", troubles);
        }
        match self.select.of(Role::Category) {
            None => Named { category: None, id: text.clone(), stored: Some(text) },
            Some(Take::Prefix(separator)) => prefixed(text, *separator),
            Some(Take::Class) => Named {
                category: class_of(event_type).map(|class| Cow::Owned(class.to_owned())),
                id: text.clone(),
                stored: Some(text),
            },
            Some(Take::Column { .. } | Take::Json { .. } | Take::Tag(_)) => {
                let category = self.text(Role::Category);
                if let Some(Cow::Owned(_)) = category {
                    self.note_bad_text(Role::Category, "stream type", troubles);
                }
                beside_category(category, text)
            }
        }
    }

    /// Names that are not UTF-8 are shown with replacement characters; that has to be said.
    /// Asked only of texts that could not be borrowed as they are.
    fn note_bad_text(&self, role: Role, what: &str, troubles: &mut Vec<Arc<str>>) {
        if let Some((Value::Text(bytes), _)) = self.value(role)
            && std::str::from_utf8(bytes).is_err()
        {
            troubles.push(format!("the {what} is not valid UTF-8").into());
        }
    }

    /// A payload, decoded.
    pub(super) fn payload(&self, take: Option<&Take>, unwrap: &[Unwrap]) -> Payload {
        match take {
            Some(Take::Column { at, .. }) => decode::decode(self.column(*at).to_stored(), unwrap),
            Some(Take::Json { at, path, .. }) => match self.json(*at).map(|json| path.resolve(json)) {
                Some(Some(json)) => decode::part(decode::unwrapped(json.clone(), unwrap)),
                Some(None) => Payload::absent(),
                // The whole cannot be read: say why, and keep its bytes.
                None => decode::decode(self.column(*at).to_stored(), &[]),
            },
            Some(Take::Prefix(_) | Take::Class | Take::Tag(_)) | None => Payload::absent(),
        }
    }

    /// The event without its payloads.
    pub(super) fn head(&self, key: EventKey) -> RecordedEvent {
        let mut troubles = Vec::new();
        let event_type = self.event_type(&mut troubles);
        let stream = Arc::new(self.stream(&event_type, &mut troubles).to_name());
        let shared = |role| self.text(role).map(Arc::from);
        RecordedEvent {
            position: self.position(&key.0),
            key,
            stream,
            version: self.version(&mut troubles),
            schema_version: shared(Role::SchemaVersion),
            time: self.time(&mut LastDay::default(), &mut troubles),
            event_id: shared(Role::EventId),
            correlation_id: shared(Role::CorrelationId),
            causation_id: shared(Role::CausationId),
            actor: shared(Role::Actor),
            data: Payload::absent(),
            metadata: Payload::absent(),
            event_type: event_type.into(),
            troubles,
        }
    }

    /// Adds the payloads.
    pub(super) fn fill(&self, event: &mut RecordedEvent, unwrap: &[Unwrap]) {
        event.data = self.payload(self.select.of(Role::Data), unwrap);
        event.metadata = self.payload(self.select.of(Role::Metadata), &[]);
    }
}

impl Named<'_> {
    pub(super) fn to_name(&self) -> StreamName {
        StreamName {
            category: self.category.as_deref().map(Arc::from),
            id: (&*self.id).into(),
            stored: self.stored.as_deref().map(Arc::from),
        }
    }
}

/// `order-17` is order 17; a name without the separator has no category.
pub(super) fn prefixed(text: Cow<'_, str>, separator: char) -> Named<'_> {
    let split = |text: &str| text.find(separator).filter(|at| *at > 0);
    let Some(at) = split(&text) else {
        return Named { category: None, id: text.clone(), stored: Some(text) };
    };
    let (category, rest) = halves(&text, at);
    let id = halves(&rest, separator.len_utf8()).1;
    Named { category: Some(category), id, stored: Some(text) }
}

/// Both halves of a text, borrowed where the text is.
fn halves<'a>(text: &Cow<'a, str>, at: usize) -> (Cow<'a, str>, Cow<'a, str>) {
    match text {
        Cow::Borrowed(text) => {
            let (left, right) = text.split_at_checked(at).unwrap_or_default();
            (left.into(), right.into())
        }
        Cow::Owned(text) => {
            let (left, right) = text.split_at_checked(at).unwrap_or_default();
            (left.to_owned().into(), right.to_owned().into())
        }
    }
}

/// Type and id from separate columns. Where the id repeats the type in front (`order-17` of type
/// `order`), it is the store's own name of the stream.
pub(super) fn beside_category<'a>(category: Option<Cow<'a, str>>, text: Cow<'a, str>) -> Named<'a> {
    let at = category
        .as_deref()
        .filter(|category| !category.is_empty())
        .and_then(|category| text.strip_prefix(category)?.strip_prefix(['-', '|', '/', '$', '_', ':']))
        .map(|id| text.len() - id.len());
    match at {
        Some(at) => Named { category, id: halves(&text, at).1, stored: Some(text) },
        None => Named { category, id: text, stored: None },
    }
}

fn brief(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The key that a row begins with.
pub(super) fn key_of(row: &Row<'_>, columns: usize, part: Option<usize>) -> EventKey {
    let mut key = Vec::new();
    read_key(row, columns, part, &mut key);
    EventKey(key.into())
}

/// The same, into a list whose room is used again.
pub(super) fn read_key(row: &Row<'_>, columns: usize, part: Option<usize>, key: &mut Vec<KeyPart>) {
    // Nearly always it is one number, and so was the last.
    if columns == 1
        && part.is_none()
        && let [KeyPart::Integer(last)] = key.as_mut_slice()
        && let Ok(ValueRef::Integer(number)) = row.get_ref(0)
    {
        *last = number;
        return;
    }
    key.clear();
    key.extend(part.map(|part| KeyPart::Integer(part as i64)));
    key.extend((0..columns).map(|at| match row.get_ref(at) {
        Ok(ValueRef::Integer(number)) => KeyPart::Integer(number),
        Ok(ValueRef::Text(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => KeyPart::Text(text.into()),
            Err(_) => KeyPart::Blob(bytes.into()),
        },
        Ok(ValueRef::Blob(bytes)) => KeyPart::Blob(bytes.into()),
        Ok(ValueRef::Real(_) | ValueRef::Null) | Err(_) => KeyPart::Null,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(named: &Named<'_>, expected: &str) {
        let name = named.to_name();
        let found = format!("{:?} {} = {}", name.category.as_deref(), name.id, name.full());
        assert_eq!(found, expected);
    }

    #[test]
    fn streams_are_named_as_their_store_does() {
        check(&prefixed("order-17-a".into(), '-'), "Some(\"order\") 17-a = order-17-a");
        check(&prefixed("order17".into(), '-'), "None order17 = order17");
        check(&prefixed("-17".into(), '-'), "None -17 = -17");
        check(&beside_category(Some("Order".into()), "17".into()), "Some(\"Order\") 17 = Order-17");
        check(&beside_category(Some("order".into()), "order-17".into()), "Some(\"order\") 17 = order-17");
        check(&beside_category(None, "17".into()), "None 17 = 17");
    }
}
