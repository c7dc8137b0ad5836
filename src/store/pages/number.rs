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
    match bytes.len() {
        1..=4 => i64::from(i32::from_be_bytes(in_front(bytes)) >> (32 - 8 * bytes.len())),
        6 | 8 => i64::from_be_bytes(in_front(bytes)) >> (64 - 8 * bytes.len()),
        _ => 0,
    }
}

/// So many bytes, the first of them these.
#[inline]
fn in_front<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    all.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    all
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
