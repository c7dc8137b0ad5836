//! What can be told from a source without running it.

use std::{collections::BTreeMap, sync::Arc};

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

    /// How much deeper in brackets the source is after this token.
    fn step(&self, index: usize) -> i32 {
        let word = self.word(index);
        match self.kind(index) {
            Some(TokenKind::Punctuation) if matches!(word, "{" | "(" | "[") => 1,
            Some(TokenKind::Punctuation) if matches!(word, "}" | ")" | "]") => -1,
            Some(TokenKind::Template) => i32::from(word.ends_with("${")) - i32::from(word.starts_with('}')),
            _ => 0,
        }
    }

    /// Whether the built-in object at `index` is called, or a member of it called or read.
    fn is_only_used(&self, index: usize, before: &str) -> bool {
        if matches!(self.word(index), "undefined" | "NaN" | "Infinity") {
            return true;
        }
        if matches!(before, "delete" | "++" | "--") {
            return false;
        }
        match self.word(index + 1) {
            "(" => true,
            "." => {
                let next = self.word(index + 3);
                let is_written =
                    next.ends_with('=') && !matches!(next, "==" | "===" | "!=" | "!==" | "<=" | ">=");
                !is_written && !matches!(next, "." | "?." | "[" | "++" | "--")
            }
            _ => false,
        }
    }

    /// The bracket that closes the one at `open`, or the end.
    fn matching(&self, open: usize) -> usize {
        let mut depth = 0;
        let close = (open..self.tokens.len()).find(|index| {
            depth += self.step(*index);
            depth <= 0
        });
        close.unwrap_or(self.tokens.len())
    }

    /// The last token of the expression that begins at `start`.
    fn end_of_expression(&self, start: usize) -> usize {
        let mut depth = 0;
        let end = (start..self.tokens.len()).find(|index| {
            let is_end = depth == 0 && matches!(self.word(*index), "," | ";");
            // Without a semicolon the next statement ends it: a name does not follow a value.
            let is_next = depth == 0 && *index > start && self.begins(*index) && self.ends(*index - 1);
            depth += self.step(*index);
            is_end || is_next || depth < 0
        });
        end.unwrap_or(self.tokens.len()).saturating_sub(1).max(start)
    }

    /// Whether a statement may begin here.
    fn begins(&self, index: usize) -> bool {
        match self.kind(index) {
            Some(TokenKind::Name) => true,
            Some(TokenKind::Keyword) => !matches!(self.word(index), "in" | "of" | "instanceof"),
            _ => false,
        }
    }

    /// Whether a value may end here.
    fn ends(&self, index: usize) -> bool {
        match self.kind(index) {
            Some(TokenKind::Keyword) => matches!(self.word(index), "this" | "null" | "true" | "false"),
            Some(TokenKind::Punctuation) => matches!(self.word(index), ")" | "]" | "}"),
            Some(TokenKind::Template) => self.word(index).ends_with('`'),
            Some(TokenKind::Unknown | TokenKind::Comment) | None => false,
            Some(TokenKind::Name | TokenKind::Text | TokenKind::Number | TokenKind::Regex) => true,
        }
    }

    /// Whether a parenthesis after this token calls something.
    fn is_callable(&self, index: usize) -> bool {
        match self.kind(index) {
            Some(TokenKind::Name | TokenKind::Template) => true,
            Some(TokenKind::Punctuation) => matches!(self.word(index), ")" | "]" | "}"),
            Some(TokenKind::Keyword) => matches!(self.word(index), "super" | "this" | "import"),
            _ => false,
        }
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

/// Ways to a built-in object that lead past its name.
const BACK_DOORS: &[&str] =
    &["prototype", "__proto__", "constructor", "globalThis", "PrototypeOf", "__define"];

/// Names that are there without being declared.
const BUILT_IN: &[&str] = &[
    "Object",
    "Function",
    "Array",
    "String",
    "Number",
    "Boolean",
    "Symbol",
    "BigInt",
    "Math",
    "JSON",
    "Date",
    "RegExp",
    "Map",
    "Set",
    "WeakMap",
    "WeakSet",
    "WeakRef",
    "FinalizationRegistry",
    "Promise",
    "Proxy",
    "Reflect",
    "Iterator",
    "Error",
    "AggregateError",
    "EvalError",
    "RangeError",
    "ReferenceError",
    "SyntaxError",
    "TypeError",
    "URIError",
    "SuppressedError",
    "ArrayBuffer",
    "SharedArrayBuffer",
    "DataView",
    "Atomics",
    "Int8Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "Int16Array",
    "Uint16Array",
    "Int32Array",
    "Uint32Array",
    "BigInt64Array",
    "BigUint64Array",
    "Float16Array",
    "Float32Array",
    "Float64Array",
    "DisposableStack",
    "AsyncDisposableStack",
    "Infinity",
    "NaN",
    "undefined",
    "parseInt",
    "parseFloat",
    "isNaN",
    "isFinite",
    "decodeURI",
    "decodeURIComponent",
    "encodeURI",
    "encodeURIComponent",
    "escape",
    "unescape",
    "eval",
    "log",
    "emit",
    "linkTo",
    "linkStreamTo",
    "copyTo",
    "options",
    "fromAll",
    "fromStream",
    "fromStreams",
    "fromCategory",
    "fromCategories",
    "fromStreamsMatching",
];

/// Whether built-in objects are only called, or asked for a member that is called or read: then they are
/// after a run what they were before it. In doubt it says no.
pub(crate) fn keeps_to_itself(text: &str) -> bool {
    let words = Words::of(text);
    (0..words.tokens.len()).all(|index| {
        let word = words.word(index);
        if BACK_DOORS.iter().any(|door| word.contains(door)) || word.contains("\\u") || word == "this" {
            return false;
        }
        if words.kind(index) != Some(TokenKind::Name) || !BUILT_IN.contains(&word) {
            return true;
        }
        let before = index.checked_sub(1).map_or("", |before| words.word(before));
        let is_member = matches!(before, "." | "?.");
        let is_name_of_member = matches!(before, "{" | ",") && words.word(index + 1) == ":";
        is_member || is_name_of_member || words.is_only_used(index, before)
    })
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
        depth += words.step(index);
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
            Some(word.parse::<f64>().ok().map_or_else(|| word.into(), |number| number.to_string().into()))
        }
        TokenKind::Text => word.get(1..word.len().saturating_sub(1)).map(Arc::from),
        _ => None,
    }
}

/// What can be told of a variable's first value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Makes {
    /// Every function in it is written out where it stands.
    WrittenOut,
    /// Some of it comes out of a call, which may have given functions variables of their own.
    Called,
}

/// Names that the source declares outside all braces. Nothing if what it keeps cannot be told by looking.
pub(crate) fn top_level_names(text: &str) -> Option<BTreeMap<Arc<str>, Makes>> {
    let words = Words::of(text);
    let mut names = BTreeMap::new();
    let mut depth = 0_i32;
    for index in 0..words.tokens.len() {
        let word = words.word(index);
        depth += words.step(index);
        match words.kind(index) {
            Some(TokenKind::Keyword) if depth == 0 && matches!(word, "var" | "let" | "const") => {
                names.extend(declared(&words, index + 1)?);
            }
            Some(TokenKind::Keyword) if depth == 0 && word == "class" => {
                names.insert(words.word(index + 1).into(), Makes::WrittenOut);
            }
            Some(TokenKind::Keyword) if depth == 0 && word == "function" => {
                let at = if words.word(index + 1) == "*" { index + 2 } else { index + 1 };
                names.insert(words.word(at).into(), Makes::WrittenOut);
            }
            // Handlers that are made somewhere inside may have variables that nobody sees.
            Some(TokenKind::Name)
                if word == "when"
                    && words.word(index + 1) == "("
                    && (depth > 0 || words.word(index + 2) != "{" || calls(&words, index + 2)) =>
            {
                return None;
            }
            Some(TokenKind::Name) if depth > 0 && matches!(word, "on_event" | "on_any") => return None,
            Some(TokenKind::Keyword) if word == "static" => return None,
            _ => {}
        }
    }
    names.remove("");
    Some(names)
}

/// Whether the value that begins at `start` is made by calls, other than inside of functions in it.
fn calls(words: &Words<'_>, start: usize) -> bool {
    let end = words.end_of_expression(start);
    let mut index = start;
    while index <= end {
        let word = words.word(index);
        let close = if word == "(" { words.matching(index) } else { index };
        if word == "(" && words.word(close + 1) == "{" {
            // A method or a function expression.
            index = words.matching(close + 1);
        } else if word == "(" && words.word(close + 1) == "=>" {
            index = close;
        } else if word == "(" && index > start && words.is_callable(index - 1) {
            return true;
        } else if word == "=>" {
            let is_block = words.word(index + 1) == "{";
            index = if is_block { words.matching(index + 1) } else { words.end_of_expression(index + 1) };
        }
        index += 1;
    }
    false
}

/// The names of one declaration: `a = 1, b` gives both. Nothing for patterns.
fn declared(words: &Words<'_>, start: usize) -> Option<Vec<(Arc<str>, Makes)>> {
    let mut names = Vec::new();
    let mut index = start;
    loop {
        if words.kind(index) == Some(TokenKind::Punctuation) {
            return None;
        }
        let has_value = words.word(index + 1) == "=";
        let makes = if has_value && calls(words, index + 2) { Makes::Called } else { Makes::WrittenOut };
        names.push((words.word(index).into(), makes));
        index = if has_value { words.end_of_expression(index + 2) + 1 } else { index + 1 };
        if words.word(index) != "," {
            return Some(names);
        }
        index += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Makes, bare_object, calls_any, keeps_to_itself, top_level_names, when_objects};

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
        let names = |text: &str| {
            let shown = |(name, makes): (Arc<str>, Makes)| {
                format!("{name}{}", if makes == Makes::Called { "!" } else { "" })
            };
            top_level_names(text).map(|names| names.into_iter().map(shown).collect::<Vec<_>>().join(" "))
        };
        let source = "let a = 1, b = { c: 2, d: (x) => f(x), e(y) { return g(y); } };\nfunction f() { var d; }\n\
                      class K {}\nconst h = x => f(x), i = f(1), j = { k: f(1) }, l = (1 + 2)\n\
                      var m = new Set([1]); let n\nfromAll().when({ A(s) { let e = f(s); }, $any: s => f(s) });";
        assert_eq!(names(source).as_deref(), Some("K a b f h i! j! l m! n"));
        assert_eq!(names("const { a } = x;"), None);
        assert_eq!(names("(function () { let n; fromAll().when({ A() { n++; } }); })()"), None);
        assert_eq!(names("fromAll().when(make());"), None);
        assert_eq!(names("fromAll().when({ A: make() });"), None);
    }

    #[track_caller]
    fn check_keeps_to_itself(text: &str, expected: bool) {
        assert_eq!(keeps_to_itself(text), expected, "{text}");
    }

    #[test]
    fn writing_to_built_in_objects_is_noticed() {
        check_keeps_to_itself(
            "({ A(s, e) { s.n = Math.max(s.n, Number(e.data.n)); s.m = new Map([[1, Math.PI]]); } })",
            true,
        );
        check_keeps_to_itself(
            "fromAll().when({ Error(s, e) { log(e.data.Date, JSON.stringify(s)); } })",
            true,
        );
        check_keeps_to_itself("({ A: (s) => Object.assign({}, s, { Map: undefined }) })", true);
        check_keeps_to_itself("Math.x = 1", false);
        check_keeps_to_itself("Math.x ??= 1", false);
        check_keeps_to_itself("Math.x++", false);
        check_keeps_to_itself("--Math.x", false);
        check_keeps_to_itself("delete Math.max", false);
        check_keeps_to_itself("Math['x'] = 1", false);
        check_keeps_to_itself("Math.max.x = 1", false);
        check_keeps_to_itself("Object.assign(Math, { x: 1 })", false);
        check_keeps_to_itself("const m = Math; m.x = 1", false);
        check_keeps_to_itself("JSON = 1", false);
        check_keeps_to_itself("[].constructor.x = 1", false);
        check_keeps_to_itself("s['__proto__'].x = 1", false);
        check_keeps_to_itself("s['\\u005f_proto__'].x = 1", false);
        check_keeps_to_itself("this.x = 1", false);
        check_keeps_to_itself("`${Math}`", false);
    }
}
