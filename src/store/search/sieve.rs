//! What is looked for, made ready to be compared with millions of texts.

use std::{fmt::Write as _, ops::Range};

use regex::bytes::{Regex, RegexBuilder};

use crate::{
    model::{Json, Pointer, Segment, decimal::same_number},
    store::search::Sought,
};

/// What is looked for, made ready.
#[derive(Debug, Clone)]
pub struct Sieve {
    /// Met by the text of every payload that holds what is looked for.
    spelled: Regex,
    /// What the payload has to say besides.
    value: Option<(Pointer, Json)>,
}

impl Sieve {
    /// Makes it ready. Fails with the reason in words if the text is too long to be looked for.
    pub fn new(sought: &Sought) -> Result<Self, String> {
        let (pattern, any_case, value) = match sought {
            Sought::Text { text, is_exact_case } => (spellings(text, !is_exact_case), !is_exact_case, None),
            Sought::Value { path, value } => (hint(path, value), false, Some((path.clone(), value.clone()))),
        };
        let spelled = RegexBuilder::new(&pattern)
            .case_insensitive(any_case)
            .build()
            .map_err(|_too_big| "what is looked for is too long".to_owned())?;
        Ok(Self { spelled, value })
    }

    /// Whether a payload that is stored as this text could hold what is looked for; `false` is certain.
    #[must_use]
    pub fn may_hold(&self, text: &[u8]) -> bool {
        self.spelled.is_match(text)
    }

    /// The first place in `text` from byte `from` on that could be one, for whoever looks through many texts at
    /// once. A place across two texts counts for neither.
    #[must_use]
    pub fn next_place(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        self.spelled.find_at(text, from).map(|found| found.range())
    }

    /// Where a payload's JSON text meets what is looked for, in bytes.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Range<usize>> {
        let place = self.spelled.find(text.as_bytes())?.range();
        let Some((path, value)) = &self.value else { return Some(place) };
        let json = Json::parse(text.as_bytes()).ok()?;
        is_there(&json, path.segments(), value).then_some(place)
    }
}

/// An expression that every text meets which holds this value at this path: the text of the value, where it
/// is one, or else the last name of the path.
fn hint(path: &Pointer, value: &Json) -> String {
    let name = path.segments().iter().rev().find_map(|segment| match segment {
        Segment::Name(name) if **name != *"*" => Some(name),
        Segment::Name(_) | Segment::Index(_) => None,
    });
    let spelled = match (value, name) {
        (Json::Text(text), _) if !text.is_empty() => spellings(text, false),
        (_, Some(name)) => format!("\"{}\"", spellings(name, false)),
        (Json::Text(_), None) => "\"\"".to_owned(),
        (_, None) => return String::new(),
    };
    // Letters and digits need no escape, and hardly anybody writes one; whoever does is looked at closely.
    format!(r"{spelled}|\\u00[2-7]")
}

/// An expression for all ways in which JSON may spell this text, but for needless escapes of letters and
/// digits.
fn spellings(text: &str, any_case: bool) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == ' ' {
            pattern.push(c);
            continue;
        }
        let mut ways = vec![regex::escape(c.encode_utf8(&mut [0; 4])), escape(c)];
        ways.extend(short_escape(c).map(|letter| format!(r"\\{}", regex::escape(letter))));
        if any_case {
            ways.extend(c.to_lowercase().chain(c.to_uppercase()).map(escape));
        }
        ways.dedup();
        // Writing into a text cannot fail.
        write!(pattern, "(?:{})", ways.join("|")).ok();
    }
    pattern
}

/// `\u00fc`, with digits of either case.
fn escape(c: char) -> String {
    let mut pattern = String::new();
    for unit in c.encode_utf16(&mut [0; 2]) {
        write!(pattern, r"\\u(?i:{unit:04x})").ok();
    }
    pattern
}

/// What stands after the backslash in an escape of two characters.
fn short_escape(c: char) -> Option<&'static str> {
    Some(match c {
        '"' => "\"",
        '\\' => "\\",
        '/' => "/",
        '\n' => "n",
        '\r' => "r",
        '\t' => "t",
        '\u{8}' => "b",
        '\u{c}' => "f",
        _ => return None,
    })
}

/// Whether the value stands at the path, where `*` is any member or item.
fn is_there(json: &Json, path: &[Segment], value: &Json) -> bool {
    let Some((first, rest)) = path.split_first() else { return is_same(json, value) };
    let of = |child: Option<&Json>| child.is_some_and(|child| is_there(child, rest, value));
    match (json, first) {
        (Json::Object(members), Segment::Name(name)) if **name == *"*" => {
            members.get(name).is_some_and(|child| is_there(child, rest, value))
                || members.iter().any(|(_, child)| is_there(child, rest, value))
        }
        (Json::Array(items), Segment::Name(name)) if **name == *"*" => {
            items.iter().any(|child| is_there(child, rest, value))
        }
        (Json::Object(members), Segment::Name(name)) => of(members.get(name)),
        (Json::Object(members), Segment::Index(index)) => of(members.get(&index.to_string())),
        (Json::Array(items), Segment::Index(index)) => of(items.get(*index)),
        (Json::Array(_), Segment::Name(_))
        | (Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_), _) => false,
    }
}

fn is_same(stored: &Json, value: &Json) -> bool {
    match (stored, value) {
        (Json::Number(stored), Json::Number(value)) => same_number(stored.as_str(), value.as_str()),
        (stored, value) => stored == value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sought: &Sought, text: &str, expected: Option<&str>) {
        let sieve = Sieve::new(sought).unwrap();
        let found = sieve.find(text).and_then(|at| text.get(at));
        assert_eq!(found, expected, "{sought:?} in {text}");
        if found.is_some() {
            assert!(sieve.may_hold(text.as_bytes()), "{sought:?} in {text}");
        }
    }

    fn text(text: &str) -> Sought {
        Sought::Text { text: text.into(), is_exact_case: false }
    }

    fn value(path: &str, value: &str) -> Sought {
        let value = Json::parse(value.as_bytes()).unwrap();
        Sought::Value { path: Pointer::parse(path).unwrap(), value }
    }

    #[test]
    fn a_text_is_found_in_every_spelling() {
        check(&text("paid"), r#"{"a":"PAID"}"#, Some("PAID"));
        check(&Sought::Text { text: "paid".into(), is_exact_case: true }, r#"{"a":"PAID"}"#, None);
        check(&text("müller"), r#"{"a":"MÜLLER"}"#, Some("MÜLLER"));
        check(&text("müller"), r#"{"a":"M\u00dcller"}"#, Some(r"M\u00dcller"));
        check(&text("müller"), r#"{"a":"M\u00FCller"}"#, Some(r"M\u00FCller"));
        check(&text("a/b"), r#"{"a":"a\/b"}"#, Some(r"a\/b"));
        check(&text("say \"no\""), r#"{"a":"say \"no\""}"#, Some(r#"say \"no\""#));
        check(&text("\"a\":"), r#"{"a":1}"#, Some("\"a\":"));
        check(&text("<b>"), r#"{"a":"\u003cb\u003E"}"#, Some(r"\u003cb\u003E"));
        check(&text("😀"), r#"{"a":"\ud83d\uDE00"}"#, Some(r"\ud83d\uDE00"));
        check(&text("a.c"), r#"{"a":"abc"}"#, None);
        check(&text("日本"), r#"{"a":"日本"}"#, Some("日本"));
    }

    #[test]
    fn a_value_is_found_at_its_path_only() {
        check(&value("/a/b", "\"x\""), r#"{"a":{"b":"x"}}"#, Some("x"));
        check(&value("/a/b", "\"x\""), r#"{"a":{"b":"xy","c":"x"}}"#, None);
        check(&value("/a/b", "\"x\""), r#"{"a":{"b":"\u0078"}}"#, Some(r"\u007"));
        check(&value("/a", "10"), r#"{"a":1e1}"#, Some("\"a\""));
        check(&value("/a", "10"), r#"{"a":"10"}"#, None);
        check(&value("/items/*/sku", "\"k\""), r#"{"items":[{"sku":"j"},{"sku":"k"}]}"#, Some("k"));
        check(&value("/items/1/sku", "\"j\""), r#"{"items":[{"sku":"j"},{"sku":"k"}]}"#, None);
        check(&value("/*/sku", "null"), r#"{"p":{"sku":null}}"#, Some("\"sku\""));
        check(&value("", "7"), "7.0", Some(""));
        check(&value("/a", "\"x\""), "{not json x", None);
    }
}
