//! The built-in reducer: the JSON merge of all event data (RFC 7396).
//!
//! In a long fold the data comes as text, and no tree is made of it: the text is held against the state,
//! and only what differs becomes part of that. What was written where is known by then, and noted.

use std::sync::Arc;

use crate::{
    model::{Array, Encoding, Failure, Inside, Json, Names, Object, Part, RecordedEvent, Tape},
    replay::{
        changes::{Place, StepNotes},
        reducer::{Applied, Fed, Feed, Folding, Reducer},
    },
    store::read::{Body, EventRow},
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
        Ok(Box::new(Merging {
            state: Json::Object(Arc::default()),
            tape: Tape::default(),
            names: Names::default(),
        }))
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
    tape: Tape,
    names: Names,
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

    fn feed(&self) -> Feed {
        Feed::Data
    }

    fn notes_changes(&self) -> bool {
        true
    }

    fn apply_row(&mut self, row: &EventRow<'_>, notes: Option<&mut StepNotes<'_>>) -> Fed {
        let text = match row.data {
            Body::Absent => return Fed::Applied(Applied::default()),
            Body::Json(text) => text,
            Body::Unreadable(_) => return Fed::WantsEvent,
        };
        let patch = match row.taped {
            Some(taped) => taped.part(),
            None => match self.tape.read_text(text) {
                // What a name that stands twice does cannot be told member by member.
                Ok(taped) if !taped.has_twins() => taped.part(),
                Ok(_) | Err(_) => return Fed::WantsEvent,
            },
        };
        let mut writing = Writing { names: &mut self.names, notes };
        let root = writing.root();
        writing.value(&mut self.state, patch, root);
        Fed::Applied(Applied::default())
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

/// Writes one event's data into a state.
struct Writing<'a, 'n> {
    names: &'a mut Names,
    notes: Option<&'a mut StepNotes<'n>>,
}

impl Writing<'_, '_> {
    fn root(&self) -> Place {
        if self.notes.is_some() { Place::ROOT } else { Place::NOWHERE }
    }

    fn part(&mut self, of: Place, name: &Arc<str>, hint: usize) -> Place {
        self.notes.as_mut().map_or(Place::NOWHERE, |notes| notes.part(of, name, hint))
    }

    fn wrote(&mut self, at: Place, old: Option<&Json>, new: Option<&Json>) {
        if let Some(notes) = &mut self.notes {
            notes.wrote(at, old, new);
        }
    }

    /// Merges a value into what stands in its place; tells whether that changed it.
    fn value(&mut self, target: &mut Json, patch: Part<'_>, at: Place) -> bool {
        if let (Json::Object(object), Part::Object(inside)) = (&mut *target, patch) {
            // What others share is not copied for nothing.
            let is_merged = Arc::strong_count(object) > 1 && is_merged(object, inside);
            return !is_merged && self.members(object, inside, at);
        }
        let is_changed = !is_same(target, patch, Letters::MayDiffer);
        let new = self.fresh(patch);
        let old = std::mem::replace(target, new);
        if is_changed {
            self.wrote(at, Some(&old), Some(target));
        }
        is_changed
    }

    fn members(&mut self, target: &mut Arc<Object>, patch: Inside<'_>, at: Place) -> bool {
        let mut is_changed = false;
        let mut hint = 0;
        for (name, value) in patch.members() {
            let name = name.meant();
            match target.place(&name, hint) {
                Some(place) => {
                    hint = place + 1;
                    is_changed |= self.member(target, place, value, at);
                }
                None if matches!(value, Part::Null) => (),
                None => {
                    let name = self.names.get(&name);
                    let fresh = self.fresh(value);
                    let part = self.part(at, &name, target.len());
                    self.wrote(part, None, Some(&fresh));
                    Arc::make_mut(target).insert(name, fresh);
                    is_changed = true;
                }
            }
        }
        if is_changed && let Some(notes) = &mut self.notes {
            notes.wrote_inside(at);
        }
        is_changed
    }

    /// Merges a value into the member at a place; tells whether that changed it.
    fn member(&mut self, target: &mut Arc<Object>, place: usize, value: Part<'_>, at: Place) -> bool {
        let Some((name, current)) = target.member(place) else { return false };
        if let (Part::Object(inside), Json::Object(inner)) = (value, current) {
            if (Arc::strong_count(target) > 1 || Arc::strong_count(inner) > 1) && is_merged(inner, inside) {
                return false;
            }
            let own = self.part(at, name, place);
            let current = Arc::make_mut(target).value_mut(place);
            return match current {
                Some(Json::Object(inner)) => self.members(inner, inside, own),
                Some(_) | None => false,
            };
        }
        let new = match value {
            Part::Null => None,
            _ => match self.replacement(current, value) {
                Some(new) => Some(new),
                None => return false,
            },
        };
        let own = self.part(at, name, place);
        self.wrote(own, Some(current), new.as_ref());
        match new {
            Some(new) => {
                if let Some(current) = Arc::make_mut(target).value_mut(place) {
                    *current = new;
                }
            }
            None => {
                let name = Arc::clone(name);
                Arc::make_mut(target).remove(&name);
            }
        }
        true
    }

    /// What a value makes of another that is no object, or of an object if it is none itself; nothing
    /// if that is as it was.
    fn replacement(&mut self, current: &Json, value: Part<'_>) -> Option<Json> {
        match (value, current) {
            (Part::Object(_), _) => Some(self.fresh(value)),
            (Part::Array(inside), Json::Array(items)) => self.items(items, inside),
            (_, current) => (!is_same(current, value, Letters::MayDiffer)).then(|| self.tree(value)),
        }
    }

    /// Items that take the place of others, sharing those that are as they were.
    fn items(&mut self, current: &Array, inside: Inside<'_>) -> Option<Json> {
        let mut items = Vec::with_capacity(inside.count);
        let mut is_changed = current.len() != inside.count;
        let mut known = current.iter();
        for item in inside.items() {
            let old = known.next();
            items.push(match old {
                Some(old) if is_same(old, item, Letters::Count) => old.clone(),
                _ => self.tree(item),
            });
            is_changed |= old.is_none_or(|old| !is_same(old, item, Letters::MayDiffer));
        }
        is_changed.then(|| Json::Array(Array::sharing(items, current)))
    }

    /// A value where nothing stood: what is null in its objects is left out.
    fn fresh(&mut self, value: Part<'_>) -> Json {
        let Part::Object(inside) = value else { return self.tree(value) };
        let mut members = Vec::with_capacity(inside.count);
        for (name, value) in inside.members() {
            if !matches!(value, Part::Null) {
                members.push((self.names.of(name), self.fresh(value)));
            }
        }
        Json::Object(Arc::new(members.into_iter().collect()))
    }

    fn tree(&mut self, value: Part<'_>) -> Json {
        value.tree(self.names)
    }
}

/// Whether merging would leave an object as it is.
fn is_merged(target: &Object, patch: Inside<'_>) -> bool {
    let mut hint = 0;
    patch.members().all(|(name, value)| {
        let place = target.place(&name.meant(), hint);
        let current = place.and_then(|place| target.member(place));
        hint = place.map_or(hint, |place| place + 1);
        match (value, current) {
            (Part::Null, None) => true,
            (Part::Null, Some(_)) | (_, None) => false,
            (Part::Object(inside), Some((_, Json::Object(inner)))) => is_merged(inner, inside),
            (_, Some((_, current))) => is_same(current, value, Letters::MayDiffer),
        }
    })
}

/// Whether it matters how equal values are written: `1` or `1.0`, and which member stands first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    MayDiffer,
    Count,
}

/// Whether a value says what is there already.
fn is_same(current: &Json, value: Part<'_>, letters: Letters) -> bool {
    match (current, value) {
        (Json::Null, Part::Null) => true,
        (Json::Bool(current), Part::Bool(value)) => *current == value,
        (Json::Number(current), Part::Number(text)) => match letters {
            Letters::Count => current.is_written(text),
            Letters::MayDiffer => current.is_same_as(text),
        },
        (Json::Text(current), Part::Text(written)) => written.means(current),
        (Json::Array(current), Part::Array(inside)) => {
            current.len() == inside.count
                && current.iter().zip(inside.items()).all(|(item, value)| is_same(item, value, letters))
        }
        (Json::Object(current), Part::Object(inside)) => {
            let lines_up = current.len() == inside.count
                && current.iter().zip(inside.members()).all(|((own, current), (name, value))| {
                    name.means(own) && is_same(current, value, letters)
                });
            lines_up || (letters == Letters::MayDiffer && is_same_unordered(current, value))
        }
        _ => false,
    }
}

fn is_same_unordered(current: &Arc<Object>, value: Part<'_>) -> bool {
    Json::Object(Arc::clone(current)) == value.tree(&mut Names::default())
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::vec,
        prelude::{Just, Strategy, prop_oneof, proptest},
    };

    use super::{Merge, merge};
    use crate::{
        model::{Json, Pointer, RecordedEvent, Segment, Stored, StreamName},
        replay::{
            changes::ChangeIndex,
            reducer::{Fed, Reducer as _},
            sequence::each_row,
        },
        store::{bodies::Bodies, decode::decode, memory::event},
        work::Work,
    };

    /// Documents with few names and values, so that they meet: members that stand twice, escapes, numbers
    /// written in several ways, and now and then no JSON at all.
    fn documents() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null"),
            Just("true"),
            Just("1"),
            Just("1.0"),
            Just("-0"),
            Just("12345678901234567890123456789"),
            Just(r#""a""#),
            Just(r#""\u0061""#),
            Just(r#""\n""#),
        ]
        .prop_map(str::to_owned);
        let name = prop_oneof![Just("a"), Just("\\u0061"), Just("b"), Just("0"), Just("c d")];
        let value = scalar.prop_recursive(3, 24, 6, move |inner| {
            let member =
                (name.clone(), inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
            prop_oneof![
                vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(", "))),
                vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            ]
        });
        prop_oneof![30 => value, 1 => Just("{\"a\":".to_owned()), 1 => Just(String::new())]
    }

    fn with_data(count: usize, text: &str) -> RecordedEvent {
        let mut event = event(count as i64, &StreamName::of("s", "1"), count as i64, "Changed", Json::Null);
        event.data = decode(Stored::Text(text.as_bytes().into()), &[]);
        event
    }

    /// Every path of a value.
    fn paths(path: &Pointer, value: &Json, found: &mut Vec<Pointer>) {
        found.push(path.clone());
        for (index, item) in value.as_array().unwrap_or_default().iter().enumerate() {
            paths(&path.child(Segment::Index(index)), item, found);
        }
        for (name, value) in value.as_object().into_iter().flat_map(|object| object.iter()) {
            paths(&path.child(Segment::Name(std::sync::Arc::clone(name))), value, found);
        }
    }

    proptest! {
        /// A row comes to the same state, letter by letter, as the whole event, and what it notes is what the
        /// states tell.
        #[test]
        fn a_row_does_what_its_event_does(texts in vec(documents(), 1..12)) {
            let work = Work::default();
            let start = || Merge::for_category(None).start(&work).unwrap();
            let (mut whole, mut by_rows) = (start(), start());
            let (mut told, mut noted) = (ChangeIndex::new(1 << 20), ChangeIndex::new(1 << 20));
            let mut places = Vec::new();
            for (count, text) in (1..).zip(&texts) {
                let event = with_data(count, text);
                let before = whole.state();
                let applied = whole.apply(&event);
                told.note(count, &before, &whole.state());
                let mut fed = Fed::WantsEvent;
                let _flow = each_row(count, Some(&event), Bodies::Data, &mut |_, row| {
                    fed = by_rows.apply_row(row.unwrap(), noted.step(count).as_mut());
                    std::ops::ControlFlow::Continue(())
                });
                if fed == Fed::WantsEvent {
                    let before = by_rows.state();
                    assert_eq!(by_rows.apply(&event), applied);
                    noted.note(count, &before, &by_rows.state());
                } else {
                    assert!(applied.is_ok());
                    noted.pass(count);
                }
                assert_eq!(by_rows.state().to_compact(), whole.state().to_compact());
                paths(&Pointer::root(), &whole.state(), &mut places);
            }
            for path in places {
                assert_eq!(noted.find(&path), told.find(&path), "{path}");
            }
        }
    }

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
