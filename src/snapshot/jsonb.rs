//! Writes SQLite's binary JSON, as described at <https://sqlite.org/jsonb.html>.

use crate::model::Json;

/// The bytes of a value.
pub(super) fn write(value: &Json) -> Vec<u8> {
    let mut bytes = Vec::new();
    append(value, &mut bytes);
    bytes
}

fn append(value: &Json, bytes: &mut Vec<u8>) {
    match value {
        Json::Null => element(0, &[], bytes),
        Json::Bool(true) => element(1, &[], bytes),
        Json::Bool(false) => element(2, &[], bytes),
        Json::Number(number) => {
            let is_integer = number.as_str().bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            element(if is_integer { 3 } else { 5 }, number.as_str().as_bytes(), bytes);
        }
        Json::Text(text) => append_text(text, bytes),
        Json::Array(items) => {
            let mut inside = Vec::new();
            items.iter().for_each(|item| append(item, &mut inside));
            element(11, &inside, bytes);
        }
        Json::Object(object) => {
            let mut inside = Vec::new();
            for (name, value) in object.iter() {
                append_text(name, &mut inside);
                append(value, &mut inside);
            }
            element(12, &inside, bytes);
        }
    }
}

/// Text that JSON would write as it is, or text that it would escape.
fn append_text(text: &str, bytes: &mut Vec<u8>) {
    let is_plain = text.chars().all(|c| c != '"' && c != '\\' && !c.is_control());
    element(if is_plain { 7 } else { 10 }, text.as_bytes(), bytes);
}

fn element(kind: u8, content: &[u8], bytes: &mut Vec<u8>) {
    let size = content.len() as u64;
    let size_bytes = size.to_be_bytes();
    let (code, length) = match size {
        0..=11 => (u8::try_from(size).unwrap_or_default(), 0),
        12..=0xff => (12, 1),
        0x100..=0xffff => (13, 2),
        0x1_0000..=0xffff_ffff => (14, 4),
        _ => (15, 8),
    };
    bytes.push((code << 4) | kind);
    bytes.extend(size_bytes.iter().skip(size_bytes.len() - length));
    bytes.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::{
        model::{Encoding, Json, Stored},
        store::decode::decode,
    };

    fn check(text: &str) {
        let value = Json::parse(text.as_bytes()).unwrap();
        let read = decode(Stored::Blob(write(&value).into()), &[]);
        assert_eq!(read.encoding, Encoding::SqliteJsonb, "{text}");
        assert_eq!(read.decoded.unwrap().to_compact(), value.to_compact());
    }

    #[test]
    fn what_is_written_is_read_again() {
        check(r#"{"a":[1,-2.5,true,false,null,"x","12 letters!!","\"\\\n"],"b":{},"c":[]}"#);
        for length in [11, 12, 255, 256, 65_535, 65_536] {
            check(&format!(r#"["{}"]"#, "y".repeat(length)));
        }
        check(r#"{"a \" b":"é 漢"}"#);
    }
}
