//! Ids and times in the many ways in which columns hold them.

use std::{borrow::Cow, fmt::Write as _};

use rusqlite::types::ValueRef;

use crate::{
    model::{Json, LastDay, Stored, Timestamp},
    store::layout::Form,
};

/// A stored value, borrowed from wherever it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text, which may not be UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

impl<'a> From<&'a Stored> for Value<'a> {
    fn from(stored: &'a Stored) -> Self {
        match stored {
            Stored::Null => Self::Null,
            Stored::Integer(number) => Self::Integer(*number),
            Stored::Real(number) => Self::Real(*number),
            Stored::Text(bytes) => Self::Text(bytes),
            Stored::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl<'a> From<ValueRef<'a>> for Value<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => Self::Text(bytes),
            ValueRef::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

/// A scalar as a column would hold it; arrays and objects count as nothing.
impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Text(text) => Self::Text(text.as_bytes()),
            Json::Number(number) => {
                number.as_i64().map_or_else(|| Self::Real(number.as_f64()), Self::Integer)
            }
            Json::Bool(value) => Self::Integer(i64::from(*value)),
            Json::Null | Json::Array(_) | Json::Object(_) => Self::Null,
        }
    }
}

impl<'a> Value<'a> {
    /// The value to keep.
    #[must_use]
    pub fn to_stored(self) -> Stored {
        match self {
            Self::Null => Stored::Null,
            Self::Integer(number) => Stored::Integer(number),
            Self::Real(number) => Stored::Real(number),
            Self::Text(bytes) => Stored::Text(bytes.into()),
            Self::Blob(bytes) => Stored::Blob(bytes.into()),
        }
    }

    /// How many bytes of the database a text or a blob fills; a number counts as none.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Self::Text(bytes) | Self::Blob(bytes) => bytes.len(),
            Self::Null | Self::Integer(_) | Self::Real(_) => 0,
        }
    }

    /// Whether it has no bytes, as a number or NULL.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The text of a text or of bytes that are UTF-8.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Text(bytes) | Self::Blob(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Null | Self::Integer(_) | Self::Real(_) => None,
        }
    }

    /// The value as an integer: an integer, a whole number, or digits in a text.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(number),
            Self::Real(number) => (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64),
            Self::Text(_) => self.as_str()?.trim().parse().ok(),
            Self::Null | Self::Blob(_) => None,
        }
    }
}

/// The time that a value of this form tells; nothing if it tells none.
#[must_use]
pub fn time(value: Value<'_>, form: Form) -> Option<Timestamp> {
    time_after(value, form, &mut LastDay::default())
}

/// The same for one of many values, quicker where the value before told the same day.
#[must_use]
#[inline]
pub fn time_after(value: Value<'_>, form: Form, last: &mut LastDay) -> Option<Timestamp> {
    match form {
        Form::Plain | Form::Iso => match value {
            Value::Text(bytes) | Value::Blob(bytes) => Timestamp::parse_after(bytes, last),
            Value::Null | Value::Integer(_) | Value::Real(_) => None,
        },
        Form::EpochSeconds => epoch(value, 0),
        Form::EpochMillis => epoch(value, 3),
        Form::EpochMicros => epoch(value, 6),
        Form::EpochNanos => epoch(value, 9),
        Form::JulianDay => match value {
            Value::Real(days) => Timestamp::from_julian_day(days),
            Value::Integer(days) => Timestamp::from_julian_day(days as f64),
            other => Timestamp::from_julian_day(other.as_str()?.trim().parse().ok()?),
        },
        Form::UuidV7 => Timestamp::from_epoch(uuid_v7_millis(value)?, 3),
        Form::Ulid => Timestamp::from_epoch(ulid_millis(value.as_str()?)?, 3),
        Form::UuidBytes | Form::GuidBytes => None,
    }
}

/// A count since 1970; a fraction keeps six digits, which is what a double can hold.
fn epoch(value: Value<'_>, unit_digits: u8) -> Option<Timestamp> {
    if let Some(count) = value.as_i64() {
        return Timestamp::from_epoch(count, unit_digits);
    }
    let count: f64 = match value {
        Value::Real(count) => count,
        other => other.as_str()?.trim().parse().ok()?,
    };
    let scale = 10_f64.powi(6 - i32::from(unit_digits));
    let micros = (count * scale).round();
    (micros.abs() < 9.2e15).then(|| Timestamp::from_nanos(micros as i64 * 1000, 6))
}

/// The first 48 bits of a UUID of version 7, as text with or without dashes or as 16 bytes.
fn uuid_v7_millis(value: Value<'_>) -> Option<i64> {
    if let Value::Blob(bytes) = value
        && bytes.len() == 16
    {
        let is_seven = bytes.get(6).is_some_and(|byte| byte >> 4 == 7);
        let millis = bytes.iter().take(6).fold(0_i64, |millis, byte| (millis << 8) | i64::from(*byte));
        return is_seven.then_some(millis);
    }
    let mut digits =
        value.as_str()?.bytes().filter(|byte| *byte != b'-').map(|byte| char::from(byte).to_digit(16));
    let millis = (0..12).try_fold(0_i64, |millis, _| Some((millis << 4) | i64::from(digits.next()??)))?;
    (digits.next()?? == 7 && digits.count() == 19).then_some(millis)
}

/// The first ten characters of a ULID in Crockford's base 32.
fn ulid_millis(text: &str) -> Option<i64> {
    const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    if text.len() != 26 || !text.starts_with(|c: char| ('0'..='7').contains(&c)) {
        return None;
    }
    let digits = text.chars().map(|c| ALPHABET.find(c.to_ascii_uppercase()));
    let digits: Option<Vec<usize>> = digits.collect();
    Some(digits?.iter().take(10).fold(0_i64, |millis, digit| (millis << 5) | *digit as i64))
}

/// The text of an id; nothing for NULL. Bytes that are no text become hexadecimal digits.
#[must_use]
pub fn id_text(value: Value<'_>, form: Form) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::Integer(number) => Some(number.to_string().into()),
        Value::Real(number) => Some(number.to_string().into()),
        // The quick check first: hardly a text needs its bad bytes replaced.
        Value::Text(bytes) => Some(match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        }),
        Value::Blob(bytes) if bytes.len() == 16 && form == Form::UuidBytes => Some(dashed(bytes).into()),
        Value::Blob(bytes) if bytes.len() == 16 && form == Form::GuidBytes => {
            Some(dashed(&big_endian(bytes)).into())
        }
        Value::Blob(bytes) => Some(match std::str::from_utf8(bytes) {
            Ok(text) if !text.chars().any(char::is_control) => text.into(),
            _ => Stored::Blob(bytes.into()).to_hex().into(),
        }),
    }
}

/// A GUID as .NET writes its bytes: the first three fields are turned round.
fn big_endian(guid: &[u8]) -> Vec<u8> {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    ORDER.iter().filter_map(|at| guid.get(*at).copied()).collect()
}

fn dashed(uuid: &[u8]) -> String {
    uuid.iter().enumerate().fold(String::with_capacity(36), |mut text, (at, byte)| {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").ok();
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: Value<'_>, form: Form, expected: &str) {
        let found = time(value, form).map_or_else(|| "none".to_owned(), Timestamp::to_rfc3339);
        assert_eq!(found, expected, "{value:?} as {form}");
    }

    #[test]
    fn times_are_read_in_every_form() {
        check(Value::Text(b"2024-03-01 08:00:00"), Form::Iso, "2024-03-01T08:00:00Z");
        check(Value::Integer(1_709_280_000), Form::EpochSeconds, "2024-03-01T08:00:00Z");
        check(Value::Real(1_709_280_000.25), Form::EpochSeconds, "2024-03-01T08:00:00.250000Z");
        check(Value::Text(b"1709280000392"), Form::EpochMillis, "2024-03-01T08:00:00.392Z");
        check(Value::Integer(1_709_280_000_392_430_000), Form::EpochNanos, "2024-03-01T08:00:00.392430000Z");
        check(Value::Text(b"018cd8cb-5bcf-7655-bdf3-bc693aa88d00"), Form::UuidV7, "2024-01-05T08:44:15.183Z");
        check(Value::Text(b"5faf6a9f-916d-524c-9fd6-93207219712b"), Form::UuidV7, "none");
        check(Value::Text(b"01HQWGDYC80000000000000000"), Form::Ulid, "2024-03-01T08:00:00.392Z");
        check(Value::Real(2_460_370.833_333_333), Form::JulianDay, "2024-03-01T08:00:00.000Z");
        check(Value::Null, Form::EpochSeconds, "none");
        check(Value::Real(f64::NAN), Form::EpochSeconds, "none");
        check(Value::Blob(b"\xff\xfe"), Form::Iso, "none");
    }

    #[test]
    fn ids_are_shown_as_people_know_them() {
        let bytes = b"\x5f\xaf\x6a\x9f\x91\x6d\x52\x4c\x9f\xd6\x93\x20\x72\x19\x71\x2b";
        let show = |value, form| id_text(value, form).map(Cow::into_owned);
        assert_eq!(show(Value::Null, Form::Plain), None);
        assert_eq!(show(Value::Integer(-4), Form::Plain).as_deref(), Some("-4"));
        let uuid = "5faf6a9f-916d-524c-9fd6-93207219712b";
        assert_eq!(show(Value::Blob(bytes), Form::UuidBytes).as_deref(), Some(uuid));
        let guid = "9f6aaf5f-6d91-4c52-9fd6-93207219712b";
        assert_eq!(show(Value::Blob(bytes), Form::GuidBytes).as_deref(), Some(guid));
        assert_eq!(show(Value::Blob(b"\x00\xff"), Form::Plain).as_deref(), Some("00ff"));
        assert_eq!(show(Value::Text(b"a\xff"), Form::Plain).as_deref(), Some("a\u{fffd}"));
    }
}
