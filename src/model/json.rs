//! JSON as it was stored: number text, member order and duplicate names are kept.
//!
//! A tree is immutable and shares its nodes, so a copy costs a pointer and two states of one
//! history share all that did not change.

use std::sync::Arc;

use crate::model::decimal::same_number;

pub use crate::model::json_parse::JsonError;

/// A JSON value.
#[derive(Debug, Clone, Default)]
pub enum Json {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as its text.
    Number(Number),
    /// A string, unescaped.
    Text(Arc<str>),
    /// An array.
    Array(Arc<Vec<Self>>),
    /// An object.
    Object(Arc<Object>),
}

/// A number as it was written: `1.50` stays `1.50`, twenty digits stay twenty digits.
#[derive(Debug, Clone)]
pub struct Number(Arc<str>);

/// The members of an object in stored order. A name may stand more than once; the last counts.
#[derive(Debug, Clone, Default)]
pub struct Object {
    members: Vec<(Arc<str>, Json)>,
}

impl Json {
    /// Nesting beyond this is reported instead of read: no real payload comes near it, and every
    /// walk over a tree may then simply recurse.
    pub const MAX_DEPTH: usize = 512;

    /// Reads one JSON document.
    pub fn parse(text: &[u8]) -> Result<Self, JsonError> {
        crate::model::json_parse::parse(text)
    }

    /// A value as a user types it: JSON, and any other text is a text.
    #[must_use]
    pub fn typed(text: &str) -> Self {
        Self::parse(text.trim().as_bytes()).unwrap_or_else(|_no_json| Self::from(text.trim()))
    }

    /// An object of these members.
    pub fn object<K: Into<Arc<str>>>(members: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Object(Arc::new(Object {
            members: members.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        }))
    }

    /// An array of these values.
    pub fn array(items: impl IntoIterator<Item = Self>) -> Self {
        Self::Array(Arc::new(items.into_iter().collect()))
    }

    /// The member of an object, or nothing if this is no object or has no such member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// The text of a string.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The object, if this is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Text(_) => None,
        }
    }

    /// The items, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Object(_) | Self::Text(_) => None,
        }
    }

    /// A string as it is, a number or boolean as its text; nothing for the rest.
    #[must_use]
    pub fn as_scalar_text(&self) -> Option<Arc<str>> {
        match self {
            Self::Text(text) => Some(Arc::clone(text)),
            Self::Number(number) => Some(Arc::clone(&number.0)),
            Self::Bool(value) => Some(if *value { "true" } else { "false" }.into()),
            Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// How many members or items it has; nothing for a scalar.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a scalar is neither empty nor full")]
    pub fn len(&self) -> Option<usize> {
        match self {
            Self::Array(items) => Some(items.len()),
            Self::Object(object) => Some(object.members.len()),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => None,
        }
    }

    /// Whether both are one node in memory: equal without looking.
    #[must_use]
    pub fn is_same_node(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(left), Self::Array(right)) => Arc::ptr_eq(left, right),
            (Self::Object(left), Self::Object(right)) => Arc::ptr_eq(left, right),
            (Self::Text(left), Self::Text(right)) => Arc::ptr_eq(left, right),
            (Self::Number(left), Self::Number(right)) => Arc::ptr_eq(&left.0, &right.0),
            _ => false,
        }
    }

    /// On one line, without spaces.
    #[must_use]
    pub fn to_compact(&self) -> String {
        crate::model::json_write::compact(self)
    }

    /// Adds the value to a text, as [`to_compact`](Self::to_compact) writes it.
    pub fn write_compact(&self, text: &mut String) {
        crate::model::json_write::compact_into(self, text);
    }

    /// On many lines, indented by two spaces.
    #[must_use]
    pub fn to_pretty(&self) -> String {
        crate::model::json_write::pretty(self)
    }

    /// On one line, cut with `…` after `limit` characters; costs no more than it shows.
    #[must_use]
    pub fn to_preview(&self, limit: usize) -> String {
        crate::model::json_write::preview(self, limit)
    }
}

/// Member order does not count, number spelling does not count (`1` = `1.0`), every digit does.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Number(left), Self::Number(right)) => left == right,
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Array(left), Self::Array(right)) => Arc::ptr_eq(left, right) || left == right,
            (Self::Object(left), Self::Object(right)) => Arc::ptr_eq(left, right) || left == right,
            _ => false,
        }
    }
}

impl Eq for Json {}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.members.len() == other.members.len()
            && self.members.iter().all(|(name, _)| self.get(name) == other.get(name))
    }
}

impl Eq for Object {}

impl Number {
    /// Takes the text of a JSON number; the caller has checked it.
    pub(crate) fn from_valid(text: &str) -> Self {
        Self(text.into())
    }

    /// The number as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest double.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// The number, if it is written as an integer and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || same_number(&self.0, &other.0)
    }
}

impl Eq for Number {}

impl Object {
    /// The value of a member; the last one of that name, as every JSON reader takes it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.members.iter().rev().find(|(key, _)| **key == *name).map(|(_, value)| value)
    }

    /// All members in stored order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Arc<str>, &Json)> {
        self.members.iter().map(|(name, value)| (name, value))
    }

    /// The member at `index`, in stored order.
    #[must_use]
    pub fn member(&self, index: usize) -> Option<(&Arc<str>, &Json)> {
        self.members.get(index).map(|(name, value)| (name, value))
    }

    /// How many members it has, duplicates counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it has no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The value of a member, to be changed in place.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        self.members.iter_mut().rev().find(|(key, _)| **key == *name).map(|(_, value)| value)
    }

    /// Sets a member in its place, or adds it at the end.
    pub fn insert(&mut self, name: Arc<str>, value: Json) {
        match self.get_mut(&name) {
            Some(place) => *place = value,
            None => self.members.push((name, value)),
        }
    }

    /// Takes every member of that name away; tells whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.members.len();
        self.members.retain(|(key, _)| **key != *name);
        self.members.len() != before
    }
}

impl FromIterator<(Arc<str>, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Json)>>(members: I) -> Self {
        Self { members: members.into_iter().collect() }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Arc<str>> for Json {
    fn from(text: Arc<str>) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Number(Number(value.to_string().into()))
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Number(Number(value.to_string().into()))
    }
}

impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self::Number(Number(value.to_string().into()))
    }
}

/// Not-a-number and the infinities, which JSON lacks, become null.
impl From<f64> for Json {
    fn from(value: f64) -> Self {
        serde_json::Number::from_f64(value)
            .map_or(Self::Null, |number| Self::Number(Number(number.to_string().into())))
    }
}

impl<T: Into<Self>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
