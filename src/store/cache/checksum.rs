//! The checksum of cache files.

/// Where the four lanes begin.
const SEEDS: [u64; 4] =
    [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89];

/// Odd, so that a multiplication by it loses nothing.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// 64 bits that tell damaged bytes from whole ones.
///
/// Written down exactly, since files hold it: words of eight bytes, little-endian, go to four lanes in
/// turn, each lane taking one by `lane = rotate((lane ^ word) * FACTOR, 29)`; the last block of 32 bytes is
/// filled up with zeros, and an empty rest makes none. Then the length and the lanes in their order are
/// mixed into one. Every step can be undone, so any damage within one word is noticed for certain, and any
/// other with a chance of 1 in 2⁶⁴ to slip through. It is no defence against somebody who wants to deceive.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    let mut lanes = SEEDS;
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        take(&mut lanes, block);
    }
    if !rest.is_empty() {
        let mut last = [0; 32];
        last.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
        take(&mut lanes, &last);
    }
    lanes.into_iter().fold(mix(bytes.len() as u64), |mixed, lane| mix(mixed ^ lane))
}

fn take(lanes: &mut [u64; 4], block: &[u8; 32]) {
    let (words, _) = block.as_chunks::<8>();
    for (lane, word) in lanes.iter_mut().zip(words) {
        *lane = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR).rotate_left(29);
    }
}

/// Spreads every bit over all others; the finish of the generator `splitmix64`.
pub(super) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::checksum;

    fn check(bytes: &[u8], expected: u64) {
        assert_eq!(checksum(bytes), expected, "{bytes:?}: {:#018x}", checksum(bytes));
    }

    #[test]
    fn it_stays_what_files_hold() {
        check(b"", 0x22a6_1ba7_f80f_5303);
        check(b"timeglass", 0xea03_6887_8695_75e6);
        check(&[7; 100], 0x3985_800e_0b03_77fb);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes: Vec<u8> = (0..100_u8).collect();
        let whole = checksum(&bytes);
        for bit in 0..800 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(checksum(&damaged), whole, "bit {bit}");
        }
        for length in 0..100 {
            assert_ne!(checksum(&bytes[..length]), whole, "{length} bytes");
        }
        assert_ne!(checksum(&[0; 31]), checksum(&[0; 32]), "the length counts");
    }
}
