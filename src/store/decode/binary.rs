//! MessagePack and CBOR, read through serde into the same tree as JSON.

use std::{fmt, sync::Arc};

use serde::de::{Deserialize, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess as _, Visitor};

use crate::{
    model::{Encoding, Json, Number},
    store::decode::Reading,
};

/// Deeper documents are not read: both readers recurse, and nobody writes such.
const MAX_DEPTH: usize = 128;

/// The document, if the bytes are one map or array of either kind, to the last byte.
pub(super) fn read(bytes: &[u8]) -> Option<Reading> {
    let first = *bytes.first()?;
    if matches!(first, 0x81..=0x9f | 0xdc..=0xdf)
        && let Some(json) = message_pack(bytes)
    {
        return Some((Encoding::MessagePack, Ok(json)));
    }
    let is_cbor = matches!(first, 0x81..=0x9f | 0xa1..=0xbf | 0xd9);
    let json = is_cbor.then(|| cbor(bytes)).flatten()?;
    Some((Encoding::Cbor, Ok(json)))
}

fn message_pack(bytes: &[u8]) -> Option<Json> {
    let mut rest = bytes;
    let mut reader = rmp_serde::Deserializer::new(&mut rest);
    reader.set_max_depth(MAX_DEPTH);
    let document = Document::deserialize(&mut reader).ok()?;
    rest.is_empty().then_some(document.0)
}

fn cbor(bytes: &[u8]) -> Option<Json> {
    let mut rest = bytes;
    let document: Document = ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH).ok()?;
    (rest.is_empty() && document.0.len().is_some()).then_some(document.0)
}

struct Document(Json);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document(Json::Null))
    }

    fn visit_none<E>(self) -> Result<Document, E> {
        Ok(Document(Json::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Document, D::Error> {
        Document::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Document, D::Error> {
        Document::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Document, E> {
        Ok(Document(Json::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Document, E> {
        Ok(Document(Json::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Document, E> {
        Ok(Document(Json::from(value)))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Document, E> {
        Ok(Document(Json::Number(Number::from_valid(&value.to_string()))))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Document, E> {
        Ok(Document(Json::Number(Number::from_valid(&value.to_string()))))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Document, E> {
        Ok(Document(Json::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Document, E> {
        Ok(Document(Json::from(value)))
    }

    /// JSON has no bytes: they are shown as hexadecimal digits.
    fn visit_bytes<E>(self, value: &[u8]) -> Result<Document, E> {
        Ok(Document(Json::from(crate::model::Stored::Blob(value.into()).to_hex())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Document, A::Error> {
        let mut items = Vec::new();
        while let Some(Document(item)) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Document(Json::array(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut members: Vec<(Arc<str>, Json)> = Vec::new();
        while let Some((Document(name), Document(value))) = map.next_entry()? {
            members.push((name.as_scalar_text().unwrap_or_else(|| name.to_compact().into()), value));
        }
        Ok(Document(Json::object(members)))
    }

    /// A tagged value of CBOR: the tag says how to read the value, which is shown as it stands.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Document, A::Error> {
        let (Document(_), content) = tagged.variant::<Document>()?;
        let Document(pair) = content.tuple_variant(2, self)?;
        Ok(Document(pair.as_array().and_then(|pair| pair.get(1)).cloned().unwrap_or_default()))
    }
}
