//! Names what cannot be decoded by its first bytes, so that the user knows what they look at.

use std::sync::Arc;

use crate::{model::Encoding, store::decode::Reading};

fn reason(encoding: Encoding, words: &str) -> Reading {
    (encoding, Err(Arc::from(words)))
}

/// A document that is shown as text.
pub(super) fn document(bytes: &[u8]) -> Option<Reading> {
    let trimmed = bytes.trim_ascii_start();
    if trimmed.starts_with(b"---\n") || trimmed.starts_with(b"--- ") || trimmed.starts_with(b"---\r\n") {
        return Some(reason(Encoding::Yaml, "YAML, shown as text"));
    }
    if let [b'a' | b'O', b':', digit, ..] = trimmed
        && digit.is_ascii_digit()
        && trimmed.trim_ascii_end().ends_with(b"}")
    {
        return Some(reason(Encoding::Text, "PHP serialisation: a program's objects, not read"));
    }
    let is_tag = trimmed.starts_with(b"<") && trimmed.trim_ascii_end().ends_with(b">");
    (is_tag && trimmed.len() > 2).then(|| reason(Encoding::Xml, "XML, shown as text"))
}

/// A Python pickle by its frame: protocol first, the stop code last. Its content is not looked at.
pub(super) fn pickle(bytes: &[u8]) -> Option<Reading> {
    let [0x80, protocol @ 2..=5, .., b'.'] = bytes else {
        return None;
    };
    let words = format!("Python pickle, protocol {protocol}: a program, so it is not run; shown as bytes");
    Some((Encoding::Pickle, Err(words.into())))
}

/// Bytes that are no document.
pub(super) fn bytes(bytes: &[u8]) -> Reading {
    if let Some(found) = document(bytes) {
        return found;
    }
    for (magic, words) in [
        (&b"\xac\xed\x00\x05"[..], "Java serialisation: a program's objects, not read"),
        (b"\x00\x01\x00\x00\x00\xff\xff\xff\xff", ".NET binary serialisation: a program's objects, not read"),
        (b"\x28\xb5\x2f\xfd", "compressed with Zstandard, which is not read"),
        (b"\x04\x22\x4d\x18", "compressed with LZ4, which is not read"),
        (b"\xff\x06\x00\x00sNaPpY", "compressed with Snappy, which is not read"),
        (b"BZh", "compressed with bzip2, which is not read"),
        (b"Obj\x01", "Avro, which is not read without its schema"),
    ] {
        if bytes.starts_with(magic) {
            return reason(Encoding::Unknown, words);
        }
    }
    if is_text(bytes) {
        return reason(Encoding::Text, "plain text, not JSON");
    }
    if looks_random(bytes) {
        return reason(Encoding::Encrypted, "looks random: encrypted, most likely");
    }
    reason(Encoding::Unknown, "bytes of no known form")
}

fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| text.chars().take(4096).all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')))
}

/// Whether so many different bytes occur as in random ones, half of them above 127.
///
/// Serialised records repeat small numbers and letters and stay far below.
fn looks_random(bytes: &[u8]) -> bool {
    let Some(sample) = bytes.get(..bytes.len().min(4096)).filter(|sample| sample.len() >= 28) else {
        return false;
    };
    let mut seen = [false; 256];
    for byte in sample {
        if let Some(place) = seen.get_mut(usize::from(*byte)) {
            *place = true;
        }
    }
    let distinct = seen.iter().filter(|seen| **seen).count() as f64;
    let expected = 256.0 * (1.0 - (1.0_f64 - 1.0 / 256.0).powi(sample.len() as i32));
    let high = sample.iter().filter(|byte| **byte > 127).count() as f64 / sample.len() as f64;
    distinct > 0.85 * expected && (0.25..0.75).contains(&high)
}
