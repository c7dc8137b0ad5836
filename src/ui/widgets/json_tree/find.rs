//! Finding a text in the names and values of a tree.

use std::sync::Arc;

use crate::model::{Json, Pointer, Segment};

/// No more hits than this are kept; the count then reads `10 000+`.
pub const MOST_HITS: usize = 10_000;

/// The hits of one search in one value.
#[derive(Debug, Clone, Default)]
pub(super) struct Hits {
    text: String,
    value: Option<Json>,
    pub(super) paths: Vec<Pointer>,
    pub(super) current: Option<usize>,
}

impl Hits {
    /// Searches again if the text or the value is another; keeps the current hit if it is still one.
    pub(super) fn update(&mut self, text: &str, value: &Json) {
        let is_same_value = self.value.as_ref().is_some_and(|known| is_unchanged(known, value));
        if self.text == text && is_same_value {
            return;
        }
        let current = self.current.and_then(|index| self.paths.get(index).cloned());
        self.paths.clear();
        if !text.is_empty() {
            collect(&Pointer::root(), value, &text.to_lowercase(), &mut self.paths);
        }
        self.current = current.and_then(|path| self.paths.iter().position(|hit| *hit == path));
        text.clone_into(&mut self.text);
        self.value = Some(value.clone());
    }

    /// Goes to the next hit, or the one before, around the ends.
    pub(super) fn turn(&mut self, is_forward: bool) -> Option<&Pointer> {
        let last = self.paths.len().checked_sub(1)?;
        let next = match (self.current, is_forward) {
            (None, true) => 0,
            (None, false) => last,
            (Some(index), true) => {
                if index >= last {
                    0
                } else {
                    index + 1
                }
            }
            (Some(index), false) => index.checked_sub(1).unwrap_or(last),
        };
        self.current = Some(next);
        self.paths.get(next)
    }
}

/// Whether two values need no second look: one node, or equal scalars.
pub(super) fn is_unchanged(known: &Json, value: &Json) -> bool {
    known.is_same_node(value) || (known.len().is_none() && known == value)
}

fn collect(path: &Pointer, value: &Json, text: &str, hits: &mut Vec<Pointer>) {
    if hits.len() >= MOST_HITS {
        return;
    }
    match value {
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(path, (Segment::Index(index), false), item, (text, &mut *hits));
            }
        }
        Json::Object(object) => {
            for (name, member) in object.iter() {
                let is_hit = contains(name, text);
                visit(path, (Segment::Name(Arc::clone(name)), is_hit), member, (text, &mut *hits));
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {
            if path.segments().is_empty() && scalar_contains(value, text) {
                hits.push(path.clone());
            }
        }
    }
}

/// A path is only made for what hits or has children, so that a search costs little where it finds nothing.
fn visit(
    path: &Pointer,
    (segment, is_hit): (Segment, bool),
    value: &Json,
    (text, hits): (&str, &mut Vec<Pointer>),
) {
    let is_hit = is_hit || scalar_contains(value, text);
    let has_parts = value.len().is_some_and(|count| count > 0);
    if (is_hit || has_parts) && hits.len() < MOST_HITS {
        let path = path.child(segment);
        if is_hit {
            hits.push(path.clone());
        }
        collect(&path, value, text, hits);
    }
}

fn scalar_contains(value: &Json, text: &str) -> bool {
    match value {
        Json::Text(own) => contains(own, text),
        Json::Number(number) => contains(number.as_str(), text),
        Json::Bool(true) => contains("true", text),
        Json::Bool(false) => contains("false", text),
        Json::Null => contains("null", text),
        Json::Array(_) | Json::Object(_) => false,
    }
}

/// Whether `own` holds `text`, which is in lower case already.
fn contains(own: &str, text: &str) -> bool {
    if own.len() < text.len() && own.is_ascii() {
        return false;
    }
    own.to_lowercase().contains(text)
}

#[cfg(test)]
mod tests {
    use super::{Hits, Json};

    fn check(value: &str, text: &str, expected: &[&str]) {
        let mut hits = Hits::default();
        hits.update(text, &Json::parse(value.as_bytes()).unwrap());
        let found: Vec<String> = hits.paths.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{text} in {value}");
    }

    #[test]
    fn names_and_values_are_found_in_either_case() {
        let value = r#"{"Status":"PAID","items":[{"sku":"paid-1"},{"n":12.50}],"note":null,"ΟΔΟΣ":"Αθήνα"}"#;
        check(value, "paid", &["/Status", "/items/0/sku"]);
        check(value, "status", &["/Status"]);
        check(value, "2.5", &["/items/1/n"]);
        check(value, "NULL", &["/note"]);
        check(value, "αθή", &["/ΟΔΟΣ"]);
        check(value, "", &[]);
        check("7", "7", &[""]);
    }

    #[test]
    fn turning_goes_around() {
        let mut hits = Hits::default();
        hits.update("a", &Json::parse(br#"["a","b","a"]"#).unwrap());
        let mut turn = |is_forward| hits.turn(is_forward).map(ToString::to_string).unwrap_or_default();
        assert_eq!([turn(true), turn(true), turn(true), turn(false)], ["/0", "/2", "/0", "/2"]);
    }
}
