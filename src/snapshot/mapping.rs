//! What a stored state calls otherwise than the replayed one, and what is left out of the comparison.

use std::sync::Arc;

use crate::{
    model::{Json, Object, Pointer, Segment},
    project::sections::SnapshotEntry,
};

/// How the stored states of a category lie beside the replayed ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    /// Where in the stored state the aggregate's own state stands.
    root: Pointer,
    /// Places in the whole stored state, and where the same stands in the replayed one.
    fields: Vec<(Pointer, Pointer)>,
    /// Places that are not compared, in either state.
    ignored: Vec<Pointer>,
    /// Bare names that are not compared: members of the root.
    ignored_names: Vec<Arc<str>>,
}

impl Mapping {
    /// Whether somebody said where things stand in the stored states, so that they are to be like the replayed.
    #[must_use]
    pub fn says_where(&self) -> bool {
        !self.fields.is_empty() || !self.root.segments().is_empty()
    }

    /// The mapping of a category: its own entry, else the one for all others; without either, none.
    #[must_use]
    pub fn of_category(entries: &[SnapshotEntry], category: Option<&str>) -> Self {
        let own =
            entries.iter().find(|entry| entry.category.is_some() && entry.category.as_deref() == category);
        let entry = own.or_else(|| entries.iter().find(|entry| entry.category.is_none()));
        entry.map(Self::of).unwrap_or_default()
    }

    /// The mapping that an entry describes. What is neither a JSON Pointer nor a bare name is one name.
    #[must_use]
    pub fn of(entry: &SnapshotEntry) -> Self {
        let root = entry.root.as_deref().map(place).unwrap_or_default();
        let fields = entry.fields.iter().map(|(stored, replayed)| {
            let stored = if stored.starts_with('/') { place(stored) } else { joined(&root, &place(stored)) };
            (stored, place(replayed))
        });
        let fields = fields.collect();
        let (paths, names): (Vec<&Arc<str>>, Vec<&Arc<str>>) =
            entry.ignore.iter().partition(|text| text.starts_with('/'));
        Self {
            fields,
            ignored: paths.into_iter().map(|path| place(path)).collect(),
            ignored_names: names.into_iter().map(Arc::clone).collect(),
            root,
        }
    }

    /// Whether nothing is mapped: both states are compared as they are.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Where in the stored state the aggregate's own state stands.
    #[must_use]
    pub fn root(&self) -> &Pointer {
        &self.root
    }

    /// A stored state in the names of the replayed one, without what is not compared; nothing if it
    /// has nothing where its root should be.
    #[must_use]
    pub fn of_stored(&self, stored: &Json) -> Option<Json> {
        if self.is_plain() {
            return Some(stored.clone());
        }
        let mut whole = stored.clone();
        for path in &self.ignored {
            remove(&mut whole, path.segments());
        }
        let moved: Vec<(&Pointer, Json)> =
            self.fields.iter().filter_map(|(from, to)| Some((to, from.resolve(&whole).cloned()?))).collect();
        for (from, _) in &self.fields {
            remove(&mut whole, from.segments());
        }
        let mut own = self.root.resolve(&whole)?.clone();
        for (to, value) in moved {
            put(&mut own, to.segments(), value);
        }
        Some(self.of_replayed(&own))
    }

    /// A replayed state without what is not compared.
    #[must_use]
    pub fn of_replayed(&self, replayed: &Json) -> Json {
        let mut state = replayed.clone();
        for path in &self.ignored {
            remove(&mut state, path.segments());
        }
        for name in &self.ignored_names {
            remove(&mut state, &[Segment::Name(Arc::clone(name))]);
        }
        state
    }

    /// A replayed state in the names of the stored ones: the way back. What only stored states have
    /// is not made up.
    #[must_use]
    pub fn to_stored(&self, replayed: &Json) -> Json {
        let mut own = replayed.clone();
        let moved: Vec<(&Pointer, Json)> = self
            .fields
            .iter()
            .filter_map(|(stored, replayed)| Some((stored, replayed.resolve(&own).cloned()?)))
            .collect();
        for (_, place) in &self.fields {
            remove(&mut own, place.segments());
        }
        let mut whole = if self.root.segments().is_empty() {
            own
        } else {
            let mut whole = Json::Object(Arc::default());
            put(&mut whole, self.root.segments(), own);
            whole
        };
        for (stored, value) in moved {
            put(&mut whole, stored.segments(), value);
        }
        whole
    }
}

/// A JSON Pointer, or the member of a bare name.
fn place(text: &str) -> Pointer {
    Pointer::parse(text).unwrap_or_else(|| [Segment::Name(text.into())].into_iter().collect())
}

fn joined(root: &Pointer, path: &Pointer) -> Pointer {
    root.segments().iter().chain(path.segments()).cloned().collect()
}

/// Takes away what a path leads to; `*` stands for every item of an array. Nodes that others share are
/// copied before they change, and only if there is something to take away.
fn remove(value: &mut Json, path: &[Segment]) {
    let Some((first, rest)) = path.split_first() else { return };
    match value {
        Json::Object(object) => {
            let name = name_of(first);
            if object.get(&name).is_none() {
                return;
            }
            let object = Arc::make_mut(object);
            if rest.is_empty() {
                object.remove(&name);
            } else if let Some(member) = object.get_mut(&name) {
                remove(member, rest);
            }
        }
        Json::Array(items) => {
            let mut kept: Vec<Json> = items.to_vec();
            let every = matches!(first, Segment::Name(name) if &**name == "*");
            match first {
                Segment::Index(at) if rest.is_empty() && *at < kept.len() => drop(kept.remove(*at)),
                Segment::Index(at) => {
                    let Some(item) = kept.get_mut(*at) else { return };
                    remove(item, rest);
                }
                Segment::Name(_) if every && rest.is_empty() => kept.clear(),
                Segment::Name(_) if every => kept.iter_mut().for_each(|item| remove(item, rest)),
                Segment::Name(_) => return,
            }
            *value = Json::array(kept);
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => (),
    }
}

/// Sets what a path leads to, making the objects on the way.
fn put(target: &mut Json, path: &[Segment], value: Json) {
    let Some((first, rest)) = path.split_first() else {
        *target = value;
        return;
    };
    if let (Json::Array(items), Segment::Index(at)) = (&*target, first)
        && *at < items.len()
    {
        let mut items: Vec<Json> = items.to_vec();
        if let Some(item) = items.get_mut(*at) {
            put(item, rest, value);
        }
        *target = Json::array(items);
        return;
    }
    if !matches!(target, Json::Object(_)) {
        *target = Json::Object(Arc::default());
    }
    if let Json::Object(object) = target {
        let name = name_of(first);
        let object: &mut Object = Arc::make_mut(object);
        match object.get_mut(&name) {
            Some(member) => put(member, rest, value),
            None => {
                let mut member = Json::Null;
                put(&mut member, rest, value);
                object.insert(name, member);
            }
        }
    }
}

fn name_of(segment: &Segment) -> Arc<str> {
    match segment {
        Segment::Index(index) => index.to_string().into(),
        Segment::Name(name) => Arc::clone(name),
    }
}

#[cfg(test)]
mod tests {
    use super::Mapping;
    use crate::{
        model::{Json, diff},
        project::sections::SnapshotEntry,
    };

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    fn mapping(root: Option<&str>, fields: &[(&str, &str)], ignore: &[&str]) -> Mapping {
        Mapping::of(&SnapshotEntry {
            category: None,
            root: root.map(Into::into),
            fields: fields.iter().map(|(stored, replayed)| ((*stored).into(), (*replayed).into())).collect(),
            ignore: ignore.iter().map(|text| (*text).into()).collect(),
        })
    }

    /// The stored state as it is compared, the replayed one as well, and how many places differ.
    fn check(mapping: &Mapping, (stored, replayed): (&str, &str), expected: (&str, &str, usize)) {
        let found = mapping.of_stored(&json(stored));
        let made = mapping.of_replayed(&json(replayed));
        let text = found.as_ref().map_or_else(|| "nothing".to_owned(), Json::to_compact);
        let differ = found.map_or(0, |found| diff(&made, &found).len());
        assert_eq!((text.as_str(), made.to_compact().as_str(), differ), expected);
    }

    #[test]
    fn a_field_may_be_called_otherwise() {
        let renamed = mapping(None, &[("full_name", "name")], &[]);
        check(
            &renamed,
            (r#"{"full_name":"Ada","age":3}"#, r#"{"name":"Ada","age":3}"#),
            (r#"{"age":3,"name":"Ada"}"#, r#"{"name":"Ada","age":3}"#, 0),
        );
        check(
            &renamed,
            (r#"{"age":3}"#, r#"{"name":"Ada","age":3}"#),
            (r#"{"age":3}"#, r#"{"name":"Ada","age":3}"#, 1),
        );
        assert_eq!(renamed.to_stored(&json(r#"{"name":"Ada"}"#)).to_compact(), r#"{"full_name":"Ada"}"#);
        let swapped = mapping(None, &[("a", "b"), ("b", "a")], &[]);
        check(
            &swapped,
            (r#"{"a":1,"b":2}"#, r#"{"a":2,"b":1}"#),
            (r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#, 0),
        );
    }

    #[test]
    fn fields_are_left_out_on_both_sides() {
        let without = mapping(None, &[], &["version", "/meta/at", "/items/*/added"]);
        check(
            &without,
            (r#"{"version":7,"x":1,"meta":{"at":2}}"#, r#"{"x":1,"meta":{},"version":8}"#),
            (r#"{"x":1,"meta":{}}"#, r#"{"x":1,"meta":{}}"#, 0),
        );
        check(
            &without,
            (r#"{"items":[{"id":1,"added":5},{"id":2}]}"#, r#"{"items":[{"id":1},{"id":2,"added":9}]}"#),
            (r#"{"items":[{"id":1},{"id":2}]}"#, r#"{"items":[{"id":1},{"id":2}]}"#, 0),
        );
    }

    #[test]
    fn the_state_may_stand_inside() {
        let nested = mapping(Some("/s/data"), &[("title", "name"), ("/id", "/id")], &[]);
        check(
            &nested,
            (r#"{"id":9,"s":{"v":1,"data":{"title":"x"}}}"#, r#"{"name":"x","id":9}"#),
            (r#"{"id":9,"name":"x"}"#, r#"{"name":"x","id":9}"#, 0),
        );
        check(&nested, (r#"{"id":9}"#, "{}"), ("nothing", "{}", 0));
        assert_eq!(
            nested.to_stored(&json(r#"{"name":"x","id":9}"#)).to_compact(),
            r#"{"s":{"data":{"title":"x"}},"id":9}"#
        );
        check(
            &mapping(Some("s"), &[], &[]),
            (r#"{"s":{"a":1}}"#, r#"{"a":1}"#),
            (r#"{"a":1}"#, r#"{"a":1}"#, 0),
        );
    }

    #[test]
    fn a_category_has_its_own_entry_or_the_one_for_all() {
        let entry = |category: Option<&str>, name: &str| SnapshotEntry {
            category: category.map(Into::into),
            ignore: vec![name.into()],
            ..SnapshotEntry::default()
        };
        let entries = [entry(None, "a"), entry(Some("order"), "b")];
        let of = |category: Option<&str>| {
            Mapping::of_category(&entries, category).of_replayed(&json(r#"{"a":1,"b":2}"#)).to_compact()
        };
        assert_eq!(of(Some("order")), r#"{"a":1}"#);
        assert_eq!(of(Some("user")), r#"{"b":2}"#);
        assert_eq!(of(None), r#"{"b":2}"#);
    }
}
