//! An event as a projection is fed it.

use std::{borrow::Cow, sync::Arc};

use crate::model::{Encoding, Json, Payload, RecordedEvent, Stored, Timestamp};

/// A text of the event, and what it says if that is known already.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Part {
    pub(crate) text: Option<Arc<str>>,
    pub(crate) json: Option<Json>,
}

/// One event with everything that a script may see of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Envelope {
    /// The event type.
    pub event_type: Arc<str>,
    /// The full name of its stream.
    pub stream: Arc<str>,
    /// Its place in the stream.
    pub sequence_number: i64,
    /// Whether its data is meant to be JSON.
    pub is_json: bool,
    /// Its id, in lower case; empty if the store holds none.
    pub event_id: Arc<str>,
    /// When it was recorded: UTC with seven decimals; empty if the store holds no time, or while it is not
    /// written out.
    pub created: Arc<str>,
    /// The same, not yet written out: where there is no text of it.
    pub(crate) time: Option<Timestamp>,
    pub(crate) data: Part,
    pub(crate) metadata: Part,
    pub(crate) link_metadata: Part,
}

/// What stands in the place of a link in a stream of links.
const LINK: &str = "$>";

const NULL: &str = "null";

impl Envelope {
    /// Reads the form in which conformance cases write an event: `eventType`, `streamId`,
    /// `sequenceNumber`, `isJson`, `eventId`, `created`, and `data`, `metadata`, `linkMetadata` as texts.
    ///
    /// Fails with what is missing or of the wrong kind.
    pub fn from_case(json: &Json) -> Result<Self, String> {
        let text = |name: &str| json.get(name).and_then(Json::as_text);
        let needed = |name: &str| text(name).ok_or_else(|| format!("an event has no text `{name}`"));
        let part = |name: &str| Part { text: text(name).map(Arc::from), json: None };
        let number = json.get("sequenceNumber").and_then(|number| match number {
            Json::Number(number) => number.as_i64(),
            _ => None,
        });
        Ok(Self {
            event_type: needed("eventType")?.into(),
            stream: needed("streamId")?.into(),
            sequence_number: number.ok_or("an event has no whole number `sequenceNumber`")?,
            is_json: !matches!(json.get("isJson"), Some(Json::Bool(false))),
            event_id: text("eventId").unwrap_or_default().to_lowercase().into(),
            created: seven_decimals(text("created").unwrap_or_default()),
            time: None,
            data: part("data"),
            metadata: part("metadata"),
            link_metadata: part("linkMetadata"),
        })
    }

    /// Reads the form of `timeglass events --ndjson`.
    ///
    /// Fails with what is missing or of the wrong kind.
    pub fn from_listing(json: &Json) -> Result<Self, String> {
        let text = |name: &str| json.get(name).and_then(Json::as_text).unwrap_or_default();
        let part = |name: &str| match json.get(name) {
            None | Some(Json::Null) => Part::default(),
            Some(value) => Part { text: Some(value.to_compact().into()), json: Some(value.clone()) },
        };
        let number = |name: &str| match json.get(name) {
            Some(Json::Number(number)) => number.as_i64(),
            _ => None,
        };
        let stream = json.get("stream").and_then(Json::as_text).ok_or("an event has no text `stream`")?;
        Ok(Self {
            event_type: text("type").into(),
            stream: stream.into(),
            sequence_number: number("version").or_else(|| number("position")).unwrap_or(0),
            is_json: json.get("data_problem").is_none(),
            event_id: text("event_id").to_lowercase().into(),
            created: seven_decimals(text("time")),
            time: None,
            data: part("data"),
            metadata: part("metadata"),
            link_metadata: Part::default(),
        })
    }

    /// An event for a reducer. One without data has the data null, so that handlers run for it, too.
    #[must_use]
    pub fn of_history(event: &RecordedEvent) -> Self {
        let mut envelope = Self::from(event);
        if event.data.encoding == Encoding::Absent {
            envelope.data = Part { text: Some(NULL.into()), json: Some(Json::Null) };
        }
        envelope
    }

    /// Gives it these texts as its data and metadata; none where the store holds none.
    pub fn set_texts(&mut self, data: Option<&str>, metadata: Option<&str>) {
        let part = |text: Option<&str>| Part { text: text.map(Arc::from), json: None };
        (self.data, self.metadata) = (part(data), part(metadata));
    }

    /// Says when it was recorded, which is written out when a handler asks for it.
    pub fn set_time(&mut self, time: Option<Timestamp>) {
        self.time = time;
        if !self.created.is_empty() {
            self.created = Arc::default();
        }
    }

    /// When it was recorded, as text.
    pub(crate) fn created_at(&self) -> Cow<'_, str> {
        match self.time.filter(|_| self.created.is_empty()) {
            Some(time) => written(time).into(),
            None => (&*self.created).into(),
        }
    }

    /// When it was recorded, in milliseconds of the epoch; not a number if that is not known.
    pub(crate) fn created_millis(&self) -> f64 {
        let time = self.time.or_else(|| Timestamp::parse(&self.created));
        time.map_or(f64::NAN, |time| time.nanos().div_euclid(1_000_000) as f64)
    }

    /// Whether the event came in by way of a link.
    pub(crate) fn is_link(&self) -> bool {
        &*self.event_type == LINK || self.link_metadata.text.is_some()
    }

    /// Whether there is nothing to read in its data.
    pub(crate) fn is_blank(&self) -> bool {
        self.data.text.as_ref().is_none_or(|text| text.trim().is_empty())
    }

    /// The category: the stream's name up to its first dash.
    pub(crate) fn category(&self) -> &str {
        self.stream.split('-').next().unwrap_or_default()
    }

    /// `OrderPlaced 17@order-4`, for messages.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} {}@{}", self.event_type, self.sequence_number, self.stream)
    }
}

/// What can be decoded is JSON with the text that the store holds, or the decoded value's text where the
/// store holds another encoding or a library's wrapping around it; the rest is an event that is not JSON, with its bytes as hexadecimal.
impl From<&RecordedEvent> for Envelope {
    fn from(event: &RecordedEvent) -> Self {
        let data = part(&event.data);
        Self {
            event_type: Arc::clone(&event.event_type),
            stream: event.stream.full(),
            sequence_number: event.version.map_or(0, |version| version.0),
            is_json: event.data.decoded.is_ok(),
            event_id: event.event_id.clone().unwrap_or_default(),
            created: event.time.map(|time| written(time).into()).unwrap_or_default(),
            time: None,
            data,
            metadata: part(&event.metadata),
            link_metadata: Part::default(),
        }
    }
}

fn part(payload: &Payload) -> Part {
    match (&payload.decoded, payload.encoding) {
        (Ok(_), Encoding::Absent) => Part::default(),
        (Ok(json), Encoding::JsonText | Encoding::JsonBytes)
            if !payload.is_unwrapped && stays_as_it_stands(&payload.stored) =>
        {
            let bytes = payload.stored.bytes();
            let text = std::str::from_utf8(&bytes).map_or_else(|_| json.to_compact().into(), Arc::from);
            Part { text: Some(text), json: Some(json.clone()) }
        }
        (Ok(json), _) => Part { text: Some(json.to_compact().into()), json: Some(json.clone()) },
        (Err(_), _) => Part { text: Some(payload.stored.to_hex().into()), json: None },
    }
}

/// Whether a payload's text is taken as it stands, as a read of many events takes it: an object or array in a
/// text, an object in bytes.
fn stays_as_it_stands(stored: &Stored) -> bool {
    match stored {
        Stored::Text(bytes) => {
            matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
        }
        Stored::Blob(bytes) => bytes.starts_with(b"{\"") && bytes.ends_with(b"}"),
        Stored::Null | Stored::Integer(_) | Stored::Real(_) => false,
    }
}

/// A time as the dialect writes it; a text that is no time stays as it is.
fn seven_decimals(text: &str) -> Arc<str> {
    Timestamp::parse(text).map_or_else(|| text.into(), |time| written(time).into())
}

/// `2026-01-05T09:00:00.0000000Z`
fn written(time: Timestamp) -> String {
    const DAY: i64 = 86_400;
    let seconds = time.nanos().div_euclid(1_000_000_000);
    let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let fraction = time.nanos().rem_euclid(1_000_000_000) / 100;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{fraction:07}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// The date so many days after 1 January 1970, counted in the eras of 400 years that the calendar
/// repeats in; years begin in March, so that the leap day comes last.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::seven_decimals;

    fn check(text: &str, expected: &str) {
        assert_eq!(&*seven_decimals(text), expected);
    }

    #[test]
    fn times_have_seven_decimals() {
        check("2026-01-05T09:00:00.000Z", "2026-01-05T09:00:00.0000000Z");
        check("2026-03-01T00:00:00Z", "2026-03-01T00:00:00.0000000Z");
        check("2024-02-29T23:59:59.123456789Z", "2024-02-29T23:59:59.1234567Z");
        check("1999-12-31T23:00:00+02:00", "1999-12-31T21:00:00.0000000Z");
        check("some day", "some day");
    }
}
