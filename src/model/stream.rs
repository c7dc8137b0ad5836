//! Streams: the events of one thing.

use std::sync::Arc;

use crate::model::{Json, StreamVersion, Timestamp};

/// The name of a stream: its own text as stored, and the category and id in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName {
    /// The kind of thing; `None` if the store does not say.
    pub category: Option<Arc<str>>,
    /// The id of the thing within its category.
    pub id: Arc<str>,
    /// The store's own name where it has one column for it: `order-17`, `Order|17`.
    /// `None` where type and id are separate columns.
    pub stored: Option<Arc<str>>,
}

/// What is known of a stream without reading its payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its name.
    pub name: Arc<StreamName>,
    /// How many events it has.
    pub events: u64,
    /// The lowest stored version.
    pub first_version: Option<StreamVersion>,
    /// The highest stored version.
    pub last_version: Option<StreamVersion>,
    /// Its earliest time.
    pub first_time: Option<Timestamp>,
    /// Its latest time.
    pub last_time: Option<Timestamp>,
}

impl StreamName {
    /// A stream of its own text alone.
    #[must_use]
    pub fn plain(name: &str) -> Self {
        Self { category: None, id: name.into(), stored: Some(name.into()) }
    }

    /// A stream of a category and an id.
    #[must_use]
    pub fn of(category: &str, id: &str) -> Self {
        Self { category: Some(category.into()), id: id.into(), stored: None }
    }

    /// The store's own name, or `<category>-<id>`.
    #[must_use]
    pub fn full(&self) -> Arc<str> {
        match (&self.stored, &self.category) {
            (Some(stored), _) => Arc::clone(stored),
            (None, Some(category)) => format!("{category}-{}", self.id).into(),
            (None, None) => Arc::clone(&self.id),
        }
    }

    /// Where the id begins in [`full`](Self::full), in bytes; 0 where no category stands before it.
    #[must_use]
    pub fn id_at(&self) -> usize {
        match (&self.stored, &self.category) {
            (_, None) => 0,
            (Some(stored), Some(_)) => stored.strip_suffix(&*self.id).map_or(0, str::len),
            (None, Some(category)) => category.len() + "-".len(),
        }
    }

    /// What the store's own column for the stream holds: its name, or its id beside a column for the category.
    #[must_use]
    pub fn cell(&self) -> &Arc<str> {
        self.stored.as_ref().unwrap_or(&self.id)
    }

    /// `<category>-<id>`, whatever the store calls it; the name where there is no category.
    #[must_use]
    pub fn with_category(&self) -> Arc<str> {
        match &self.category {
            Some(category) => format!("{category}-{}", self.id).into(),
            None => self.full(),
        }
    }

    /// Whether the user may mean this stream by `text`: its name, `<category>-<id>` or the bare id,
    /// an UUID with or without dashes, in either case of letters.
    #[must_use]
    pub fn answers_to(&self, text: &str) -> bool {
        *self.full() == *text
            || *self.id == *text
            || self.category.as_ref().is_some_and(|category| {
                text.strip_prefix(&**category).and_then(|rest| rest.strip_prefix('-')) == Some(&*self.id)
            })
            || bare_uuid(text).is_some_and(|uuid| bare_uuid(&self.id).is_some_and(|own| own == uuid))
    }
}

/// The 32 digits of a UUID in lower case, whether or not it is written with dashes.
fn bare_uuid(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    (digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(digits)
}

impl StreamInfo {
    /// The stream in the shape of `timeglass streams --json`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::object([
            ("stream", Json::from(self.name.full())),
            ("category", Json::from(self.name.category.clone())),
            ("id", Json::from(Arc::clone(&self.name.id))),
            ("events", Json::from(self.events)),
            ("first_version", Json::from(self.first_version.map(|version| version.0))),
            ("last_version", Json::from(self.last_version.map(|version| version.0))),
            ("first_time", Json::from(self.first_time.map(Timestamp::to_rfc3339))),
            ("last_time", Json::from(self.last_time.map(Timestamp::to_rfc3339))),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::StreamName;

    #[test]
    fn the_id_begins_behind_a_category() {
        let stored = |category: Option<&str>, id: &str, stored: &str| StreamName {
            category: category.map(Into::into),
            id: id.into(),
            stored: Some(stored.into()),
        };
        let check =
            |name: &StreamName, expected: usize| assert_eq!(name.id_at(), expected, "{}", name.full());
        check(&StreamName::of("Order", "17"), 6);
        check(&StreamName::plain("order-17"), 0);
        check(&stored(Some("Order"), "17", "Order|17"), 6);
        check(&stored(None, "17", "Order|17"), 0);
        // Nothing says where an id begins that the name does not end in.
        check(&stored(Some("Order"), "17", "17 of Order"), 0);
    }
}
