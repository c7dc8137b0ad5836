//! When a stored value and a rebuilt one mean the same.
//!
//! A read model was written by another program, often through another database. It may hold `1` where we make
//! `1.0`, JSON with other blanks, a time in another spelling. Such values are equal:
//!
//! - **numbers** of any storage class, and numeric text in a column that is declared as a number. Whole numbers
//!   must be equal; others may differ by one part in 10⁹ (and by 10⁻¹¹ around zero), since sums of floating
//!   point depend on who added them up, and money in one part of a billion is no drift;
//! - **JSON** objects and arrays, as text, bytes or SQLite's JSONB, whatever their blanks and the order of
//!   their members;
//! - **times** that are the same instant in any ISO spelling, zone or, in a column declared or called as a
//!   time, as a count since 1970. They are compared at the coarser of the two precisions: seconds,
//!   milliseconds, microseconds or nanoseconds;
//! - **booleans** in a column declared so: `1`, `true` and `t`;
//! - **UUIDs** as text in any case of letters, or as 16 bytes.
//!
//! NULL equals NULL alone; an empty text is something else.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::{
    model::{Json, Object, Stored, Timestamp},
    projection::definition::fingerprint,
    store::decode::{self, Value},
};

/// Relative difference up to which two numbers are the same, unless both are whole.
const RELATIVE: f64 = 1e-9;

/// Difference up to which two numbers are the same however small they are.
const ABSOLUTE: f64 = 1e-11;

/// What is known of a pair of columns, from their names and declared types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Likeness {
    /// One of them is declared as a number.
    pub is_number: bool,
    /// One of them is declared or called as a time.
    pub is_time: bool,
    /// One of them is declared as a boolean.
    pub is_boolean: bool,
}

impl Likeness {
    /// What the names and declared types of a pair of columns tell.
    #[must_use]
    pub fn of(names: [&str; 2], declared: [&str; 2]) -> Self {
        let declares = |words: &[&str]| {
            declared.iter().any(|declared| {
                let declared = declared.to_ascii_uppercase();
                words.iter().any(|word| declared.contains(word))
            })
        };
        let is_called = |name: &&str| {
            let name = name.to_ascii_lowercase();
            name == "at" || ["_at", "time", "date", "timestamp", "_on"].iter().any(|end| name.ends_with(end))
        };
        Self {
            is_number: declares(&["INT", "REAL", "FLOA", "DOUB", "NUM", "DEC", "MONEY"]),
            is_time: declares(&["TIME", "DATE"]) || names.iter().any(is_called),
            is_boolean: declares(&["BOOL"]),
        }
    }
}

/// Whether both mean the same.
#[must_use]
pub fn same(stored: &Stored, rebuilt: &Stored, likeness: Likeness) -> bool {
    match (stored, rebuilt) {
        (Stored::Null, Stored::Null) => return true,
        (Stored::Null, _) | (_, Stored::Null) => return false,
        (Stored::Text(left), Stored::Text(right)) | (Stored::Blob(left), Stored::Blob(right))
            if left == right =>
        {
            return true;
        }
        _ => {}
    }
    if let (Some(left), Some(right)) = (number(stored, likeness), number(rebuilt, likeness))
        && left.is_near(right)
    {
        return true;
    }
    if let (Some(left), Some(right)) = (instant(stored, likeness), instant(rebuilt, likeness)) {
        return same_instant(left, right);
    }
    if let (Some(left), Some(right)) = (uuid(stored), uuid(rebuilt)) {
        return left == right;
    }
    match (document(stored), document(rebuilt)) {
        (Some(left), Some(right)) => same_json(&left, &right),
        _ => false,
    }
}

/// Writes what equal values have in common, so that they sort together. Values that sort together may differ.
pub(super) fn write_sketch(sketch: &mut Vec<u8>, value: &Stored, likeness: Likeness) {
    let mut write = |tag: u8, bytes: &[u8]| {
        sketch.push(tag);
        sketch.extend(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        sketch.extend(bytes);
    };
    if let Some(time) = instant(value, likeness) {
        return write(b't', &time.nanos().div_euclid(1_000_000_000).to_be_bytes());
    }
    if let Some(number) = number(value, likeness) {
        return match number {
            Number::Whole(whole) => write(b'n', &whole.to_be_bytes()),
            Number::Real(real) => {
                write(b'n', &nearly_whole(real).unwrap_or_else(|| bucket(real)).to_be_bytes());
            }
        };
    }
    if let Some(uuid) = uuid(value) {
        return write(b'u', &uuid);
    }
    if let Some(document) = document(value) {
        let mut outline = String::new();
        write_outline(&mut outline, &document);
        return write(b'j', fingerprint([outline.as_str()]).as_bytes());
    }
    match value {
        Stored::Text(bytes) => write(b's', bytes),
        Stored::Blob(bytes) => write(b'b', bytes),
        Stored::Null | Stored::Integer(_) | Stored::Real(_) => write(b'0', &[]),
    }
}

/// All of a document but its numbers, which may be equal and not the same, and the order of members.
fn write_outline(outline: &mut String, json: &Json) {
    match json {
        Json::Number(_) => outline.push('0'),
        Json::Array(items) => {
            outline.push('[');
            for item in items {
                write_outline(outline, item);
                outline.push(',');
            }
            outline.push(']');
        }
        Json::Object(members) => {
            let names: BTreeSet<&str> = members.iter().map(|(name, _)| &**name).collect();
            outline.push('{');
            for (name, value) in names.iter().filter_map(|name| Some((name, members.get(name)?))) {
                write!(outline, "{name:?}:").ok();
                write_outline(outline, value);
                outline.push(',');
            }
            outline.push('}');
        }
        plain => *outline += &plain.to_compact(),
    }
}

/// The whole number that a sum with an error in its last digits stands for: it sorts where that one does.
fn nearly_whole(real: f64) -> Option<i64> {
    let whole = real.round();
    (real.abs() < 1e6 && (real - whole).abs() <= 1e-9).then_some(whole as i64)
}

/// Where a number that is not whole sorts. Neighbours within [`RELATIVE`] share a bucket but for one in a
/// thousand; the odd offset keeps round decimals, which is what people store, away from the edges.
fn bucket(real: f64) -> i64 {
    if real.abs() < 1e-6 {
        return i64::MIN;
    }
    let place = (real.abs().ln() * 1e6 + 0.371_904_6).floor() as i64;
    // Far from any whole number that would be written as itself.
    let place = place.saturating_add(1 << 61);
    if real < 0.0 { -place } else { place }
}

#[derive(Debug, Clone, Copy)]
enum Number {
    Whole(i64),
    Real(f64),
}

impl Number {
    fn of(real: f64) -> Self {
        let is_whole = real.fract() == 0.0 && real.abs() < 9.0e15;
        if is_whole { Self::Whole(real as i64) } else { Self::Real(real) }
    }

    fn is_near(self, other: Self) -> bool {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left == right,
            (left, right) => is_near(left.real(), right.real()),
        }
    }

    fn real(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }
}

#[expect(clippy::float_cmp, reason = "infinities are equal to themselves and near nothing")]
fn is_near(left: f64, right: f64) -> bool {
    left == right || (left - right).abs() <= f64::max(RELATIVE * left.abs().max(right.abs()), ABSOLUTE)
}

fn number(value: &Stored, likeness: Likeness) -> Option<Number> {
    match value {
        Stored::Integer(number) => Some(Number::Whole(*number)),
        Stored::Real(number) => Some(Number::of(*number)),
        Stored::Text(bytes) if likeness.is_number || likeness.is_boolean => {
            let text = std::str::from_utf8(bytes).ok()?.trim();
            if likeness.is_boolean {
                match text.to_ascii_lowercase().as_str() {
                    "true" | "t" | "yes" => return Some(Number::Whole(1)),
                    "false" | "f" | "no" => return Some(Number::Whole(0)),
                    _ => {}
                }
            }
            // Rust reads "inf" and "nan", which no database means as a number.
            let is_numeric =
                text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
            if !is_numeric {
                return None;
            }
            match text.parse::<i64>() {
                Ok(whole) => Some(Number::Whole(whole)),
                Err(_) => text.parse().ok().map(Number::of),
            }
        }
        Stored::Null | Stored::Text(_) | Stored::Blob(_) => None,
    }
}

/// The instant that a value tells: any text that reads as one, and numbers where times are expected.
fn instant(value: &Stored, likeness: Likeness) -> Option<Timestamp> {
    match value {
        Stored::Text(bytes) => {
            let starts_as_date = bytes.get(4) == Some(&b'-') && bytes.len() <= 40;
            if starts_as_date { Timestamp::parse_bytes(bytes) } else { None }
        }
        Stored::Integer(count) if likeness.is_time => {
            let digits = match count.unsigned_abs() {
                // Before 1973: a duration, most likely.
                0..100_000_000 => return None,
                100_000_000..100_000_000_000 => 0,
                100_000_000_000..100_000_000_000_000 => 3,
                100_000_000_000_000..100_000_000_000_000_000 => 6,
                _ => 9,
            };
            Timestamp::from_epoch(*count, digits)
        }
        Stored::Real(days) if likeness.is_time && (1_000_000.0..4_000_000.0).contains(days) => {
            Timestamp::from_julian_day(*days)
        }
        Stored::Real(seconds) if likeness.is_time && (1.0e8..9.0e9).contains(&seconds.abs()) => {
            Timestamp::from_epoch((seconds * 1e6).round() as i64, 6)
        }
        Stored::Null | Stored::Integer(_) | Stored::Real(_) | Stored::Blob(_) => None,
    }
}

fn same_instant(left: Timestamp, right: Timestamp) -> bool {
    // Some databases drop trailing zeros, so that `.53453` was stored with six digits.
    let digits = u32::from(left.digits().min(right.digits()).div_ceil(3) * 3);
    let unit = 10_i64.pow(9_u32.saturating_sub(digits));
    let (left, right) = (left.nanos(), right.nanos());
    // The coarser one may have been cut or rounded.
    let rounded = |nanos: i64| nanos.saturating_add(unit / 2).div_euclid(unit);
    left.div_euclid(unit) == right.div_euclid(unit) || rounded(left) == rounded(right)
}

fn uuid(value: &Stored) -> Option<[u8; 16]> {
    match value {
        Stored::Blob(bytes) => <[u8; 16]>::try_from(&**bytes).ok(),
        Stored::Text(text) if text.len() == 36 => {
            let mut digits = Vec::with_capacity(32);
            for (place, byte) in text.iter().enumerate() {
                match (place, char::from(*byte).to_digit(16)) {
                    (8 | 13 | 18 | 23, None) if *byte == b'-' => {}
                    (8 | 13 | 18 | 23, _) | (_, None) => return None,
                    (_, Some(digit)) => digits.push(u8::try_from(digit).unwrap_or_default()),
                }
            }
            let bytes: Vec<u8> = digits
                .chunks_exact(2)
                .map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit))
                .collect();
            bytes.try_into().ok()
        }
        Stored::Null | Stored::Integer(_) | Stored::Real(_) | Stored::Text(_) => None,
    }
}

fn is_document(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// The object or array that a value holds; nothing for any other.
fn document(value: &Stored) -> Option<Json> {
    let json = match value {
        Stored::Text(bytes) if is_document(bytes) => Json::parse(bytes).ok()?,
        Stored::Blob(_) => decode::read(Value::from(value)).1.ok()?,
        Stored::Null | Stored::Integer(_) | Stored::Real(_) | Stored::Text(_) => return None,
    };
    matches!(json, Json::Object(_) | Json::Array(_)).then_some(json)
}

fn same_json(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left == right,
            _ => is_near(left.as_f64(), right.as_f64()),
        },
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_json(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            let has_all =
                |these: &Object, those: &Object| these.iter().all(|(name, _)| those.get(name).is_some());
            has_all(left, right)
                && right.iter().all(|(name, _)| match (left.get(name), right.get(name)) {
                    (Some(left), Some(right)) => same_json(left, right),
                    _ => false,
                })
        }
        (left, right) => left == right,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn text(text: &str) -> Stored {
        Stored::Text(text.as_bytes().into())
    }

    /// Judges both ways round, and that what is equal sorts together.
    #[track_caller]
    fn check(left: &Stored, right: &Stored, declared: &str, expected: bool) {
        let likeness = Likeness::of(["x", "x"], [declared, ""]);
        assert_eq!(same(left, right, likeness), expected, "{left:?} and {right:?} as {declared}");
        assert_eq!(same(right, left, likeness), expected, "{right:?} and {left:?} as {declared}");
        let sketch = |value| {
            let mut sketch = Vec::new();
            write_sketch(&mut sketch, value, likeness);
            sketch
        };
        if expected {
            assert_eq!(sketch(left), sketch(right), "{left:?} and {right:?} sort together");
        }
    }

    #[test]
    fn numbers_are_equal_whatever_holds_them() {
        check(&Stored::Integer(1), &Stored::Real(1.0), "", true);
        check(&Stored::Integer(1), &text("1"), "INTEGER", true);
        check(&Stored::Integer(1), &text("1.00"), "numeric(15,2)", true);
        check(&Stored::Real(12.5), &text("12.50"), "DECIMAL", true);
        check(&Stored::Integer(1), &text("1"), "TEXT", false);
        check(&text("1"), &text("1.0"), "TEXT", false);
        check(&text("007"), &text("7"), "VARCHAR(10)", false);
        check(&Stored::Integer(1), &Stored::Integer(2), "", false);
        check(&Stored::Integer(i64::MAX), &Stored::Integer(i64::MAX - 1), "", false);
        check(&text("inf"), &Stored::Real(f64::INFINITY), "REAL", false);
        check(&text(""), &Stored::Integer(0), "INTEGER", false);
    }

    #[test]
    fn sums_may_differ_in_their_last_digits() {
        check(&Stored::Real(0.1 + 0.2), &Stored::Real(0.3), "NUMERIC", true);
        check(&Stored::Real(1e-13), &Stored::Real(2e-13), "NUMERIC", true);
        check(&Stored::Real(1013.06), &Stored::Real(1_013.060_000_000_1), "", true);
        check(&Stored::Real(0.1 + 0.2 + 2.7), &Stored::Integer(3), "", true);
        check(&Stored::Real(1.1 + 2.2 - 3.3), &Stored::Real(0.0), "", true);
        check(&Stored::Real(-2.999_999_999_999), &text("-3"), "NUMERIC", true);
        check(&Stored::Real(1013.06), &Stored::Real(1013.07), "", false);
        check(&Stored::Real(6546.5), &Stored::Real(6_546.500_1), "", false);
        check(&Stored::Real(-5.5), &Stored::Real(5.5), "", false);
    }

    #[test]
    fn json_is_equal_whatever_its_form() {
        check(&text("{\"a\": 1, \"b\": [1,2]}"), &text("{\"b\":[1,2.0],\"a\":1}"), "", true);
        check(&text("{\"a\": 1}"), &text("{\"a\": 1, \"b\": null}"), "", false);
        check(&text("[1, 2]"), &text("[2, 1]"), "", false);
        check(&text("{\"a\": 1}"), &Stored::Blob(b"{\"a\":1}".as_slice().into()), "JSON", true);
        check(&text("{\"a\": 1"), &text("{\"a\":1"), "JSON", false);
        check(&text("\"a\""), &text("a"), "JSON", false);
    }

    #[test]
    fn times_are_equal_if_they_are_the_same_instant() {
        let stored = text("2024-01-12 00:21:47.534530+00");
        check(&stored, &text("2024-01-12T00:21:47.534530Z"), "", true);
        check(&stored, &text("2024-01-12T01:21:47.53453+01:00"), "", true);
        check(&stored, &text("2024-01-12T00:21:47.534531Z"), "", false);
        check(&stored, &text("2024-01-12 00:21:47"), "", true);
        check(&stored, &text("2024-01-12 00:21:47.535"), "", true);
        check(&stored, &text("2024-01-12 00:21:49"), "", false);
        check(&stored, &Stored::Integer(1_705_018_907), "TIMESTAMP", true);
        check(&stored, &Stored::Integer(1_705_018_907_534), "TIMESTAMP", true);
        check(&stored, &Stored::Integer(1_705_018_907), "TEXT", false);
        check(&text("2024-06-03"), &text("2024-06-03T00:00:00Z"), "DATE", true);
        check(&text("2024-06-03"), &text("2024-06-03T09:00:00Z"), "DATE", false);
    }

    #[test]
    fn nothing_is_equal_to_nothing_else() {
        check(&Stored::Null, &Stored::Null, "", true);
        check(&Stored::Null, &text(""), "TEXT", false);
        check(&Stored::Null, &Stored::Integer(0), "INTEGER", false);
        check(&text("a"), &text("A"), "TEXT", false);
    }

    #[test]
    fn booleans_and_uuids_have_several_spellings() {
        check(&Stored::Integer(1), &text("true"), "BOOLEAN", true);
        check(&text("f"), &text("false"), "BOOLEAN", true);
        check(&text("f"), &text("false"), "TEXT", false);
        let uuid = text("0190EED3-8874-751a-8729-70f0d3126185");
        check(&uuid, &text("0190eed3-8874-751a-8729-70f0d3126185"), "", true);
        let bytes =
            [1, 0x90, 0xee, 0xd3, 0x88, 0x74, 0x75, 0x1a, 0x87, 0x29, 0x70, 0xf0, 0xd3, 0x12, 0x61, 0x85];
        check(&uuid, &Stored::Blob(Arc::from(bytes)), "", true);
        check(&uuid, &text("0190eed3-8874-751a-8729-70f0d3126186"), "", false);
    }
}
