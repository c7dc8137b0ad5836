//! JSON as it was stored: number text, member order and duplicate names are kept.
//!
//! A tree is immutable and shares its nodes, so a copy costs a pointer and two states of one
//! history share all that did not change.

use std::sync::{Arc, OnceLock};

use crate::model::json_places::Places;

pub use crate::model::{
    json_array::{Array, ArrayIter},
    json_number::Number,
    json_parse::JsonError,
};

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
    Array(Array),
    /// An object.
    Object(Arc<Object>),
}

/// The members of an object in stored order. A name may stand more than once; the last counts.
#[derive(Debug, Clone, Default)]
pub struct Object {
    members: Vec<(Arc<str>, Json)>,
    /// Where they stand, if they are many and one was asked for. Copies share it.
    places: OnceLock<Arc<Places>>,
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
        let members = members.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self::Object(Arc::new(Object::from_members(members)))
    }

    /// An array of these values.
    pub fn array(items: impl IntoIterator<Item = Self>) -> Self {
        Self::Array(items.into_iter().collect())
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
    pub fn as_array(&self) -> Option<&Array> {
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
            Self::Number(number) => Some(number.as_str().into()),
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

    /// Whether both are one node in memory, or short numbers written alike: equal without looking.
    #[must_use]
    pub fn is_same_node(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(left), Self::Array(right)) => left.is_same(right),
            (Self::Object(left), Self::Object(right)) => Arc::ptr_eq(left, right),
            (Self::Text(left), Self::Text(right)) => Arc::ptr_eq(left, right),
            (Self::Number(left), Self::Number(right)) => left.is_same(right),
            _ => false,
        }
    }

    /// The same, or a value that has no node.
    pub(crate) fn is_same_value(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            _ => self.is_same_node(other),
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
            (Self::Array(left), Self::Array(right)) => left == right,
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

impl Object {
    pub(crate) fn from_members(members: Vec<(Arc<str>, Json)>) -> Self {
        Self { members, places: OnceLock::new() }
    }

    /// Where the member of a name stands, in an object in which no name stands twice. Found at once where
    /// the hint says.
    pub(crate) fn place(&self, name: &str, hint: usize) -> Option<usize> {
        if self.members.get(hint).is_some_and(|(key, _)| **key == *name) {
            return Some(hint);
        }
        self.find(name)
    }

    /// More members than this are looked up and not tried one after the other.
    const FEW: usize = 24;

    /// Where the member of a name stands; the last of that name.
    fn find(&self, name: &str) -> Option<usize> {
        let is_wide = self.members.len() > Self::FEW;
        let known = is_wide.then(|| self.places.get_or_init(|| Arc::new(Places::of(&self.members))));
        let from = known.map_or(0, |places| places.known);
        let late = self.members.iter().skip(from).rposition(|(key, _)| **key == *name);
        late.map(|place| from + place).or_else(|| known?.find(name, &self.members))
    }

    /// The value of the member at a place, to be changed.
    pub(crate) fn value_mut(&mut self, place: usize) -> Option<&mut Json> {
        self.members.get_mut(place).map(|(_, value)| value)
    }

    /// The value of a member; the last one of that name, as every JSON reader takes it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.members.get(self.find(name)?).map(|(_, value)| value)
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
        let place = self.find(name)?;
        self.members.get_mut(place).map(|(_, value)| value)
    }

    /// Sets a member in its place, or adds it at the end.
    pub fn insert(&mut self, name: Arc<str>, value: Json) {
        match self.get_mut(&name) {
            Some(place) => *place = value,
            None => self.members.push((name, value)),
        }
        // Those that came later are tried one after the other, so there must not be many.
        if self
            .places
            .get()
            .is_some_and(|places| !places.is_given_up && self.members.len() > places.known + Self::FEW)
        {
            self.places.take();
        }
    }

    /// Takes every member of that name away; tells whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.members.len();
        self.members.retain(|(key, _)| **key != *name);
        let is_gone = self.members.len() != before;
        if is_gone {
            self.places.take();
        }
        is_gone
    }
}

impl FromIterator<(Arc<str>, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Json)>>(members: I) -> Self {
        Self::from_members(members.into_iter().collect())
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
        Self::Number(Number::from_valid(&value.to_string()))
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Number(Number::from_valid(&value.to_string()))
    }
}

impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self::Number(Number::from_valid(&value.to_string()))
    }
}

/// Not-a-number and the infinities, which JSON lacks, become null.
impl From<f64> for Json {
    fn from(value: f64) -> Self {
        serde_json::Number::from_f64(value)
            .map_or(Self::Null, |number| Self::Number(Number::from_valid(&number.to_string())))
    }
}

impl<T: Into<Self>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same edits by hand: each name with its value, as they stand.
    fn check(object: &Object, plain: &[(Arc<str>, usize)]) {
        assert!(object.iter().map(|(name, _)| name).eq(plain.iter().map(|(name, _)| name)));
        for (name, value) in plain {
            assert_eq!(object.get(name), Some(&Json::from(*value)), "{name}");
            assert!(object.place(name, 3).is_some());
        }
        assert_eq!(object.get("no such name"), None);
    }

    #[test]
    fn members_of_a_wide_object_are_found_whatever_happens_to_it() {
        let (mut object, mut plain) = (Object::default(), Vec::<(Arc<str>, usize)>::new());
        for number in 0..400_usize {
            let name: Arc<str> = format!("line-{:04}", number * 31 % 230).into();
            let shared = object.clone();
            if number % 7 == 3 {
                let had = plain.iter().any(|(other, _)| *other == name);
                plain.retain(|(other, _)| *other != name);
                assert_eq!(object.remove(&name), had);
            } else {
                match plain.iter_mut().find(|(other, _)| *other == name) {
                    Some((_, value)) => *value = number,
                    None => plain.push((Arc::clone(&name), number)),
                }
                object.insert(name, Json::from(number));
            }
            check(&object, &plain);
            drop(shared);
        }
        let twins = (0..60).map(|number: usize| (format!("m{}", number % 40).into(), Json::from(number)));
        assert_eq!(twins.collect::<Object>().get("m7"), Some(&Json::from(47_usize)));
    }
}
