//! A stored payload: its bytes as they are, and what they say if they can be read.

use std::{fmt, sync::Arc};

use crate::model::Json;

/// A value as the database holds it.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Stored {
    /// NULL, or no such column.
    #[default]
    Null,
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text; the bytes, since a database may hold text that is not UTF-8.
    Text(Arc<[u8]>),
    /// Bytes.
    Blob(Arc<[u8]>),
}

/// How a payload is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// There is none.
    #[default]
    Absent,
    /// JSON in a text column.
    JsonText,
    /// JSON in a byte column.
    JsonBytes,
    /// SQLite's binary JSON.
    SqliteJsonb,
    /// MessagePack.
    MessagePack,
    /// CBOR.
    Cbor,
    /// JSON compressed with zlib.
    Zlib,
    /// JSON compressed with gzip.
    Gzip,
    /// A part of another payload.
    Part,
    /// A Python pickle: a program, never run.
    Pickle,
    /// YAML, shown as text.
    Yaml,
    /// XML, shown as text.
    Xml,
    /// Text of no known form.
    Text,
    /// Bytes that look random: encrypted, most likely.
    Encrypted,
    /// Bytes of no known form.
    Unknown,
}

/// A stored payload and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload {
    /// What the database holds, unchanged.
    pub stored: Stored,
    /// How it is written.
    pub encoding: Encoding,
    /// What it says, with the library's own wrapping taken off; or why it cannot be shown.
    pub decoded: Result<Json, Arc<str>>,
    /// Whether the bytes say more than the decoded value, since a wrapping was taken off.
    pub is_unwrapped: bool,
}

impl Payload {
    /// How many bytes of text or blob are stored; 0 for any other value.
    #[must_use]
    pub fn stored_len(&self) -> usize {
        match &self.stored {
            Stored::Text(bytes) | Stored::Blob(bytes) => bytes.len(),
            Stored::Null | Stored::Integer(_) | Stored::Real(_) => 0,
        }
    }

    /// No payload at all.
    #[must_use]
    pub fn absent() -> Self {
        Self {
            stored: Stored::Null,
            encoding: Encoding::Absent,
            decoded: Ok(Json::Null),
            is_unwrapped: false,
        }
    }

    /// A payload that was made from JSON, for tests and the in-memory store.
    #[must_use]
    pub fn from_json(value: Json) -> Self {
        let text = value.to_compact();
        Self {
            stored: Stored::Text(text.into_bytes().into()),
            encoding: Encoding::JsonText,
            decoded: Ok(value),
            is_unwrapped: false,
        }
    }

    /// The decoded value, if there is one.
    #[must_use]
    pub fn json(&self) -> Option<&Json> {
        self.decoded.as_ref().ok()
    }
}

impl Stored {
    /// For people: text as it is, bytes as hex, NULL by name.
    #[must_use]
    pub fn to_words(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Integer(number) => number.to_string(),
            Self::Real(number) => format!("{number:?}"),
            Self::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Blob(_) => format!("x'{}'", self.to_hex()),
        }
    }

    /// For people, within a sentence: text in quotation marks, cut after so many letters; bytes by their number.
    #[must_use]
    pub fn to_short_words(&self, letters: usize) -> String {
        match self {
            Self::Null | Self::Integer(_) | Self::Real(_) => self.to_words(),
            Self::Blob(bytes) => format!("{} byte{}", bytes.len(), if bytes.len() == 1 { "" } else { "s" }),
            Self::Text(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                let more = if text.chars().nth(letters).is_some() { "…" } else { "" };
                let short: String = text.chars().take(letters).collect();
                format!("“{short}{more}”")
            }
        }
    }

    /// The bytes of a text or blob, the digits of a number, nothing for NULL.
    #[must_use]
    pub fn bytes(&self) -> Arc<[u8]> {
        match self {
            Self::Null => Arc::from([]),
            Self::Integer(number) => number.to_string().into_bytes().into(),
            Self::Real(number) => number.to_string().into_bytes().into(),
            Self::Text(bytes) | Self::Blob(bytes) => Arc::clone(bytes),
        }
    }

    /// Bytes that are equal for rows of equal values only; `1`, `1.0` and `'1'` are not equal here.
    #[must_use]
    pub fn row_bytes<'v>(values: impl IntoIterator<Item = &'v Self>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for value in values {
            let kind = match value {
                Self::Null => 0,
                Self::Integer(_) => 1,
                Self::Real(_) => 2,
                Self::Text(_) => 3,
                Self::Blob(_) => 4,
            };
            let data = value.bytes();
            bytes.push(kind);
            bytes.extend((data.len() as u64).to_be_bytes());
            bytes.extend_from_slice(&data);
        }
        bytes
    }

    /// Lower-case hexadecimal digits of the bytes, without spaces.
    #[must_use]
    pub fn to_hex(&self) -> String {
        use fmt::Write as _;
        self.bytes().iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").ok();
            hex
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "none",
            Self::JsonText => "JSON text",
            Self::JsonBytes => "JSON bytes",
            Self::SqliteJsonb => "SQLite JSONB",
            Self::MessagePack => "MessagePack",
            Self::Cbor => "CBOR",
            Self::Zlib => "zlib-compressed JSON",
            Self::Gzip => "gzip-compressed JSON",
            Self::Part => "part of another payload",
            Self::Pickle => "Python pickle",
            Self::Yaml => "YAML",
            Self::Xml => "XML",
            Self::Text => "text",
            Self::Encrypted => "encrypted",
            Self::Unknown => "unknown",
        })
    }
}
