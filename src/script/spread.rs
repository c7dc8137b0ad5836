//! Numbers that spread names and keys over places; no more is needed of them.

/// A number for what was met before, and this word behind it.
#[inline]
pub(crate) fn mixed(before: u64, word: u64) -> u64 {
    (before.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// The place of a mixed number among so many: its upper half depends on all of it.
#[inline]
pub(crate) fn place_of(mixed: u64, places: usize) -> usize {
    (mixed >> 32) as usize % places
}

/// A mixed number for a name, eight bytes at a time.
#[inline]
pub(crate) fn mixed_name(name: &[u8]) -> u64 {
    let word = |part: &[u8]| match part.first_chunk() {
        Some(whole) => u64::from_le_bytes(*whole),
        None => part.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    name.chunks(size_of::<u64>()).fold(name.len() as u64, |before, part| mixed(before, word(part)))
}
