//! What can be told from a source without running it.

use std::{collections::BTreeSet, sync::Arc};

use crate::script::tokens::{Token, TokenKind, text_of, tokens};

/// The tokens of a source that are no comments, with their texts.
struct Words<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Self {
        let mut tokens = tokens(text);
        tokens.retain(|token| token.kind != TokenKind::Comment);
        Self { text, tokens }
    }

    fn word(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |token| text_of(self.text, token))
    }

    fn kind(&self, index: usize) -> Option<TokenKind> {
        self.tokens.get(index).map(|token| token.kind)
    }
}

/// Whether the source calls a function of one of these names.
pub(crate) fn calls_any(text: &str, names: &[&str]) -> bool {
    let words = Words::of(text);
    (0..words.tokens.len()).any(|index| {
        words.kind(index) == Some(TokenKind::Name)
            && names.contains(&words.word(index))
            && words.word(index + 1) == "("
            && !(index > 0 && matches!(words.word(index - 1), "." | "?." | "function"))
    })
}

/// Whether the source names one of these anywhere.
pub(crate) fn names_any(text: &str, names: &[&str]) -> bool {
    let words = Words::of(text);
    (0..words.tokens.len())
        .any(|index| words.kind(index) == Some(TokenKind::Name) && names.contains(&words.word(index)))
}

/// Whether the source is nothing but an object: `({…})` or `{…}`; the latter needs parentheses.
pub(crate) fn bare_object(text: &str) -> Option<bool> {
    let words = Words::of(text);
    match (words.word(0), words.word(1)) {
        ("(", "{") => Some(false),
        ("{", _) => Some(true),
        _ => None,
    }
}

/// The member names of each object that is written out as the argument of `when`, in the order written.
///
/// The language lists names like `1` first, whatever was written; the dialect goes by what was written.
pub(crate) fn when_objects(text: &str) -> Vec<Vec<Arc<str>>> {
    let words = Words::of(text);
    (0..words.tokens.len())
        .filter(|index| {
            words.word(*index) == "when" && words.word(index + 1) == "(" && words.word(index + 2) == "{"
        })
        .map(|index| member_names(&words, index + 2))
        .collect()
}

/// The names at the first level of the object that opens at `start`.
fn member_names(words: &Words<'_>, start: usize) -> Vec<Arc<str>> {
    let mut names = Vec::new();
    let mut depth = 0_i32;
    let mut may_begin = false;
    for index in start..words.tokens.len() {
        let word = words.word(index);
        let kind = words.kind(index);
        match (kind, word) {
            (Some(TokenKind::Punctuation), "{" | "(" | "[") => depth += 1,
            (Some(TokenKind::Punctuation), "}" | ")" | "]") => depth -= 1,
            (Some(TokenKind::Template), _) => {
                depth += i32::from(word.ends_with("${")) - i32::from(word.starts_with('}'));
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && matches!(word, "{" | ",") {
            may_begin = true;
            continue;
        }
        // Before a method's name may stand one of these, unless it is the name.
        let is_prefix = matches!(word, "async" | "get" | "set" | "*" | "static")
            && !matches!(words.word(index + 1), "(" | ":" | "," | "}");
        if depth == 1 && may_begin && !is_prefix {
            may_begin = false;
            names.extend(member_name(kind, word));
        }
    }
    names
}

fn member_name(kind: Option<TokenKind>, word: &str) -> Option<Arc<str>> {
    match kind? {
        TokenKind::Name | TokenKind::Keyword => Some(word.into()),
        TokenKind::Number => {
            Some(word.parse::<f64>().ok().map_or(word.into(), |number| number.to_string().into()))
        }
        TokenKind::Text => word.get(1..word.len().saturating_sub(1)).map(Arc::from),
        _ => None,
    }
}

/// Names that the source declares outside all braces, and whether each may hold more than a function
/// that was written out. Nothing if there is something that cannot be told by looking.
pub(crate) fn top_level_names(text: &str) -> Option<BTreeSet<Arc<str>>> {
    let words = Words::of(text);
    let mut names = BTreeSet::new();
    let mut depth = 0_i32;
    for index in 0..words.tokens.len() {
        let word = words.word(index);
        match words.kind(index) {
            Some(TokenKind::Punctuation) if matches!(word, "{" | "(" | "[") => depth += 1,
            Some(TokenKind::Punctuation) if matches!(word, "}" | ")" | "]") => depth -= 1,
            Some(TokenKind::Template) => {
                depth += i32::from(word.ends_with("${")) - i32::from(word.starts_with('}'));
            }
            Some(TokenKind::Keyword) if depth == 0 && matches!(word, "var" | "let" | "const") => {
                names.extend(declared(&words, index + 1)?);
            }
            // Its fields are no part of what is compared.
            Some(TokenKind::Keyword) if depth == 0 && word == "class" => {
                names.insert(words.word(index + 1).into());
            }
            Some(TokenKind::Keyword) if depth == 0 && word == "function" => {
                let at = if words.word(index + 1) == "*" { index + 2 } else { index + 1 };
                names.insert(words.word(at).into());
            }
            // Hidden inside: a function called on the spot, from which handlers are taken.
            Some(TokenKind::Name) if depth > 0 && word == "when" && words.word(index + 1) == "(" => {
                return None;
            }
            Some(TokenKind::Keyword) if word == "static" => return None,
            _ => {}
        }
    }
    let is_plain = |index: usize| {
        words.word(index) == "when" && words.word(index + 1) == "(" && words.word(index + 2) != "{"
    };
    if (0..words.tokens.len()).any(is_plain) {
        return None;
    }
    names.remove("");
    Some(names)
}

/// The names of one declaration: `a = 1, b` gives both. Patterns are not looked into.
fn declared(words: &Words<'_>, start: usize) -> Option<Vec<Arc<str>>> {
    let mut names = Vec::new();
    let mut depth = 0_i32;
    let mut expects_name = true;
    for index in start..words.tokens.len() {
        let word = words.word(index);
        if expects_name {
            if words.kind(index) == Some(TokenKind::Punctuation) {
                return None;
            }
            names.push(word.into());
            expects_name = false;
            continue;
        }
        match word {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            "," if depth == 0 => expects_name = true,
            ";" if depth == 0 => break,
            "var" | "let" | "const" | "function" | "class" if depth == 0 && words.word(index - 1) != "=" => {
                break;
            }
            _ => {}
        }
        if depth < 0 {
            break;
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::{bare_object, calls_any, top_level_names, when_objects};

    fn check(text: &str, expected: &str) {
        let found: Vec<String> = when_objects(text).iter().map(|names| names.join(" ")).collect();
        assert_eq!(found.join(" | "), expected, "{text}");
    }

    #[test]
    fn the_written_order_of_handlers() {
        check(
            "fromAll().when({ $any: f, 1: (a) => ({ b: 1 }), 'x y'() {}, async Z(s, e) {} })",
            "$any 1 x y Z",
        );
        check(
            "a.when({ get: 1, async() {}, [k]: 2, ...more, T: `a${ {q: 1} }b` }).when({})",
            "get async T | ",
        );
        check("when(h)", "");
    }

    #[test]
    fn calls_are_seen_and_comments_are_not() {
        assert!(calls_any("x(); emit ('a')", &["emit"]));
        assert!(!calls_any("typeof emit; // emit(\n a.emit(1); 'emit('", &["emit"]));
    }

    #[test]
    fn bare_objects() {
        assert_eq!(bare_object("/* c */ ({ a: 1 })"), Some(false));
        assert_eq!(bare_object("{ A(s) {} }"), Some(true));
        assert_eq!(bare_object("fromAll()"), None);
    }

    #[test]
    fn top_level_names_are_found_or_given_up() {
        let names =
            |text: &str| top_level_names(text).map(|names| names.into_iter().collect::<Vec<_>>().join(" "));
        let source = "let a = 1, b = { c: 2 };\nfunction f() { var d; }\nclass K {}\nfromAll().when({ A(s) { let e; } });";
        assert_eq!(names(source).as_deref(), Some("K a b f"));
        assert_eq!(names("const { a } = x;"), None);
        assert_eq!(names("(function () { let n; fromAll().when({ A() { n++; } }); })()"), None);
        assert_eq!(names("fromAll().when(make());"), None);
    }
}
