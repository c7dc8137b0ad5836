//! Numbers as they were written.

use std::sync::Arc;

use crate::model::decimal::same_number;

/// A number as it was written: `1.50` stays `1.50`, twenty digits stay twenty digits.
#[derive(Debug, Clone)]
pub struct Number(Digits);

/// What fits beside the mark that tells values apart.
const SHORT: usize = 22;

/// Numbers are many and short: most need no memory of their own.
#[derive(Debug, Clone)]
enum Digits {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Arc<str>),
}

impl Number {
    /// Takes the text of a JSON number; the caller has checked it.
    pub(crate) fn from_valid(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                Self(Digits::Short { length: text.len() as u8, bytes })
            }
            None => Self(Digits::Long(text.into())),
        }
    }

    /// The number as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Digits::Short { length, bytes } => {
                let text = bytes.get(..usize::from(*length)).unwrap_or_default();
                std::str::from_utf8(text).unwrap_or_default()
            }
            Digits::Long(text) => text,
        }
    }

    /// The nearest double.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        self.as_str().parse().unwrap_or(f64::NAN)
    }

    /// The number, if it is written as an integer and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_str().parse().ok()
    }

    /// Whether it is written with these letters.
    pub(crate) fn is_written(&self, text: &str) -> bool {
        match &self.0 {
            Digits::Short { length, bytes } => bytes.get(..usize::from(*length)) == Some(text.as_bytes()),
            Digits::Long(own) => **own == *text,
        }
    }

    /// Whether it means the same as a JSON number written so.
    pub(crate) fn is_same_as(&self, text: &str) -> bool {
        /// Whole numbers are written in one way only, but for zero.
        fn is_plain(text: &[u8]) -> bool {
            !matches!(text, b"0" | b"-0") && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-'))
        }
        if self.is_written(text) {
            return true;
        }
        let own = match &self.0 {
            Digits::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Digits::Long(own) => own.as_bytes(),
        };
        !(is_plain(own) && is_plain(text.as_bytes())) && same_number(self.as_str(), text)
    }

    /// Whether both are one in memory, or short and written alike.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Digits::Short { length, bytes }, Digits::Short { length: other, bytes: others }) => {
                length == other && bytes == others
            }
            (Digits::Long(text), Digits::Long(other)) => Arc::ptr_eq(text, other),
            _ => false,
        }
    }

    /// What it takes beside its place among other values, in bytes.
    pub(crate) fn own_bytes(&self) -> usize {
        match &self.0 {
            Digits::Short { .. } => 0,
            Digits::Long(text) => 16 + text.len(),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.as_str() == other.as_str() || same_number(self.as_str(), other.as_str())
    }
}

impl Eq for Number {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) {
        let number = Number::from_valid(text);
        assert_eq!(number.as_str(), text);
        assert_eq!(number.own_bytes() > 0, text.len() > SHORT, "{text}");
        assert!(number.is_same(&number.clone()));
    }

    #[test]
    fn a_number_is_told_from_another_by_what_it_means() {
        let all = ["0", "-0", "0.0", "1", "-1", "10", "1e1", "1.0", "12345678901234567890123", "1.5"];
        for (left, right) in all.iter().flat_map(|left| all.map(|right| (*left, right))) {
            let expected = Number::from_valid(left) == Number::from_valid(right);
            assert_eq!(Number::from_valid(left).is_same_as(right), expected, "{left} {right}");
        }
    }

    #[test]
    fn every_letter_is_kept() {
        check("0");
        check("-1.50e+300");
        check("1234567890123456789012");
        check("12345678901234567890123");
        assert_eq!(size_of::<crate::model::Json>(), 24, "as small as without numbers in place");
    }
}
