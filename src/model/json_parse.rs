//! Reads JSON text into a tree, keeping what other readers lose.
//!
//! Our own and not `serde_json`: number text, duplicate names, half of a surrogate pair and the
//! place of a mistake all have to survive, and nesting has to end in a message, not in the stack.

use std::{cell::RefCell, sync::Arc};

use crate::model::{
    json::{Json, Number, Object},
    json_tape::{Part, Tape, Written},
};

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {offset}")]
pub struct JsonError {
    /// What is wrong there.
    pub what: &'static str,
    /// Where, in bytes from the start.
    pub offset: usize,
}

/// Names of members that were met before. Documents of one kind have the same names again and again: with
/// one text for all of them, trees take less memory and are compared by a look at the pointer.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: Vec<Option<Arc<str>>>,
}

/// What a thread needs to read, kept for the next document.
#[derive(Default)]
struct Reader {
    tape: Tape,
    names: Names,
}

thread_local! {
    static READER: RefCell<Reader> = RefCell::default();
}

pub(crate) fn parse(text: &[u8]) -> Result<Json, JsonError> {
    READER.with_borrow_mut(|Reader { tape, names }| Ok(tape.read(text)?.part().tree(names)))
}

/// Makes the tree of a value.
fn tree(value: Part<'_>, names: &mut Names) -> Json {
    match value {
        Part::Null => Json::Null,
        Part::Bool(value) => Json::Bool(value),
        Part::Number(text) => Json::Number(Number::from_valid(text)),
        Part::Text(written) => Json::Text(written.to_text()),
        Part::Array(inside) => {
            let mut items = Vec::with_capacity(inside.count);
            items.extend(inside.items().map(|item| tree(item, names)));
            Json::Array(items.into())
        }
        Part::Object(inside) => {
            let mut members = Vec::with_capacity(inside.count);
            members.extend(inside.members().map(|(name, value)| (names.of(name), tree(value, names))));
            Json::Object(Arc::new(Object::from_members(members)))
        }
    }
}

impl Part<'_> {
    /// Makes the tree of the value.
    pub(crate) fn tree(self, names: &mut Names) -> Json {
        tree(self, names)
    }
}

impl Names {
    /// So many names are known at once.
    const KNOWN: usize = 512;

    /// Longer ones are not: they are hardly names.
    const LONGEST: usize = 40;

    /// The name of a member as it is written.
    pub(crate) fn of(&mut self, name: Written<'_>) -> Arc<str> {
        self.get(&name.meant())
    }

    /// A name without its escapes.
    pub(crate) fn get(&mut self, name: &str) -> Arc<str> {
        if name.len() > Self::LONGEST {
            return name.into();
        }
        if self.known.is_empty() {
            self.known.resize(Self::KNOWN, None);
        }
        match self.known.get_mut(Self::place(name) % Self::KNOWN) {
            Some(Some(known)) if **known == *name => Arc::clone(known),
            Some(known) => {
                let new: Arc<str> = name.into();
                *known = Some(Arc::clone(&new));
                new
            }
            None => name.into(),
        }
    }

    /// Where a name is looked for, by its ends and its length. A bad spread costs time and nothing else.
    pub(crate) fn place(name: &str) -> usize {
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let (first, last) = ends(name.as_bytes());
        let mixed = (first ^ last.rotate_left(23) ^ name.len() as u64).wrapping_mul(SPREAD);
        (mixed >> 40) as usize
    }
}

/// What a text begins and ends with, in numbers: up to eight bytes each, and the same ones where it is short.
#[inline]
fn ends(text: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    let all = text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    (all, all)
}

#[cfg(test)]
mod tests {
    use crate::model::json::Json;

    /// Reads `text` and writes it again, or tells why not.
    fn check(text: &str, expected: &str) {
        let found = match Json::parse(text.as_bytes()) {
            Ok(value) => value.to_compact(),
            Err(err) => err.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn number_text_order_and_duplicates_survive() {
        check(
            r#" {"b": 1.50, "a": 12345678901234567890, "b": 1E400} "#,
            r#"{"b":1.50,"a":12345678901234567890,"b":1E400}"#,
        );
    }

    #[test]
    fn strings_are_unescaped() {
        check(r#""a\u00e9\ud83d\ude00\n""#, "\"aé😀\\n\"");
        check(r#""\ud800x""#, "\"\u{fffd}x\"");
    }

    #[test]
    fn mistakes_name_their_place() {
        check("{'a': 1}", "expected a member name in double quotes at byte 1");
        check("[1,]", "expected a JSON value at byte 3");
        check("\"abc", "the text ends inside a string at byte 1");
        check("01", "a number must not start so at byte 2");
        check("1 2", "unexpected text after the value at byte 2");
        check("nul", "expected a JSON value at byte 0");
    }

    #[test]
    fn deep_nesting_ends_in_a_message() {
        check(&"[".repeat(100_000), "nested deeper than 512 levels at byte 512");
        let deepest = format!("{}{}", "[".repeat(512), "]".repeat(512));
        check(&deepest, &deepest);
    }

    #[test]
    fn invalid_utf8_names_its_place() {
        let err = Json::parse(b"\"a\xff\"").err();
        assert_eq!(err.map(|err| err.to_string()).as_deref(), Some("invalid UTF-8 at byte 2"));
    }
}
