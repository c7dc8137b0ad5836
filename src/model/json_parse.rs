//! Reads JSON text into a tree, keeping what other readers lose.
//!
//! Our own and not `serde_json`: number text, duplicate names, half of a surrogate pair and the
//! place of a mistake all have to survive, and nesting has to end in a message, not in the stack.

use std::sync::Arc;

use crate::model::json::{Json, Number, Object};

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {offset}")]
pub struct JsonError {
    /// What is wrong there.
    pub what: &'static str,
    /// Where, in bytes from the start.
    pub offset: usize,
}

pub(crate) fn parse(text: &[u8]) -> Result<Json, JsonError> {
    let text = std::str::from_utf8(text)
        .map_err(|err| JsonError { what: "invalid UTF-8", offset: err.valid_up_to() })?;
    let mut parser = Parser { text, at: 0, depth: 0 };
    // A byte order mark is no JSON, yet Windows tools write it and every reader forgives it.
    parser.skip("\u{feff}");
    let value = parser.value()?;
    parser.spaces();
    if parser.at < text.len() {
        return Err(parser.error("unexpected text after the value"));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self) -> Result<Json, JsonError> {
        self.spaces();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') if self.skip("true") => Ok(Json::Bool(true)),
            Some(b'f') if self.skip("false") => Ok(Json::Bool(false)),
            Some(b'n') if self.skip("null") => Ok(Json::Null),
            Some(_) => Err(self.error("expected a JSON value")),
            None => Err(self.error("the text ends where a value should stand")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json, JsonError>) -> Result<Json, JsonError> {
        if self.depth == Json::MAX_DEPTH {
            return Err(self.error("nested deeper than 512 levels"));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Json, JsonError> {
        let mut members = Vec::new();
        self.spaces();
        if self.skip("}") {
            return Ok(Json::Object(Arc::new(Object::default())));
        }
        loop {
            self.spaces();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a member name in double quotes"));
            }
            let name = self.string()?;
            self.spaces();
            if !self.skip(":") {
                return Err(self.error("expected `:` after a member name"));
            }
            members.push((name, self.value()?));
            self.spaces();
            if self.skip("}") {
                return Ok(Json::Object(Arc::new(members.into_iter().collect())));
            }
            if !self.skip(",") {
                return Err(self.error("expected `,` or `}` in an object"));
            }
        }
    }

    fn array(&mut self) -> Result<Json, JsonError> {
        let mut items = Vec::new();
        self.spaces();
        if self.skip("]") {
            return Ok(Json::Array(Arc::new(items)));
        }
        loop {
            items.push(self.value()?);
            self.spaces();
            if self.skip("]") {
                return Ok(Json::Array(Arc::new(items)));
            }
            if !self.skip(",") {
                return Err(self.error("expected `,` or `]` in an array"));
            }
        }
    }

    /// A string; its opening quote is next.
    fn string(&mut self) -> Result<Arc<str>, JsonError> {
        self.at += 1;
        let start = self.at;
        if let Some(plain) = self.plain_run(start)
            && self.skip("\"")
        {
            return Ok(plain.into());
        }
        let mut text = String::new();
        let mut from = start;
        loop {
            let run = self.plain_run(from).ok_or_else(|| self.error("the text ends inside a string"))?;
            text.push_str(run);
            if self.skip("\"") {
                return Ok(text.into());
            }
            if !self.skip("\\") {
                return Err(self.error("a control character inside a string must be escaped"));
            }
            text.push(self.escape()?);
            from = self.at;
        }
    }

    /// The characters from `from` up to a quote, a backslash or a control character.
    fn plain_run(&mut self, from: usize) -> Option<&'a str> {
        let rest = self.text.as_bytes().get(from..)?;
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
        self.at = from + length;
        self.text.get(from..self.at)
    }

    /// What follows a backslash. Half of a surrogate pair becomes the replacement character.
    fn escape(&mut self) -> Result<char, JsonError> {
        let byte = self.peek().ok_or_else(|| self.error("the text ends inside a string"))?;
        let plain = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.error("unknown escape in a string")),
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.four_hex()?;
        if (0xd800..0xdc00).contains(&first) {
            let before = self.at;
            if self.skip("\\u") {
                let second = self.four_hex()?;
                if (0xdc00..0xe000).contains(&second) {
                    let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                self.at = before;
            }
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_hex(&mut self) -> Result<u32, JsonError> {
        let code = self
            .text
            .get(self.at..self.at + 4)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.error("expected four hexadecimal digits after `\\u`"))?;
        self.at += 4;
        Ok(code)
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.at;
        self.skip("-");
        let zero_first = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (zero_first && whole > 1) {
            return Err(self.error("a number must not start so"));
        }
        if self.skip(".") && self.digits() == 0 {
            return Err(self.error("expected digits after the decimal point"));
        }
        if self.skip("e") || self.skip("E") {
            let _signed = self.skip("+") || self.skip("-");
            if self.digits() == 0 {
                return Err(self.error("expected digits in the exponent"));
            }
        }
        Ok(Json::Number(Number::from_valid(self.text.get(start..self.at).unwrap_or_default())))
    }

    fn digits(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn spaces(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, expected: &str) -> bool {
        let found =
            self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(expected.as_bytes()));
        if found {
            self.at += expected.len();
        }
        found
    }

    fn error(&self, what: &'static str) -> JsonError {
        JsonError { what, offset: self.at }
    }
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
