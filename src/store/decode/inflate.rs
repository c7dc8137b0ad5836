//! Opens payloads that are compressed with zlib or gzip, up to a bound.

use std::{io::Read, sync::Arc};

use flate2::read::{GzDecoder, ZlibDecoder};

use crate::model::Encoding;

/// A payload that grows beyond this is reported and not opened: it would not be looked at anyway.
const LIMIT: u64 = 256 << 20;

/// How the bytes are compressed, and what is in them or why that cannot be had.
type Content = (Encoding, Result<Vec<u8>, Arc<str>>);

/// The content, if the bytes begin as zlib or gzip do; the reason if they go wrong later.
pub(super) fn inflate(bytes: &[u8]) -> Option<Content> {
    match bytes {
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => {
            let inside = whole(ZlibDecoder::new(bytes));
            // Two bytes are a thin sign: what does not even start to inflate may be something else.
            inside.is_ok_or_started().then(|| (Encoding::Zlib, inside.result()))
        }
        [0x1f, 0x8b, 0x08, ..] => Some((Encoding::Gzip, whole(GzDecoder::new(bytes)).result())),
        _ => None,
    }
}

struct Inflated {
    content: Vec<u8>,
    trouble: Option<Arc<str>>,
}

fn whole(reader: impl Read) -> Inflated {
    let mut content = Vec::new();
    let trouble = match reader.take(LIMIT + 1).read_to_end(&mut content) {
        Ok(_) if content.len() as u64 > LIMIT => Some("inflates to more than 256 MiB".into()),
        Ok(_) => None,
        Err(err) => Some(format!("compressed, but damaged: {err}").into()),
    };
    Inflated { content, trouble }
}

impl Inflated {
    fn is_ok_or_started(&self) -> bool {
        self.trouble.is_none() || !self.content.is_empty()
    }

    fn result(self) -> Result<Vec<u8>, Arc<str>> {
        self.trouble.map_or(Ok(self.content), Err)
    }
}
