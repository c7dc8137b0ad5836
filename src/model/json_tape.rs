//! The grammar of JSON: from text to a flat list of the values in it.
//!
//! A tape holds where each value of a document stands, in the order of the text, and is used again for
//! the next document, or takes it behind the others. So a text is checked whole before anything is made of it, a
//! tree knows how large each node is to be, and who wants a part of a document or only compares it makes nothing at
//! all.

use std::{borrow::Cow, sync::Arc};

use crate::model::{
    json::{Json, JsonError},
    json_parse::Names,
};

/// The values of documents, in the order of their texts; names of members are texts among them.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    tokens: Vec<Token>,
}

/// One value.
#[derive(Debug, Clone, Copy)]
struct Token {
    kind: Kind,
    /// Where it begins; a text behind its opening quote.
    start: u32,
    /// Of a text, where its closing quote stands; of a number, where it ends; of an array or object, how
    /// many items or members it has.
    end: u32,
    /// Which token follows it and what is in it.
    next: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    True,
    False,
    Number,
    Text,
    /// A text with escapes.
    Escaped,
    Array,
    Object,
}

/// A value on a tape, not made yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taped<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
}

/// What a value is, as far as its text tells without making anything.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'t> {
    Null,
    Bool(bool),
    Number(&'t str),
    Text(Written<'t>),
    Array(Inside<'t>),
    Object(Inside<'t>),
}

/// A text as it is written between its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'t> {
    text: &'t str,
    has_escapes: bool,
}

/// What is in an array or object, one after the other: items, or names and values in turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inside<'t> {
    first: Taped<'t>,
    /// Items or members.
    pub(crate) count: usize,
}

impl Tape {
    /// Beyond so many values the room is given back after use.
    const KEPT: usize = 1 << 16;

    /// Reads a document onto the tape.
    pub(crate) fn read<'t>(&'t mut self, text: &'t [u8]) -> Result<Taped<'t>, JsonError> {
        let text = std::str::from_utf8(text)
            .map_err(|err| JsonError { what: "invalid UTF-8", offset: err.valid_up_to() })?;
        self.read_text(text)
    }

    /// The same for a text that is known to be one.
    pub(crate) fn read_text<'t>(&'t mut self, text: &'t str) -> Result<Taped<'t>, JsonError> {
        self.clear();
        self.tokens.shrink_to(Self::KEPT);
        let place = self.add(text)?;
        Ok(self.at(text, place))
    }

    /// Forgets all documents.
    pub(crate) fn clear(&mut self) {
        self.tokens.clear();
    }

    /// Reads a document behind those that are on the tape, and tells its place. Of one that is no JSON nothing
    /// stays.
    pub(crate) fn add(&mut self, text: &str) -> Result<usize, JsonError> {
        let place = self.tokens.len();
        let read = self.scan(text);
        if read.is_err() {
            self.tokens.truncate(place);
        }
        read.map(|()| place)
    }

    /// The document at a place, with its text.
    pub(crate) fn at<'t>(&'t self, text: &'t str, place: usize) -> Taped<'t> {
        Taped { text, tokens: &self.tokens, at: place }
    }

    fn scan(&mut self, text: &str) -> Result<(), JsonError> {
        if u32::try_from(text.len()).is_err() {
            return Err(JsonError { what: "longer than 4 GiB", offset: u32::MAX as usize });
        }
        let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, depth: 0, tokens: &mut self.tokens };
        // A byte order mark is no JSON, yet Windows tools write it and every reader forgives it.
        scanner.skip("\u{feff}");
        scanner.value()?;
        scanner.spaces();
        if scanner.at < text.len() {
            return Err(scanner.error("unexpected text after the value"));
        }
        Ok(())
    }
}

impl<'t> Taped<'t> {
    /// What it is.
    #[inline]
    pub(crate) fn part(self) -> Part<'t> {
        let Some(token) = self.token() else { return Part::Null };
        let inside = || Inside { first: self.behind(), count: token.end as usize };
        match token.kind {
            Kind::Null => Part::Null,
            Kind::True => Part::Bool(true),
            Kind::False => Part::Bool(false),
            Kind::Number => Part::Number(self.written().text),
            Kind::Text | Kind::Escaped => Part::Text(self.written()),
            Kind::Array => Part::Array(inside()),
            Kind::Object => Part::Object(inside()),
        }
    }

    #[inline]
    fn token(self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    /// A text or a number as it is written.
    #[inline]
    fn written(self) -> Written<'t> {
        let Some(token) = self.token() else { return Written { text: "", has_escapes: false } };
        let text = self.text.get(token.start as usize..token.end as usize).unwrap_or_default();
        Written { text, has_escapes: token.kind == Kind::Escaped }
    }

    /// What stands right behind its token: of a name its value, of an array or object the first thing in it.
    #[inline]
    fn behind(self) -> Self {
        Self { at: self.at + 1, ..self }
    }

    /// What follows it and what is in it.
    #[inline]
    fn after(self) -> Self {
        let next = self.token().map_or(self.at + 1, |token| token.next as usize);
        Self { at: next, ..self }
    }

    /// Whether an object in it, found along members alone, has a name twice.
    #[inline]
    pub(crate) fn has_twins(self) -> bool {
        match self.token() {
            Some(Token { kind: Kind::Object, end: count, .. }) => self.has_twins_among(*count),
            Some(_) | None => false,
        }
    }

    /// The same for an object with so many members.
    fn has_twins_among(self, count: u32) -> bool {
        // Names fall into so many drawers; two in one are looked at more closely.
        let mut drawers = [0_u64; 4];
        let mut may_have = false;
        let mut name = self.behind();
        for _ in 0..count {
            let written = name.written();
            let drawer = Names::place(written.text);
            if let Some(bits) = drawers.get_mut(drawer / 64 % 4) {
                may_have |= written.has_escapes || *bits & (1 << (drawer % 64)) != 0;
                *bits |= 1 << (drawer % 64);
            }
            let value = name.behind();
            if value.has_twins() {
                return true;
            }
            name = value.after();
        }
        may_have && self.has_name_twice()
    }

    /// Whether a name stands twice among the members of this object.
    #[cold]
    fn has_name_twice(self) -> bool {
        let Part::Object(inside) = self.part() else { return false };
        let mut names: Vec<Cow<'_, str>> = inside.members().map(|(name, _)| name.meant()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [left, right] if left == right))
    }
}

impl<'t> Inside<'t> {
    /// The items of an array.
    pub(crate) fn items(self) -> impl Iterator<Item = Part<'t>> {
        let mut next = self.first;
        (0..self.count).map(move |_| {
            let item = next;
            next = item.after();
            item.part()
        })
    }

    /// The members of an object in stored order.
    pub(crate) fn members(self) -> impl Iterator<Item = (Written<'t>, Part<'t>)> {
        let mut next = self.first;
        (0..self.count).map(move |_| {
            let (name, value) = (next, next.behind());
            next = value.after();
            (name.written(), value.part())
        })
    }
}

impl<'t> Written<'t> {
    /// As it is meant.
    #[inline]
    pub(crate) fn meant(self) -> Cow<'t, str> {
        if self.has_escapes { unescaped(self.text).into() } else { self.text.into() }
    }

    /// Whether it means this text.
    #[inline]
    pub(crate) fn means(self, text: &str) -> bool {
        self.meant() == text
    }

    /// The text to keep.
    pub(crate) fn to_text(self) -> Arc<str> {
        self.meant().into()
    }
}

/// Reads along a text.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    tokens: &'a mut Vec<Token>,
}

impl Scanner<'_> {
    fn value(&mut self) -> Result<(), JsonError> {
        self.spaces();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => return self.nested(Kind::Object, Self::object),
            Some(b'[') => return self.nested(Kind::Array, Self::array),
            Some(b'"') => return self.string(),
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b't') if self.skip("true") => Kind::True,
            Some(b'f') if self.skip("false") => Kind::False,
            Some(b'n') if self.skip("null") => Kind::Null,
            Some(_) => return Err(self.error("expected a JSON value")),
            None => return Err(self.error("the text ends where a value should stand")),
        };
        self.push(kind, start, self.at);
        Ok(())
    }

    /// A value with nothing in it.
    #[inline]
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let next = self.tokens.len() as u32 + 1;
        self.tokens.push(Token { kind, start: start as u32, end: end as u32, next });
    }

    /// An array or object by what reads its inside and counts it.
    fn nested(
        &mut self,
        kind: Kind,
        read: impl FnOnce(&mut Self) -> Result<u32, JsonError>,
    ) -> Result<(), JsonError> {
        if self.depth == Json::MAX_DEPTH {
            return Err(self.error("nested deeper than 512 levels"));
        }
        let place = self.tokens.len();
        self.push(kind, self.at, 0);
        self.depth += 1;
        self.at += 1;
        let count = read(self)?;
        self.depth -= 1;
        let after = self.tokens.len() as u32;
        if let Some(token) = self.tokens.get_mut(place) {
            (token.end, token.next) = (count, after);
        }
        Ok(())
    }

    fn object(&mut self) -> Result<u32, JsonError> {
        self.spaces();
        if self.skip_one(b'}') {
            return Ok(0);
        }
        let mut count = 0;
        loop {
            self.spaces();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a member name in double quotes"));
            }
            self.string()?;
            self.spaces();
            if !self.skip_one(b':') {
                return Err(self.error("expected `:` after a member name"));
            }
            self.value()?;
            count += 1;
            self.spaces();
            if self.skip_one(b'}') {
                return Ok(count);
            }
            if !self.skip_one(b',') {
                return Err(self.error("expected `,` or `}` in an object"));
            }
        }
    }

    fn array(&mut self) -> Result<u32, JsonError> {
        self.spaces();
        if self.skip_one(b']') {
            return Ok(0);
        }
        let mut count = 0;
        loop {
            self.value()?;
            count += 1;
            self.spaces();
            if self.skip_one(b']') {
                return Ok(count);
            }
            if !self.skip_one(b',') {
                return Err(self.error("expected `,` or `]` in an array"));
            }
        }
    }

    /// A string; its opening quote is next.
    fn string(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        let start = self.at;
        let mut kind = Kind::Text;
        loop {
            let run = plain_run(self.bytes.get(self.at..).unwrap_or_default());
            let Some(run) = run else { return Err(self.error("the text ends inside a string")) };
            self.at += run;
            match self.peek() {
                Some(b'"') => {
                    self.push(kind, start, self.at);
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    kind = Kind::Escaped;
                    self.at += 1;
                    let (_, length) = escape(self.bytes.get(self.at..).unwrap_or_default())
                        .map_err(|(what, ahead)| JsonError { what, offset: self.at + ahead })?;
                    self.at += length;
                }
                _ => return Err(self.error("a control character inside a string must be escaped")),
            }
        }
    }

    fn number(&mut self) -> Result<(), JsonError> {
        self.skip_one(b'-');
        let zero_first = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (zero_first && whole > 1) {
            return Err(self.error("a number must not start so"));
        }
        if self.skip_one(b'.') && self.digits() == 0 {
            return Err(self.error("expected digits after the decimal point"));
        }
        if self.skip_one(b'e') || self.skip_one(b'E') {
            let _signed = self.skip_one(b'+') || self.skip_one(b'-');
            if self.digits() == 0 {
                return Err(self.error("expected digits in the exponent"));
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_one(&mut self, expected: u8) -> bool {
        let found = self.peek() == Some(expected);
        self.at += usize::from(found);
        found
    }

    fn skip(&mut self, expected: &str) -> bool {
        let found = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(expected.as_bytes()));
        if found {
            self.at += expected.len();
        }
        found
    }

    fn error(&self, what: &'static str) -> JsonError {
        JsonError { what, offset: self.at }
    }
}

/// How many bytes stand before a quote, a backslash or a control character; nothing if none follows.
///
/// Eight at a time: a borrow from a byte that is found may only mark bytes behind it.
fn plain_run(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        let quote = word ^ (ONES * u64::from(b'"'));
        let slash = word ^ (ONES * u64::from(b'\\'));
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        if found & HIGH != 0 {
            return Some(at + (found & HIGH).trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    Some(at + length)
}

/// What follows a backslash, and how many bytes that takes; else what is wrong, and how far ahead.
/// Half of a surrogate pair becomes the replacement character.
fn escape(bytes: &[u8]) -> Result<(char, usize), (&'static str, usize)> {
    let plain = match bytes.first() {
        None => return Err(("the text ends inside a string", 0)),
        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode_escape(bytes),
        Some(_) => return Err(("unknown escape in a string", 0)),
    };
    Ok((plain, 1))
}

/// The same for an escape that begins with `u`.
fn unicode_escape(bytes: &[u8]) -> Result<(char, usize), (&'static str, usize)> {
    let first = four_hex(bytes, 1)?;
    if (0xd800..0xdc00).contains(&first) && bytes.get(5..).is_some_and(|rest| rest.starts_with(b"\\u")) {
        let second = four_hex(bytes, 7)?;
        if (0xdc00..0xe000).contains(&second) {
            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return Ok((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11));
        }
    }
    Ok((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5))
}

fn four_hex(bytes: &[u8], from: usize) -> Result<u32, (&'static str, usize)> {
    bytes
        .get(from..from + 4)
        .and_then(|digits| {
            digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
        })
        .ok_or(("expected four hexadecimal digits after `\\u`", from))
}

/// A text without its escapes, which were checked before.
fn unescaped(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let Ok((letter, length)) = escape(after.as_bytes()) else { break };
        text.push(letter);
        rest = after.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) {
        let plain = text.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        assert_eq!(plain_run(text.as_bytes()), plain, "{text:?}");
    }

    #[test]
    fn the_end_of_a_text_is_found_wherever_it_stands() {
        let long = "aé\u{80}!#[]\u{7f}\u{a0}ÿ 中文字 \u{1f600}";
        for stop in ["\"", "\\", "\n", "\u{1f}", "\0", ""] {
            for at in (0..=long.len()).filter(|at| long.is_char_boundary(*at)) {
                let (before, after) = long.split_at(at);
                check(&format!("{before}{stop}{after}"));
                check(&format!("{before}{stop}{stop}\"{after}\\"));
            }
        }
    }
}
