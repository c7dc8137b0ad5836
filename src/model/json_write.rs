//! Writes a JSON tree as text.

use std::fmt::Write as _;

use crate::model::json::Json;

pub(crate) fn compact(value: &Json) -> String {
    let mut writer = Writer { text: String::new(), style: Style::Compact };
    writer.value(value, 0);
    writer.text
}

pub(crate) fn compact_into(value: &Json, text: &mut String) {
    let mut writer = Writer { text: std::mem::take(text), style: Style::Compact };
    writer.value(value, 0);
    *text = writer.text;
}

pub(crate) fn pretty(value: &Json) -> String {
    let mut writer = Writer { text: String::new(), style: Style::Pretty };
    writer.value(value, 0);
    writer.text
}

pub(crate) fn preview(value: &Json, limit: usize) -> String {
    // Four bytes is the longest character, so this many bytes always hold `limit` of them.
    let mut writer = Writer { text: String::new(), style: Style::UpTo(limit.saturating_mul(4)) };
    writer.value(value, 0);
    match writer.text.char_indices().nth(limit) {
        Some((cut, _)) => {
            writer.text.truncate(cut);
            writer.text.push('…');
            writer.text
        }
        None => writer.text,
    }
}

#[derive(Clone, Copy)]
enum Style {
    Compact,
    Pretty,
    /// Compact, and no more than about so many bytes.
    UpTo(usize),
}

struct Writer {
    text: String,
    style: Style,
}

impl Writer {
    fn value(&mut self, value: &Json, depth: usize) {
        match value {
            Json::Null => self.text.push_str("null"),
            Json::Bool(true) => self.text.push_str("true"),
            Json::Bool(false) => self.text.push_str("false"),
            Json::Number(number) => self.text.push_str(number.as_str()),
            Json::Text(text) => self.string(text),
            Json::Array(items) => {
                self.group('[', ']', items.iter(), depth, |writer, item| writer.value(item, depth + 1));
            }
            Json::Object(object) => {
                self.group('{', '}', object.iter(), depth, |writer, (name, member)| {
                    writer.string(name);
                    writer.text.push_str(if matches!(writer.style, Style::Pretty) { ": " } else { ":" });
                    writer.value(member, depth + 1);
                });
            }
        }
    }

    fn group<T>(
        &mut self,
        open: char,
        close: char,
        items: impl Iterator<Item = T>,
        depth: usize,
        write: impl Fn(&mut Self, T),
    ) {
        self.text.push(open);
        let mut any = false;
        for item in items {
            if self.is_full() {
                break;
            }
            if any {
                self.text.push(',');
            }
            any = true;
            self.line(depth + 1);
            write(self, item);
        }
        if any {
            self.line(depth);
        }
        self.text.push(close);
    }

    fn line(&mut self, depth: usize) {
        if matches!(self.style, Style::Pretty) {
            self.text.push('\n');
            self.text.extend(std::iter::repeat_n("  ", depth));
        }
    }

    fn is_full(&self) -> bool {
        matches!(self.style, Style::UpTo(limit) if self.text.len() > limit)
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        let mut rest = text;
        while !self.is_full() {
            // Most texts need no escape: what stands before one is copied at once.
            let plain = match self.style {
                Style::UpTo(limit) => rest.floor_char_boundary(limit),
                Style::Compact | Style::Pretty => rest.len(),
            };
            let at = rest.bytes().take(plain).position(is_escaped).unwrap_or(plain);
            let Some((before, after)) = rest.split_at_checked(at) else { break };
            self.text.push_str(before);
            let mut letters = after.chars();
            match letters.next() {
                None => break,
                Some(letter) => self.letter(letter),
            }
            rest = letters.as_str();
        }
        self.text.push('"');
    }

    fn letter(&mut self, letter: char) {
        match letter {
            '"' => self.text.push_str("\\\""),
            '\\' => self.text.push_str("\\\\"),
            '\n' => self.text.push_str("\\n"),
            '\r' => self.text.push_str("\\r"),
            '\t' => self.text.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{7f}' => {
                // Writing to a string cannot fail.
                write!(self.text, "\\u{:04x}", u32::from(letter)).ok();
            }
            _ => self.text.push(letter),
        }
    }
}

/// Whether a byte of a text is written as an escape.
fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..=0x1f | 0x7f)
}

#[cfg(test)]
mod tests {
    use crate::model::json::Json;

    #[test]
    fn pretty_indents_and_keeps_empty_groups_short() {
        let value = Json::parse(br#"{"a":[1,{"b":[]}],"c":{}}"#).unwrap();
        assert_eq!(
            value.to_pretty(),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}"
        );
    }

    #[test]
    fn a_preview_is_cut_at_characters() {
        let value = Json::parse("{\"name\":\"李小龙 née Ğ\"}".as_bytes()).unwrap();
        assert_eq!(value.to_preview(11), "{\"name\":\"李小…");
        assert_eq!(value.to_preview(100), value.to_compact());
    }
}
