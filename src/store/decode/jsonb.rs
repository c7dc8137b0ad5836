//! Reads SQLite's binary JSON, as described at <https://sqlite.org/jsonb.html>.
//!
//! Own, because SQLite itself would have to be asked by a query for every value, and because a
//! blob that merely begins alike has to be refused: every length must fit exactly.

use std::sync::Arc;

use crate::model::{Json, Number};

/// The value, if the bytes are an array or object in SQLite's JSONB and nothing else.
pub(super) fn read(bytes: &[u8]) -> Option<Json> {
    let (kind, content, rest) = element(bytes)?;
    (matches!(kind, 11 | 12) && rest.is_empty()).then(|| value(kind, content, 0))?
}

/// Splits one element off: its kind, its content, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = bytes.split_first()?;
    let size_bytes = match head >> 4 {
        size @ 0..=11 => {
            let (content, rest) = rest.split_at_checked(usize::from(size))?;
            return Some((head & 15, content, rest));
        }
        12 => 1,
        13 => 2,
        14 => 4,
        _ => 8,
    };
    let (size, rest) = rest.split_at_checked(size_bytes)?;
    let size = size.iter().fold(0_u64, |size, byte| (size << 8) | u64::from(*byte));
    let (content, rest) = rest.split_at_checked(usize::try_from(size).ok()?)?;
    Some((head & 15, content, rest))
}

fn value(kind: u8, content: &[u8], depth: usize) -> Option<Json> {
    if depth >= Json::MAX_DEPTH {
        return None;
    }
    Some(match kind {
        0 if content.is_empty() => Json::Null,
        1 if content.is_empty() => Json::Bool(true),
        2 if content.is_empty() => Json::Bool(false),
        3 | 5 => number(content)?,
        4 => integer5(content)?,
        6 => float5(content)?,
        7 | 10 => Json::from(std::str::from_utf8(content).ok()?),
        8 => quoted(content)?,
        9 => text5(content)?,
        11 => {
            let mut items = Vec::new();
            let mut rest = content;
            while !rest.is_empty() {
                let (kind, content, after) = element(rest)?;
                items.push(value(kind, content, depth + 1)?);
                rest = after;
            }
            Json::array(items)
        }
        12 => object(content, depth)?,
        _ => return None,
    })
}

fn object(content: &[u8], depth: usize) -> Option<Json> {
    let mut members: Vec<(Arc<str>, Json)> = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let (kind, name, after) = element(rest)?;
        if !matches!(kind, 7..=10) {
            return None;
        }
        let name = value(kind, name, depth + 1)?.as_scalar_text()?;
        let (kind, content, after) = element(after)?;
        members.push((name, value(kind, content, depth + 1)?));
        rest = after;
    }
    Some(Json::object(members))
}

/// A number in JSON's own spelling.
fn number(content: &[u8]) -> Option<Json> {
    match Json::parse(content).ok()? {
        number @ Json::Number(_) => Some(number),
        _ => None,
    }
}

/// A hexadecimal integer of JSON5, in decimal digits.
fn integer5(content: &[u8]) -> Option<Json> {
    let text = std::str::from_utf8(content).ok()?;
    let (sign, digits) = signed(text);
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"))?;
    let number = u128::from_str_radix(hex, 16).ok()?;
    Some(Json::Number(Number::from_valid(&format!("{sign}{number}"))))
}

/// The sign that JSON keeps, and what follows it.
fn signed(text: &str) -> (&'static str, &str) {
    match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.trim_start_matches('+')),
    }
}

/// A number like `.5`, `5.` or `+5`, with the digits that JSON asks for.
fn float5(content: &[u8]) -> Option<Json> {
    let text = std::str::from_utf8(content).ok()?;
    let (sign, digits) = signed(text);
    let (mantissa, exponent) = digits.find(['e', 'E']).map_or((digits, ""), |at| digits.split_at(at));
    let mantissa = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            let or_zero = |digits: &str| if digits.is_empty() { "0" } else { digits }.to_owned();
            format!("{}.{}", or_zero(whole), or_zero(fraction))
        }
        None => mantissa.to_owned(),
    };
    number(format!("{sign}{mantissa}{exponent}").as_bytes())
}

/// Text with JSON's escapes.
fn quoted(content: &[u8]) -> Option<Json> {
    let mut text = Vec::with_capacity(content.len() + 2);
    text.push(b'"');
    text.extend_from_slice(content);
    text.push(b'"');
    Json::parse(&text).ok().filter(|value| value.as_text().is_some())
}

/// Text with JSON5's escapes, of which only these differ from JSON's.
fn text5(content: &[u8]) -> Option<Json> {
    let text = std::str::from_utf8(content).ok()?;
    let mut json = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                '\'' => json.push('\''),
                'v' => json.push_str("\\u000b"),
                '0' => json.push_str("\\u0000"),
                'x' => {
                    json.push_str("\\u00");
                    json.extend([chars.next()?, chars.next()?]);
                }
                '\n' | '\r' | '\u{2028}' | '\u{2029}' => (),
                other => json.extend(['\\', other]),
            },
            '"' => json.push_str("\\\""),
            other => json.push(other),
        }
    }
    quoted(json.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::read;

    /// What SQLite itself writes must be read as the same JSON.
    fn check(json: &str) {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let (blob, text): (Vec<u8>, String) = connection
            .query_row("SELECT jsonb(?1), json(?1)", [json], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        let found = read(&blob).map(|value| value.to_compact());
        let expected = crate::model::Json::parse(text.as_bytes()).unwrap().to_compact();
        assert_eq!(found, Some(expected), "{json}");
    }

    #[test]
    fn sqlite_and_we_agree() {
        check(r#"{"a":[1,-2.5,1e3,true,false,null,"x"],"b":{"ü\n\"":"\u00e9"}}"#);
        check(&format!(r#"{{"long":"{}"}}"#, "x".repeat(70_000)));
        check("[]");
        check("{a:0x1F,b:'it\\'s',c:.5,d:+3,}");
    }

    #[test]
    fn other_bytes_are_refused() {
        for bytes in [
            &b""[..],
            b"\x0c\x00",
            b"\x1c\x17",
            b"\xfc\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x2b\x13",
            b"\x7b",
        ] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
        // Nested arrays deeper than any reader allows.
        let mut deep = vec![0x0b];
        for _ in 0..600 {
            let mut outer = if deep.len() <= 11 {
                vec![((deep.len() as u8) << 4) | 0x0b]
            } else {
                let size = (deep.len() as u32).to_be_bytes();
                vec![0xeb, size[0], size[1], size[2], size[3]]
            };
            outer.extend(&deep);
            deep = outer;
        }
        assert_eq!(read(&deep), None);
    }
}
