//! Builds JSON text by hand: a tree of values for every event would cost more than the event.

/// One JSON object under construction, in a buffer that is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Doc {
    text: String,
    needs_comma: bool,
}

impl Doc {
    /// Starts a new object.
    pub(crate) fn begin(&mut self) {
        self.text.clear();
        self.text.push('{');
        self.needs_comma = false;
    }

    /// Ends the object.
    pub(crate) fn end(&mut self) {
        self.text.push('}');
    }

    /// What was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// A member that is text.
    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        push_text(&mut self.text, value);
        self
    }

    /// A member that is text, written into the buffer by `write`; it must need no escapes.
    pub(crate) fn text_with(&mut self, name: &str, write: impl FnOnce(&mut String)) -> &mut Self {
        self.name(name);
        self.text.push('"');
        write(&mut self.text);
        self.text.push('"');
        self
    }

    /// A member that is the name of a stream or thing: `order-17`.
    pub(crate) fn reference(&mut self, name: &str, kind: &str, number: u64) -> &mut Self {
        self.text_with(name, |out| push_reference(out, kind, number))
    }

    /// A member that is a whole number.
    pub(crate) fn number(&mut self, name: &str, value: i64) -> &mut Self {
        self.name(name);
        push_number(&mut self.text, value);
        self
    }

    /// A member that is a number with two decimals, given in hundredths.
    pub(crate) fn hundredths(&mut self, name: &str, value: i64) -> &mut Self {
        self.name(name);
        if value < 0 {
            self.text.push('-');
        }
        push_number(&mut self.text, (value.unsigned_abs() / 100) as i64);
        self.text.push('.');
        push_digits(&mut self.text, value.unsigned_abs() % 100, 2);
        self
    }

    /// A member that is true or false.
    pub(crate) fn truth(&mut self, name: &str, value: bool) -> &mut Self {
        self.name(name);
        self.text.push_str(if value { "true" } else { "false" });
        self
    }

    /// A member that is null, which removes it from a merged state.
    pub(crate) fn null(&mut self, name: &str) -> &mut Self {
        self.name(name);
        self.text.push_str("null");
        self
    }

    /// A member that is an object, filled in by `write`.
    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Self)) -> &mut Self {
        self.group(Some(name), ['{', '}'], write)
    }

    /// A member that is an array of objects, filled in by `write` with [`Doc::item`].
    pub(crate) fn array(&mut self, name: &str, write: impl FnOnce(&mut Self)) -> &mut Self {
        self.group(Some(name), ['[', ']'], write)
    }

    /// An item of an array.
    pub(crate) fn item(&mut self, write: impl FnOnce(&mut Self)) -> &mut Self {
        self.group(None, ['{', '}'], write)
    }

    fn group(&mut self, name: Option<&str>, brackets: [char; 2], write: impl FnOnce(&mut Self)) -> &mut Self {
        match name {
            Some(name) => self.name(name),
            None => self.comma(),
        }
        let [open, close] = brackets;
        self.text.push(open);
        self.needs_comma = false;
        write(self);
        self.text.push(close);
        self.needs_comma = true;
        self
    }

    fn name(&mut self, name: &str) {
        self.comma();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    fn comma(&mut self) {
        if self.needs_comma {
            self.text.push(',');
        }
        self.needs_comma = true;
    }
}

/// A JSON string with its quotes.
fn push_text(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        for c in text.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\0'..='\u{1f}' => {
                    out.push_str("\\u00");
                    out.push(if c < '\u{10}' { '0' } else { '1' });
                    out.push(char::from_digit(u32::from(c) % 16, 16).unwrap_or('0'));
                }
                _ => out.push(c),
            }
        }
    } else {
        out.push_str(text);
    }
    out.push('"');
}

/// `order-17`.
pub(crate) fn push_reference(out: &mut String, kind: &str, number: u64) {
    out.push_str(kind);
    out.push('-');
    push_number(out, number as i64);
}

/// A whole number in decimal; `format!` would take a third of an event's time.
pub(crate) fn push_number(out: &mut String, value: i64) {
    if value < 0 {
        out.push('-');
    }
    let value = value.unsigned_abs();
    let digits = value.checked_ilog10().unwrap_or(0) + 1;
    push_digits(out, value, digits);
}

/// The last `digits` decimal digits of a number, with leading zeros; twenty at most.
pub(crate) fn push_digits(out: &mut String, value: u64, digits: u32) {
    let mut buffer = [0; 20];
    let from = buffer.len().saturating_sub(digits as usize);
    let Some(places) = buffer.get_mut(from..) else { return };
    write_digits(places, value);
    push_ascii(out, places);
}

/// Fills `places` with the last decimal digits of a number.
pub(crate) fn write_digits(places: &mut [u8], value: u64) {
    let mut left = value;
    for place in places.iter_mut().rev() {
        *place = b'0' + (left % 10) as u8;
        left /= 10;
    }
}

/// The last `digits` hexadecimal digits of a number; sixteen at most.
pub(crate) fn push_hex(out: &mut String, value: u64, digits: u32) {
    let mut buffer = [0; 16];
    let from = buffer.len().saturating_sub(digits as usize);
    let Some(places) = buffer.get_mut(from..) else { return };
    write_hex(places, value);
    push_ascii(out, places);
}

/// Fills `places` with the last hexadecimal digits of a number.
pub(crate) fn write_hex(places: &mut [u8], value: u64) {
    let mut left = value;
    for place in places.iter_mut().rev() {
        let digit = (left & 15) as u8;
        *place = digit + if digit < 10 { b'0' } else { b'a' - 10 };
        left >>= 4;
    }
}

/// Many digits at once: one at a time, each would ask whether the text has room.
pub(crate) fn push_ascii(out: &mut String, digits: &[u8]) {
    out.push_str(str::from_utf8(digits).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::Doc;

    fn check(write: impl FnOnce(&mut Doc), expected: &str) {
        let mut doc = Doc::default();
        doc.begin();
        write(&mut doc);
        doc.end();
        assert_eq!(doc.as_str(), expected);
        let reread: serde_json::Value = serde_json::from_str(doc.as_str()).unwrap();
        assert!(reread.is_object());
    }

    #[test]
    fn objects_nest_and_commas_stand_between_members() {
        check(|_| (), "{}");
        check(
            |doc| {
                doc.number("a", -17).object("b", |doc| {
                    doc.null("c").truth("d", true);
                });
                doc.array("e", |doc| {
                    doc.item(|doc| {
                        doc.hundredths("f", -105);
                    });
                    doc.item(|_| ());
                });
                doc.reference("g", "order", 1_000);
            },
            r#"{"a":-17,"b":{"c":null,"d":true},"e":[{"f":-1.05},{}],"g":"order-1000"}"#,
        );
    }

    #[test]
    fn text_is_escaped() {
        check(
            |doc| {
                doc.text("a", "say \"茶\"\\\n\u{1f}");
            },
            r#"{"a":"say \"茶\"\\\u000a\u001f"}"#,
        );
    }

    #[test]
    fn numbers_of_any_size_are_written() {
        for value in [0, 9, 10, -1, i64::MAX, i64::MIN, 100] {
            let mut out = String::new();
            super::push_number(&mut out, value);
            assert_eq!(out, value.to_string());
        }
    }
}
