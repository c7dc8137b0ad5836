//! Numbers and texts as plain bytes, little endian, and back.

/// Why bytes are not what they should be.
pub(super) type What = &'static str;

/// Writes one thing behind the other.
#[derive(Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn signed(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Its length first.
    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// Their count first.
    pub(super) fn all<T: Plain>(&mut self, numbers: &[T]) {
        self.number(numbers.len() as u64);
        self.0.reserve(size_of_val(numbers));
        for number in numbers {
            number.write(&mut self.0);
        }
    }
}

/// Reads what a [`Writer`] wrote. Every length is checked against what is left before anything is made of it.
#[derive(Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], What> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn word(&mut self) -> Result<[u8; 8], What> {
        let (word, rest) = self.0.split_first_chunk().ok_or("it ends too early")?;
        self.0 = rest;
        Ok(*word)
    }

    pub(super) fn byte(&mut self) -> Result<u8, What> {
        self.take(1)?.first().copied().ok_or("it ends too early")
    }

    pub(super) fn number(&mut self) -> Result<u64, What> {
        self.word().map(u64::from_le_bytes)
    }

    pub(super) fn signed(&mut self) -> Result<i64, What> {
        self.word().map(i64::from_le_bytes)
    }

    pub(super) fn len(&mut self) -> Result<usize, What> {
        usize::try_from(self.number()?).or(Err("a length is too great"))
    }

    pub(super) fn text(&mut self) -> Result<&'a str, What> {
        std::str::from_utf8(self.bytes()?).or(Err("a text is not UTF-8"))
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], What> {
        let len = self.len()?;
        self.take(len)
    }

    pub(super) fn all<T: Plain>(&mut self) -> Result<Vec<T>, What> {
        let len = self.len()?.checked_mul(size_of::<T>()).ok_or("a length is too great")?;
        Ok(T::read(self.take(len)?))
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), What> {
        if self.0.is_empty() { Ok(()) } else { Err("something is left over") }
    }
}

/// A number that is copied as it is.
pub(super) trait Plain: Copy {
    fn write(self, bytes: &mut Vec<u8>);
    fn read(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! plain {
    ($($number:ty),*) => {$(
        impl Plain for $number {
            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read(bytes: &[u8]) -> Vec<Self> {
                let (words, _) = bytes.as_chunks();
                words.iter().map(|word| Self::from_le_bytes(*word)).collect()
            }
        }
    )*};
}

plain!(u8, u16, u32, u64, i64);
