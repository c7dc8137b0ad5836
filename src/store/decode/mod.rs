//! What a stored value says: payloads of any encoding, ids and times of any form.
//!
//! Nothing stored is ever run or trusted: a payload that cannot be read is a value with a reason.
//! This runs for every event of a fold, so each form is told by its first bytes before anything
//! is parsed.

mod binary;
mod forms;
mod guess;
mod inflate;
mod jsonb;
mod unwrap;

use std::sync::Arc;

use crate::{
    model::{Encoding, Json, Payload, Stored},
    store::layout::Unwrap,
};

pub use forms::{Value, id_text, time, time_after};
pub use unwrap::unwrapped;

/// What a value says, and in which writing.
type Reading = (Encoding, Result<Json, Arc<str>>);

/// Decodes a stored payload, and takes off what a library wrapped around it.
///
/// A member that [`Unwrap::Without`] names is left out of the decoded value only; the stored bytes
/// stay as they are.
#[must_use]
pub fn decode(stored: Stored, unwrap: &[Unwrap]) -> Payload {
    let (encoding, decoded) = read(Value::from(&stored));
    let decoded = decoded.map(|json| if unwrap.is_empty() { json } else { unwrapped(json, unwrap) });
    Payload { stored, encoding, decoded, is_unwrapped: !unwrap.is_empty() }
}

/// Reads a value without keeping it: its encoding, and what it says or why it cannot be read.
pub fn read(value: Value<'_>) -> Reading {
    match value {
        Value::Null => (Encoding::Absent, Ok(Json::Null)),
        // A column declared JSON turns the text `5` into a number.
        Value::Integer(number) => (Encoding::JsonText, Ok(Json::from(number))),
        Value::Real(number) => (Encoding::JsonText, Ok(Json::from(number))),
        Value::Text(bytes) => text(bytes),
        Value::Blob(bytes) => blob(bytes, true),
    }
}

/// A part of another payload, decoded already.
#[must_use]
pub fn part(json: Json) -> Payload {
    let stored = match &json {
        Json::Null => return Payload::absent(),
        Json::Text(text) => Stored::Text(text.as_bytes().into()),
        other => Stored::Text(other.to_compact().into_bytes().into()),
    };
    Payload { stored, encoding: Encoding::Part, decoded: Ok(json), is_unwrapped: false }
}

fn text(bytes: &[u8]) -> Reading {
    match Json::parse(bytes) {
        Ok(json) => (Encoding::JsonText, Ok(json)),
        Err(err) => match guess::document(bytes) {
            Some(found) => found,
            None => (Encoding::Text, Err(format!("not JSON: {err}").into())),
        },
    }
}

/// `outer` is false inside a compressed payload: nothing is inflated twice.
fn blob(bytes: &[u8], outer: bool) -> Reading {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace());
    let Some(first) = start.and_then(|at| bytes.get(at)) else {
        return (Encoding::Unknown, Err("no bytes".into()));
    };
    let json_error = if matches!(first, b'{' | b'[' | b'"' | 0xef) {
        match Json::parse(bytes) {
            Ok(json) => return (Encoding::JsonBytes, Ok(json)),
            Err(err) => Some(err),
        }
    } else {
        None
    };
    if outer && let Some((encoding, inflated)) = inflate::inflate(bytes) {
        return (encoding, inflated.and_then(|inside| compressed(encoding, &inside)));
    }
    if let Some(found) = guess::pickle(bytes) {
        return found;
    }
    if let Some(json) = jsonb::read(bytes) {
        return (Encoding::SqliteJsonb, Ok(json));
    }
    if let Some(found) = binary::read(bytes) {
        return found;
    }
    match json_error {
        Some(err) => (Encoding::JsonBytes, Err(format!("not JSON: {err}").into())),
        None => guess::bytes(bytes),
    }
}

fn compressed(encoding: Encoding, inside: &[u8]) -> Result<Json, Arc<str>> {
    blob(inside, false).1.map_err(|reason| format!("{encoding}, but inside: {reason}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes bytes and tells the encoding and the value or the reason.
    fn check(stored: Stored, expected: &str) {
        let payload = decode(stored, &[]);
        let found = match &payload.decoded {
            Ok(json) => format!("{}: {}", payload.encoding, json.to_preview(80)),
            Err(reason) => format!("{}! {reason}", payload.encoding),
        };
        assert_eq!(found, expected);
    }

    fn bytes(bytes: &[u8]) -> Stored {
        Stored::Blob(bytes.into())
    }

    fn words(text: &str) -> Stored {
        Stored::Text(text.as_bytes().into())
    }

    fn deflated(text: &str, gzip: bool) -> Vec<u8> {
        use std::io::Write as _;
        if gzip {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(text.as_bytes()).unwrap();
            return writer.finish().unwrap();
        }
        let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn json_is_read_from_text_and_bytes() {
        check(Stored::Null, "none: null");
        check(words(r#"{"a":1.50}"#), r#"JSON text: {"a":1.50}"#);
        check(bytes(b" [1,2]"), "JSON bytes: [1,2]");
        check(Stored::Integer(5), "JSON text: 5");
        check(words("hello"), "text! not JSON: expected a JSON value at byte 0");
        check(words(r#"{"a":"#), "text! not JSON: the text ends where a value should stand at byte 5");
        check(Stored::Text(Arc::from(*b"{\"a\":\"\xff\"}")), "text! not JSON: invalid UTF-8 at byte 6");
        check(words(&"[".repeat(100_000)), "text! not JSON: nested deeper than 512 levels at byte 512");
        check(bytes(br#"{"a":"#), "JSON bytes! not JSON: the text ends where a value should stand at byte 5");
        check(words(""), "text! not JSON: the text ends where a value should stand at byte 0");
        check(bytes(b""), "unknown! no bytes");
    }

    #[test]
    fn compressed_payloads_are_opened() {
        check(bytes(&deflated(r#"{"a":1}"#, false)), r#"zlib-compressed JSON: {"a":1}"#);
        check(bytes(&deflated(r#"{"a":1}"#, true)), r#"gzip-compressed JSON: {"a":1}"#);
        check(
            bytes(&deflated("plain", false)),
            "zlib-compressed JSON! zlib-compressed JSON, but inside: plain text, not JSON",
        );
        let bomb = deflated(&" ".repeat(300 << 20), true);
        check(bytes(&bomb), "gzip-compressed JSON! inflates to more than 256 MiB");
    }

    #[test]
    fn binary_documents_are_read() {
        check(bytes(b"\x82\xa1a\x01\xa1b\x92\xc3\xc0"), r#"MessagePack: {"a":1,"b":[true,null]}"#);
        check(bytes(b"\xa2\x61a\x01\x61b\x82\xf5\xf6"), r#"CBOR: {"a":1,"b":[true,null]}"#);
        check(bytes(b"\xa1\x61t\xc0\x6a2024-03-01"), r#"CBOR: {"t":"2024-03-01"}"#);
        // A map with a byte left over is no document.
        check(bytes(b"\x81\xa1a\x01\xff"), "unknown! bytes of no known form");
        check(bytes(&vec![0x91; 100_000]), "unknown! bytes of no known form");
        check(bytes(&vec![0x81; 100_000]), "unknown! bytes of no known form");
    }

    #[test]
    fn programs_and_secrets_are_named_and_left_alone() {
        check(
            bytes(b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00}\x94."),
            "Python pickle! Python pickle, protocol 4: a program, so it is not run; shown as bytes",
        );
        check(bytes(b"---\nname: x\n"), "YAML! YAML, shown as text");
        check(
            words(r#"O:3:"Abc":1:{s:1:"n";i:4;}"#),
            "text! PHP serialisation: a program's objects, not read",
        );
        check(words("<?xml version=\"1.0\"?><a/>"), "XML! XML, shown as text");
        let mut seed = 7_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        })
        .take(120)
        .collect();
        check(bytes(&noise), "encrypted! looks random: encrypted, most likely");
        check(bytes(b"\xac\xed\x00\x05sr"), "unknown! Java serialisation: a program's objects, not read");
    }
}
