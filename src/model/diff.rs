//! The difference of two JSON values.

use std::{collections::BTreeMap, sync::Arc};

use crate::model::{Array, Json, Object, Pointer, Segment};

/// One place where two values differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub path: Pointer,
    /// How.
    pub kind: ChangeKind,
}

/// How a place differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// Only the new value has it.
    Add(Json),
    /// Only the old value has it.
    Remove(Json),
    /// Both have it, and not the same: old, new.
    Replace(Json, Json),
}

/// What turns `old` into `new`, in the order of the new value, removals where they stood.
///
/// Arrays are compared by position: what an index held before and after is what a path can name.
/// Nodes that both values share are equal without a look, so the cost follows what changed.
#[must_use]
pub fn diff(old: &Json, new: &Json) -> Vec<Change> {
    let mut changes = Vec::new();
    collect(&Pointer::root(), old, new, &mut changes);
    changes
}

fn collect(path: &Pointer, old: &Json, new: &Json, changes: &mut Vec<Change>) {
    if old.is_same_node(new) {
        return;
    }
    match (old, new) {
        (Json::Object(before), Json::Object(after)) => objects(path, before, after, changes),
        (Json::Array(before), Json::Array(after)) => arrays(path, before, after, changes),
        _ if old == new => (),
        _ => changes.push(Change { path: path.clone(), kind: ChangeKind::Replace(old.clone(), new.clone()) }),
    }
}

fn objects(path: &Pointer, old: &Object, new: &Object, changes: &mut Vec<Change>) {
    let at = |name: &Arc<str>| path.child(Segment::Name(Arc::clone(name)));
    // Most steps change members in place: then both sides line up and no look-up is needed.
    if old.len() == new.len() && old.iter().zip(new.iter()).all(|((left, _), (right, _))| left == right) {
        for ((name, before), (_, after)) in old.iter().zip(new.iter()) {
            if !before.is_same_node(after) {
                collect(&at(name), before, after, changes);
            }
        }
        return;
    }
    let (before, after) = (by_name(old), by_name(new));
    for (name, value) in old.iter().filter(|(name, value)| counts(&before, name, value)) {
        if !after.contains_key(&**name) {
            changes.push(Change { path: at(name), kind: ChangeKind::Remove(value.clone()) });
        }
    }
    for (name, value) in new.iter().filter(|(name, value)| counts(&after, name, value)) {
        match before.get(&**name) {
            Some(earlier) => collect(&at(name), earlier, value, changes),
            None => changes.push(Change { path: at(name), kind: ChangeKind::Add(value.clone()) }),
        }
    }
}

/// The members that count: of a name that stands twice, the last.
fn by_name(object: &Object) -> BTreeMap<&str, &Json> {
    object.iter().map(|(name, value)| (&**name, value)).collect()
}

fn counts(members: &BTreeMap<&str, &Json>, name: &Arc<str>, value: &Json) -> bool {
    members.get(&**name).is_some_and(|counting| std::ptr::eq(*counting, value))
}

fn arrays(path: &Pointer, old: &Array, new: &Array, changes: &mut Vec<Change>) {
    for (index, (before, after)) in old.iter().zip(new).enumerate() {
        if !before.is_same_node(after) {
            collect(&path.child(Segment::Index(index)), before, after, changes);
        }
    }
    for (index, before) in old.iter().enumerate().skip(new.len()) {
        let path = path.child(Segment::Index(index));
        changes.push(Change { path, kind: ChangeKind::Remove(before.clone()) });
    }
    for (index, after) in new.iter().enumerate().skip(old.len()) {
        changes
            .push(Change { path: path.child(Segment::Index(index)), kind: ChangeKind::Add(after.clone()) });
    }
}

impl Change {
    /// In the shape of `timeglass diff --json`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut members = vec![("path", Json::from(self.path.to_string()))];
        match &self.kind {
            ChangeKind::Add(new) => members.extend([("op", Json::from("add")), ("new", new.clone())]),
            ChangeKind::Remove(old) => members.extend([("op", Json::from("remove")), ("old", old.clone())]),
            ChangeKind::Replace(old, new) => {
                members.extend([("op", Json::from("change")), ("old", old.clone()), ("new", new.clone())]);
            }
        }
        Json::object(members)
    }
}

#[cfg(test)]
mod tests {
    use super::diff;
    use crate::model::Json;

    fn check(old: &str, new: &str, expected: &str) {
        let read = |text: &str| Json::parse(text.as_bytes()).unwrap();
        let found = Json::array(diff(&read(old), &read(new)).iter().map(super::Change::to_json));
        assert_eq!(found.to_compact(), expected, "{old} to {new}");
    }

    #[test]
    fn members_are_added_removed_and_changed() {
        check(
            r#"{"a":1,"b":{"c":2},"d":3}"#,
            r#"{"a":1.0,"b":{"c":4},"e":5}"#,
            r#"[{"path":"/d","op":"remove","old":3},{"path":"/b/c","op":"change","old":2,"new":4},{"path":"/e","op":"add","new":5}]"#,
        );
    }

    #[test]
    fn arrays_differ_by_position() {
        check(
            "[1,2,3]",
            "[1,4]",
            r#"[{"path":"/1","op":"change","old":2,"new":4},{"path":"/2","op":"remove","old":3}]"#,
        );
    }

    #[test]
    fn kinds_and_roots_differ() {
        check("null", "{}", r#"[{"path":"","op":"change","old":null,"new":{}}]"#);
        check(r#"{"a/b":1}"#, r#"{"a/b":"1"}"#, r#"[{"path":"/a~1b","op":"change","old":1,"new":"1"}]"#);
        check(r#"{"b":0,"a":1,"a":2}"#, r#"{"a":3,"a":2,"b":0}"#, "[]");
    }
}
