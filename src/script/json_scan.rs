//! JSON texts of the plainest kind, told without reading them into anything.

use crate::script::event_object::MAX_DEPTH;

/// Numbers of so many digits and signs are held exactly by a double.
pub(crate) const EXACT: usize = 15;

/// Whether the text is JSON that any reader takes for the same: not deep, no characters spelled by number, no
/// number of so many digits that some may be lost. Other JSON may be called none of it.
#[must_use]
pub fn is_plain_json(text: &str) -> bool {
    let mut scan = Scan { text: text.as_bytes(), at: 0, depth: 0 };
    scan.value().is_some() && {
        scan.spaces();
        scan.at == text.len()
    }
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl Scan<'_> {
    fn value(&mut self) -> Option<()> {
        self.spaces();
        match self.peek()? {
            b'{' => self.nested(b'}', Self::member),
            b'[' => self.nested(b']', Self::value),
            b'"' => self.text(true),
            b'-' | b'0'..=b'9' => {
                let rest = self.text.get(self.at..)?;
                let number = rest.get(..number_length(rest))?;
                self.at += number.len();
                (number.len() <= EXACT && is_number(number)).then_some(())
            }
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => None,
        }
    }

    fn nested(&mut self, close: u8, each: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        self.at += 1;
        self.spaces();
        if self.peek()? != close {
            loop {
                each(self)?;
                self.spaces();
                match self.peek()? {
                    b',' => self.at += 1,
                    found if found == close => break,
                    _ => return None,
                }
            }
        }
        self.at += 1;
        self.depth -= 1;
        Some(())
    }

    fn member(&mut self) -> Option<()> {
        self.spaces();
        self.text(false)?;
        self.spaces();
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        self.value()
    }

    /// A text in quotes, with the simple escapes or without any.
    fn text(&mut self, may_escape: bool) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        loop {
            self.at += plain_length(self.text.get(self.at..)?)?;
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' if may_escape => {
                    let escape = self.text.get(self.at + 1)?;
                    if !matches!(escape, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') {
                        return None;
                    }
                    self.at += 2;
                }
                _ => return None,
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let is_there = self.text.get(self.at..)?.starts_with(word);
        self.at += word.len();
        is_there.then_some(())
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }
}

/// How many bytes of what follows may belong to a number.
pub(crate) fn number_length(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count()
}

/// How many bytes come before the first quote, backslash or control character; eight at a time.
pub(crate) fn plain_length(text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    let (words, rest) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = has_zero(word ^ (ONES * u64::from(b'"')));
        let backslash = has_zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & TOPS;
        let found = quote | backslash | control;
        if found != 0 {
            // Bytes above one that was found may be marked wrongly; the lowest is right.
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    Some(words.len() * 8 + length)
}

/// Whether that is a number of JSON.
pub(crate) fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.first() == Some(&b'0')) {
        return false;
    }
    rest = rest.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = fraction.get(count..).unwrap_or_default();
    }
    if let Some(power) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let power = power.strip_prefix(b"+").or_else(|| power.strip_prefix(b"-")).unwrap_or(power);
        let count = digits(power);
        return count > 0 && count == power.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{is_plain_json, plain_length};
    use crate::model::Json;

    fn check(text: &str, expected: bool) {
        assert_eq!(is_plain_json(text), expected, "{text}");
        assert!(!expected || Json::parse(text.as_bytes()).is_ok(), "{text}");
    }

    #[test]
    fn plain_characters_are_counted_up_to_the_first_other() {
        let plain = |byte: u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
        for stop in [b'"', b'\\', 0, 0x1f, b'\n'] {
            for before in [b' ', b'!', b'#', b'[', b'a', 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
                for after in [b'a', b'!', b' ', b'"', b'\\', b'#', b']', 0x20, 0x80, 0xff] {
                    for length in 0..20 {
                        let mut text = vec![before; length];
                        text.push(stop);
                        text.extend([after; 12]);
                        assert_eq!(
                            plain_length(&text),
                            text.iter().position(|byte| !plain(*byte)),
                            "{text:?}"
                        );
                    }
                }
            }
        }
        assert_eq!(plain_length(b"abcdefghijk"), None);
        assert_eq!(plain_length(b""), None);
    }

    #[test]
    fn only_plain_json_is_called_so() {
        check(r#" {"a": [1, -2.5e3, true, null, "x\n日本"], "b": {}} "#, true);
        check("[]", true);
        check("5", true);
        check(r#"{"a": 1,}"#, false);
        check(r#"{"a" 1}"#, false);
        check("[1 2]", false);
        check("[01]", false);
        check("[1.]", false);
        check("[1e]", false);
        check("[1.5E+3, 0, -0]", true);
        check("[1234567890123456]", false);
        check(r#"["\u0041"]"#, false);
        check("[\"a", false);
        check("[\"a\tb\"]", false);
        check("{} x", false);
        check("nul", false);
        check(&format!("{}{}", "[".repeat(64), "]".repeat(64)), true);
        check(&format!("{}{}", "[".repeat(65), "]".repeat(65)), false);
    }
}
