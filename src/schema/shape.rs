//! What was seen at one place of many values: kinds, members, items, samples.

use std::{collections::BTreeSet, sync::Arc};

use crate::model::Json;

/// The kind of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A string.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An array.
    List,
    /// An object.
    Object,
    /// `null`.
    Null,
}

/// What was seen at one place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// How many values.
    pub seen: u64,
    /// Of which kinds.
    pub kinds: BTreeSet<Kind>,
    /// The members of objects, in the order in which they first occurred.
    pub members: Vec<(Arc<str>, Self)>,
    /// Whether there are members that were not looked at, since there are so many.
    pub has_more: bool,
    /// The items of arrays, all taken together.
    pub items: Option<Box<Self>>,
    /// The first few different texts, numbers and truth values.
    pub samples: Vec<Json>,
}

/// A place with more different members than this is a table of its own, not a form with fields.
const MOST_MEMBERS: usize = 120;

/// So many members of one object and items of one array are looked at.
const LOOKED_AT: usize = 400;

/// Nesting is followed this far; what lies deeper is known by its kind only.
const DEPTH: usize = 4;

/// Different values kept of one place.
const SAMPLES: usize = 3;

/// A sample that is longer says no more than its beginning.
const LONGEST_SAMPLE: usize = 60;

impl Kind {
    /// The kind of a value.
    #[must_use]
    pub fn of(value: &Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(_) => Self::Boolean,
            Json::Number(_) => Self::Number,
            Json::Text(_) => Self::Text,
            Json::Array(_) => Self::List,
            Json::Object(_) => Self::Object,
        }
    }

    /// Its name for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Object => "object",
            Self::Null => "null",
        }
    }
}

impl Shape {
    /// Looks at one more value.
    pub fn take(&mut self, value: &Json) {
        self.take_at(value, DEPTH);
    }

    /// Takes what was seen at another place as seen here.
    pub fn join(&mut self, other: &Self) {
        self.seen += other.seen;
        self.kinds.extend(&other.kinds);
        self.has_more |= other.has_more;
        for (name, shape) in &other.members {
            if let Some(own) = self.member_mut(name) {
                own.join(shape);
            }
        }
        if let Some(items) = &other.items {
            self.items.get_or_insert_default().join(items);
        }
        for sample in &other.samples {
            self.keep(sample);
        }
    }

    /// `text`, `number or null`, `list of { sku: text, quantity: number }`.
    #[must_use]
    pub fn words(&self) -> String {
        let kinds: Vec<String> = self.kinds.iter().map(|kind| self.kind_words(*kind)).collect();
        if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(" or ") }
    }

    fn take_at(&mut self, value: &Json, depth: usize) {
        self.seen += 1;
        self.kinds.insert(Kind::of(value));
        match value {
            Json::Bool(_) | Json::Number(_) | Json::Text(_) => self.keep(value),
            Json::Array(items) if depth > 0 => {
                let shape = self.items.get_or_insert_default();
                items.iter().take(LOOKED_AT).for_each(|item| shape.take_at(item, depth - 1));
            }
            Json::Object(object) if depth > 0 => {
                self.has_more |= object.len() > LOOKED_AT;
                for (name, value) in object.iter().take(LOOKED_AT) {
                    if let Some(member) = self.member_mut(name) {
                        member.take_at(value, depth - 1);
                    }
                }
            }
            Json::Null | Json::Array(_) | Json::Object(_) => (),
        }
    }

    fn member_mut(&mut self, name: &Arc<str>) -> Option<&mut Self> {
        let place = self.members.iter().position(|(other, _)| other == name);
        if place.is_none() {
            if self.members.len() >= MOST_MEMBERS {
                self.has_more = true;
                return None;
            }
            self.members.push((Arc::clone(name), Self::default()));
        }
        let place = place.unwrap_or_else(|| self.members.len().saturating_sub(1));
        self.members.get_mut(place).map(|(_, shape)| shape)
    }

    fn keep(&mut self, value: &Json) {
        if self.samples.len() >= SAMPLES || self.samples.contains(value) {
            return;
        }
        self.samples.push(match value.as_text() {
            Some(text) if text.chars().nth(LONGEST_SAMPLE).is_some() => {
                Json::from(text.chars().take(LONGEST_SAMPLE).chain(['…']).collect::<String>())
            }
            _ => value.clone(),
        });
    }

    fn kind_words(&self, kind: Kind) -> String {
        match kind {
            Kind::List => match self.items.as_deref().filter(|items| !items.kinds.is_empty()) {
                Some(items) => format!("list of {}", items.words()),
                None => kind.word().to_owned(),
            },
            Kind::Object if !self.members.is_empty() => {
                let name = |(name, shape): &(Arc<str>, Self)| format!("{name}: {}", shape.words());
                let mut members: Vec<String> = self.members.iter().take(5).map(name).collect();
                if self.has_more || self.members.len() > members.len() {
                    members.push("…".to_owned());
                }
                format!("{{ {} }}", members.join(", "))
            }
            _ => kind.word().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;
    use crate::model::Json;

    fn check(values: &[&str], expected: &str) -> Shape {
        let mut shape = Shape::default();
        for text in values {
            shape.take(&Json::parse(text.as_bytes()).unwrap());
        }
        assert_eq!(shape.words(), expected, "{values:?}");
        shape
    }

    #[test]
    fn a_place_is_described_by_what_was_seen_there() {
        check(&[], "nothing");
        check(&["1", "2.5"], "number");
        check(&["null", "\"a\""], "text or null");
        check(&["[]"], "list");
        check(&["[1,\"a\"]", "[]"], "list of text or number");
        check(&[r#"[{"sku":"a","quantity":2}]"#], "list of { sku: text, quantity: number }");
        check(&["{}"], "object");
    }

    #[test]
    fn samples_are_few_and_different() {
        let shape = check(&["1", "1", "2", "3", "4"], "number");
        assert_eq!(Json::array(shape.samples).to_compact(), "[1,2,3]");
    }

    #[test]
    fn a_table_with_a_thousand_keys_is_not_a_thousand_fields() {
        let text = (0..1000).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(",");
        let mut shape = Shape::default();
        shape.take(&Json::parse(format!("{{{text}}}").as_bytes()).unwrap());
        assert!(shape.has_more);
        assert!(shape.members.len() < 200);
    }

    #[test]
    fn joining_is_seeing_both() {
        let mut left = check(&[r#"{"a":1}"#], "{ a: number }");
        let right = check(&[r#"{"a":"x","b":[true]}"#], "{ a: text, b: list of boolean }");
        left.join(&right);
        assert_eq!(
            left,
            check(&[r#"{"a":1}"#, r#"{"a":"x","b":[true]}"#], "{ a: text or number, b: list of boolean }")
        );
    }
}
