//! The built-in reducer: the JSON merge of all event data (RFC 7396).

use std::sync::Arc;

use crate::{
    model::{Encoding, Failure, Json, Object, RecordedEvent},
    replay::reducer::{Applied, Folding, Reducer},
    work::Work,
};

/// Merges the data of each event into the state; a null member removes.
#[derive(Debug, Clone)]
pub struct Merge {
    name: Arc<str>,
}

impl Merge {
    /// The merge for streams of a category, which has no reducer of its own.
    #[must_use]
    pub fn for_category(category: Option<&str>) -> Self {
        let name = match category {
            Some(category) => format!("merged; no reducer for `{category}`"),
            None => "merged; no reducer".to_owned(),
        };
        Self::named(name)
    }

    /// The merge, where the user is to read something else beside the state.
    #[must_use]
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into() }
    }
}

impl Reducer for Merge {
    fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    fn start<'w>(&self, _: &'w Work) -> Result<Box<dyn Folding + 'w>, Failure> {
        Ok(Box::new(Merging { state: Json::Object(Arc::default()) }))
    }

    fn handles(&self, _: &str) -> bool {
        true
    }

    fn is_merge(&self) -> bool {
        true
    }
}

/// A merge under way.
struct Merging {
    state: Json,
}

impl Folding for Merging {
    fn state(&mut self) -> Json {
        self.state.clone()
    }

    fn resume(&mut self, state: &Json, _: usize) {
        self.state = state.clone();
    }

    fn apply(&mut self, event: &RecordedEvent) -> Result<Applied, Failure> {
        if event.data.encoding == Encoding::Absent {
            return Ok(Applied::default());
        }
        match &event.data.decoded {
            Ok(data) => merge(&mut self.state, data),
            Err(reason) => return Err(Failure::new(format!("the data cannot be merged: {reason}"))),
        }
        Ok(Applied::default())
    }
}

/// RFC 7396, in place. Nodes that others share are copied before they change, and only those.
fn merge(target: &mut Json, patch: &Json) {
    let Json::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !matches!(target, Json::Object(_)) {
        *target = Json::Object(Arc::default());
    }
    if let Json::Object(object) = target {
        merge_members(object, patch);
    }
}

fn merge_members(target: &mut Arc<Object>, patch: &Object) {
    for (name, value) in patch.iter() {
        match (value, target.get(name)) {
            (Json::Null, None) => (),
            (Json::Null, Some(_)) => {
                Arc::make_mut(target).remove(name);
            }
            (_, Some(current)) if !matches!(value, Json::Object(_)) && current == value => (),
            (_, Some(_)) => {
                if let Some(place) = Arc::make_mut(target).get_mut(name) {
                    merge(place, value);
                }
            }
            (_, None) => {
                let mut fresh = Json::Null;
                merge(&mut fresh, value);
                Arc::make_mut(target).insert(Arc::clone(name), fresh);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::merge;
    use crate::model::Json;

    fn check(target: &str, patch: &str, expected: &str) {
        let read = |text: &str| Json::parse(text.as_bytes()).unwrap();
        let mut found = read(target);
        merge(&mut found, &read(patch));
        assert_eq!(found.to_compact(), expected, "{target} with {patch}");
    }

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn the_examples_of_the_rfc_hold() {
        for (target, patch, expected) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            check(target, patch, expected);
        }
    }

    #[test]
    fn a_merge_copies_only_what_it_changes() {
        let before = Json::parse(br#"{"a":{"x":1},"b":{"y":2}}"#).unwrap();
        let mut after = before.clone();
        merge(&mut after, &Json::parse(br#"{"a":{"x":3}}"#).unwrap());
        assert!(after.get("b").unwrap().is_same_node(before.get("b").unwrap()));
        assert_eq!(before.to_compact(), r#"{"a":{"x":1},"b":{"y":2}}"#);
    }
}
