//! A state told by what the event before it left: short where little changed, exact to the letter.
//!
//! A delta is JSON. `[value]` puts another value in the place. `[head, tail, between, changed]` keeps the first
//! `head` and the last `tail` members or items, puts `between` in the middle, and then changes the members
//! whose places in the new value `changed` names, each by a delta of its own. So members keep their order and
//! numbers their spelling, which a comparison of values would not tell.

use std::{fmt::Write as _, sync::Arc};

use crate::model::{Array, Json, Object};

/// How a state came from the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delta {
    /// Both are alike to the letter.
    Same,
    /// This text says it.
    Text(String),
    /// It would take more than was allowed.
    TooLong,
}

/// What makes `new` of `old`, in no more than about `most` bytes.
pub(crate) fn delta(old: &Json, new: &Json, most: usize) -> Delta {
    let mut writer = Writer { text: String::new(), most };
    match writer.node(old, new) {
        false => Delta::Same,
        true if writer.is_full() => Delta::TooLong,
        true => Delta::Text(writer.text),
    }
}

/// Makes the new value; nothing if the delta was not made for the old one.
pub(crate) fn apply(old: &Json, delta: &Json) -> Option<Json> {
    match delta.as_array()?.to_vec().as_slice() {
        [value] => Some(value.clone()),
        [head, tail, between, changed] => {
            let edit = Edit { head: place(head)?, tail: place(tail)?, changed: changed.as_object()? };
            match (old, between) {
                (Json::Array(items), Json::Array(between)) => edit.array(items, between),
                (Json::Object(members), Json::Object(between)) => edit.object(members, between),
                _ => None,
            }
        }
        _ => None,
    }
}

struct Writer {
    text: String,
    most: usize,
}

impl Writer {
    fn is_full(&self) -> bool {
        self.text.len() > self.most
    }

    /// Writes how `new` came of `old`; nothing if they are alike.
    fn node(&mut self, old: &Json, new: &Json) -> bool {
        match (old, new) {
            (Json::Array(before), Json::Array(after)) if before.is_same(after) => false,
            (Json::Object(before), Json::Object(after)) if Arc::ptr_eq(before, after) => false,
            (Json::Array(before), Json::Array(after)) => self.arrays(before, after),
            (Json::Object(before), Json::Object(after)) => self.objects(before, after),
            _ if alike(old, new) => false,
            _ => {
                self.text.push('[');
                new.write_compact(&mut self.text);
                self.text.push(']');
                true
            }
        }
    }

    fn arrays(&mut self, before: &Array, after: &Array) -> bool {
        let start = self.text.len();
        // Of equal length they are compared item by item; else what stands between equal ends is written anew.
        if before.len() == after.len() {
            self.begin(before.len(), 0);
            self.text.push_str("[]");
            return self.changes(start, false, before.iter().zip(after).enumerate());
        }
        let head = before.iter().zip(after).take_while(|(old, new)| alike(old, new)).count();
        let rest = before.len().min(after.len()) - head;
        let ends = before.iter().rev().zip(after.iter().rev()).take(rest);
        let tail = ends.take_while(|(old, new)| alike(old, new)).count();
        self.begin(head, tail);
        self.text.push('[');
        for (index, item) in after.iter().skip(head).take(after.len() - head - tail).enumerate() {
            self.separate(index);
            item.write_compact(&mut self.text);
        }
        self.text.push(']');
        self.changes(start, true, std::iter::empty())
    }

    fn objects(&mut self, before: &Object, after: &Object) -> bool {
        let pairs = before.iter().zip(after.iter());
        let head = pairs.take_while(|((old, _), (new, _))| old == new).count();
        let rest = before.len().min(after.len()) - head;
        let ends = before.iter().rev().zip(after.iter().rev()).take(rest);
        let tail = ends.take_while(|((old, _), (new, _))| old == new).count();
        let start = self.text.len();
        self.begin(head, tail);
        self.text.push('{');
        let between = after.iter().skip(head).take(after.len() - head - tail);
        for (index, (name, member)) in between.enumerate() {
            self.separate(index);
            Json::Text(Arc::clone(name)).write_compact(&mut self.text);
            self.text.push(':');
            member.write_compact(&mut self.text);
        }
        self.text.push('}');
        let has_others = (before.len(), after.len()) != (head + tail, head + tail);
        let (old_tail, new_tail) = (before.len() - tail, after.len() - tail);
        let first = before.iter().zip(after.iter()).take(head).enumerate();
        let last = (new_tail..).zip(before.iter().skip(old_tail).zip(after.iter().skip(new_tail)));
        let kept = first.chain(last).map(|(place, ((_, old), (_, new)))| (place, (old, new)));
        self.changes(start, has_others, kept)
    }

    fn begin(&mut self, head: usize, tail: usize) {
        // Writing to a string cannot fail, here and below.
        write!(self.text, "[{head},{tail},").ok();
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.text.push(',');
        }
    }

    /// Ends an edit that began at `start` with the changes of what is kept; takes it back if it does nothing.
    fn changes<'a>(
        &mut self,
        start: usize,
        has_others: bool,
        kept: impl Iterator<Item = (usize, (&'a Json, &'a Json))>,
    ) -> bool {
        self.text.push_str(",{");
        let mut changed = 0;
        for (place, (old, new)) in kept {
            if self.is_full() {
                return true;
            }
            let before = self.text.len();
            self.separate(changed);
            write!(self.text, "\"{place}\":").ok();
            if self.node(old, new) {
                changed += 1;
            } else {
                self.text.truncate(before);
            }
        }
        self.text.push_str("}]");
        if changed == 0 && !has_others {
            self.text.truncate(start);
            return false;
        }
        true
    }
}

/// Whether two values are written with the same letters.
pub(crate) fn alike(old: &Json, new: &Json) -> bool {
    match (old, new) {
        (Json::Null, Json::Null) => true,
        (Json::Bool(old), Json::Bool(new)) => old == new,
        (Json::Number(old), Json::Number(new)) => old.as_str() == new.as_str(),
        (Json::Text(old), Json::Text(new)) => old == new,
        (Json::Array(old), Json::Array(new)) => {
            old.is_same(new)
                || (old.len() == new.len() && old.iter().zip(new.iter()).all(|(old, new)| alike(old, new)))
        }
        (Json::Object(old), Json::Object(new)) => {
            let mut members = old.iter().zip(new.iter());
            Arc::ptr_eq(old, new)
                || (old.len() == new.len()
                    && members.all(|((left, old), (right, new))| left == right && alike(old, new)))
        }
        _ => false,
    }
}

/// An edit as it is read.
struct Edit<'a> {
    head: usize,
    tail: usize,
    changed: &'a Object,
}

impl Edit<'_> {
    fn array(&self, items: &Array, between: &Array) -> Option<Json> {
        let skipped = items.len().checked_sub(self.tail)?;
        let head = items.iter().take(self.head);
        if head.len() < self.head {
            return None;
        }
        let mut made: Vec<Json> = head.chain(between).chain(items.iter().skip(skipped)).cloned().collect();
        for (at, change) in self.changed.iter() {
            let item = made.get_mut(at.parse::<usize>().ok()?)?;
            *item = apply(item, change)?;
        }
        Some(Json::array(made))
    }

    fn object(&self, members: &Object, between: &Object) -> Option<Json> {
        let skipped = members.len().checked_sub(self.tail)?;
        let kept = members.iter().take(self.head).chain(between.iter()).chain(members.iter().skip(skipped));
        let mut made: Vec<(Arc<str>, Json)> =
            kept.map(|(name, value)| (Arc::clone(name), value.clone())).collect();
        for (at, change) in self.changed.iter() {
            let (_, value) = made.get_mut(at.parse::<usize>().ok()?)?;
            *value = apply(value, change)?;
        }
        Some(Json::object(made))
    }
}

fn place(json: &Json) -> Option<usize> {
    match json {
        Json::Number(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    use super::{Delta, apply, delta};
    use crate::model::Json;

    fn read(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    fn check(old: &str, new: &str, expected: &str) {
        let (old, new) = (read(old), read(new));
        let found = delta(&old, &new, 1000);
        let text = match &found {
            Delta::Same => "",
            Delta::Text(text) => text,
            Delta::TooLong => "too long",
        };
        assert_eq!(text, expected, "{} to {}", old.to_compact(), new.to_compact());
        if !text.is_empty() {
            assert_eq!(apply(&old, &read(text)).unwrap().to_compact(), new.to_compact());
        }
    }

    #[test]
    fn what_changed_is_told_by_its_place() {
        check(r#"{"count":1,"last":7}"#, r#"{"count":2,"last":7}"#, r#"[2,0,{},{"0":[2]}]"#);
        check("[1,[2,3]]", "[1,[2,4]]", r#"[2,0,[],{"1":[2,0,[],{"1":[4]}]}]"#);
        check(r#"{"a":[1]}"#, r#"{"a":[1,2]}"#, r#"[1,0,{},{"0":[1,0,[2],{}]}]"#);
        check("[1,2,3]", "[1,3]", "[1,1,[],{}]");
        check("[1]", "[]", "[0,0,[],{}]");
        check("1", "{}", "[{}]");
    }

    #[test]
    fn order_and_spelling_are_kept() {
        check(r#"{"2":1,"9":1}"#, r#"{"2":1,"5":0,"9":2}"#, r#"[1,1,{"5":0},{"2":[2]}]"#);
        check(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, r#"[0,0,{"b":2,"a":1},{}]"#);
        check(r#"{"a":1,"b":2}"#, r#"{"b":2}"#, "[0,1,{},{}]");
        check("[1]", "[1.0]", r#"[1,0,[],{"0":[1.0]}]"#);
        check(r#"{"a":[1,{"b":null}]}"#, r#"{"a":[1,{"b":null}]}"#, "");
    }

    #[test]
    fn what_was_not_made_for_a_value_is_refused() {
        for text in ["null", "[]", "[5,0,[],{}]", "[0,9,[],{}]", "[1,0,[],{\"7\":[1]}]", "[0,0,{},{}]"] {
            assert!(apply(&read("[1]"), &read(text)).is_none(), "{text}");
        }
        let long = Json::from("a".repeat(2000));
        assert_eq!(delta(&Json::Null, &long, 1000), Delta::TooLong);
    }

    fn value() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (0_i64..4).prop_map(Json::from),
            "[a-c]{0,2}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::array),
                proptest::collection::btree_map("[a-e]", inner, 0..5).prop_map(Json::object),
            ]
        })
    }

    proptest! {
        #[test]
        fn applied_it_gives_the_new_value_to_the_letter(old in value(), new in value()) {
            let made = match delta(&old, &new, 100_000) {
                Delta::Same => old,
                Delta::Text(text) => apply(&old, &read(&text)).unwrap(),
                Delta::TooLong => panic!("too long"),
            };
            assert_eq!(made.to_compact(), new.to_compact());
        }
    }
}
