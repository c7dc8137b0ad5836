//! A row as SQLite stores it: the kinds of its values, and the values.

/// A row of a table or an entry of an index, value by value; its buffers are used again and again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    header: Vec<u8>,
    body: Vec<u8>,
}

impl Entry {
    /// Starts anew.
    pub(crate) fn clear(&mut self) -> &mut Self {
        self.header.clear();
        self.body.clear();
        self
    }

    /// Adds nothing: what stands for the number of the row itself.
    pub(crate) fn null(&mut self) -> &mut Self {
        self.header.push(0);
        self
    }

    /// Adds a text.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        push_varint(&mut self.header, text.len() as u64 * 2 + 13);
        self.body.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a number that is not negative.
    pub(crate) fn number(&mut self, number: u32) -> &mut Self {
        let bytes = i64::from(number).to_be_bytes();
        let (kind, len) = match number {
            0 => (8, 0),
            1 => (9, 0),
            2..0x80 => (1, 1),
            0x80..0x8000 => (2, 2),
            0x8000..0x80_0000 => (3, 3),
            0x80_0000..0x8000_0000 => (4, 4),
            0x8000_0000.. => (5, 6),
        };
        self.header.push(kind);
        self.body.extend_from_slice(bytes.get(bytes.len() - len..).unwrap_or_default());
        self
    }

    /// How many bytes it takes.
    pub(super) fn len(&self) -> usize {
        1 + self.header.len() + self.body.len()
    }

    /// The row without its length.
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        // Headers here are shorter than 127 bytes, so their length takes one.
        out.push(1 + self.header.len() as u8);
        out.extend_from_slice(&self.header);
        out.extend_from_slice(&self.body);
    }
}

/// SQLite's numbers of one to nine bytes, for those below 2 to the 56th.
pub(super) fn push_varint(out: &mut Vec<u8>, number: u64) {
    if number < 0x80 {
        return out.push(number as u8);
    }
    let groups = (64 - number.leading_zeros()).div_ceil(7);
    for group in (0..groups).rev() {
        let bits = (number >> (group * 7) & 0x7f) as u8;
        out.push(if group == 0 { bits } else { bits | 0x80 });
    }
}
