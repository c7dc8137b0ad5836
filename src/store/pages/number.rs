//! Numbers as SQLite's pages hold them.

/// Two bytes, the high one first.
pub(super) fn two(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.first_chunk::<2>().map(|two| usize::from(u16::from_be_bytes(*two)))
}

/// Four bytes, the high one first.
pub(super) fn four(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|four| u32::from_be_bytes(*four))
}

/// A number of one to nine bytes, and what follows it; nothing if the bytes end within it.
#[inline]
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((u64::from(*first), rest));
    }
    let (second, after) = rest.split_first()?;
    if *second < 0x80 {
        return Some(((u64::from(first & 0x7f) << 7) | u64::from(*second), after));
    }
    longer(bytes)
}

#[cold]
#[inline(never)]
fn longer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    let mut rest = bytes;
    for place in 0..9 {
        let (byte, behind) = rest.split_first()?;
        rest = behind;
        if place == 8 {
            return Some(((number << 8) | u64::from(*byte), rest));
        }
        number = (number << 7) | u64::from(byte & 0x7f);
        if *byte < 0x80 {
            break;
        }
    }
    Some((number, rest))
}

/// A signed number of as many bytes as SQLite writes for one, the high one first; 0 for any other count.
#[inline]
pub(super) fn signed(bytes: &[u8]) -> i64 {
    match *bytes {
        [a] => i64::from(i8::from_be_bytes([a])),
        [a, b] => i64::from(i16::from_be_bytes([a, b])),
        [a, b, c] => i64::from(i32::from_be_bytes([a, b, c, 0]) >> 8),
        [a, b, c, d] => i64::from(i32::from_be_bytes([a, b, c, d])),
        [a, b, c, d, e, f] => i64::from_be_bytes([a, b, c, d, e, f, 0, 0]) >> 16,
        [a, b, c, d, e, f, g, h] => i64::from_be_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Option<(u64, usize)>) {
        assert_eq!(varint(bytes).map(|(number, rest)| (number, rest.len())), expected, "{bytes:?}");
    }

    #[test]
    fn numbers_of_any_length_are_read() {
        check(&[], None);
        check(&[5, 9], Some((5, 1)));
        check(&[0x81], None);
        check(&[0x81, 0x00], Some((128, 0)));
        check(&[0x81, 0x80, 0x01, 7], Some((16_385, 1)));
        check(&[0xff; 9], Some((u64::MAX, 0)));
        check(&[0xff; 8], None);
        check(&[0x80, 0x80, 0x80, 0x05], Some((5, 0)));
    }

    #[test]
    fn signs_are_kept() {
        assert_eq!(signed(&[]), 0);
        assert_eq!(signed(&[0xff]), -1);
        assert_eq!(signed(&[0x80, 0x00]), -32_768);
        assert_eq!(signed(&[0x01, 0x00, 0x00]), 65_536);
        assert_eq!(signed(&[0xff, 0xff, 0x00]), -256);
        assert_eq!(signed(&[0x80, 0x00, 0x00, 0x00]), i64::from(i32::MIN));
        assert_eq!(signed(&[0x00, 0x00, 0x00, 0x00, 0x01, 0x02]), 258);
        assert_eq!(signed(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]), -2);
        assert_eq!(signed(&i64::MIN.to_be_bytes()), i64::MIN);
    }
}
