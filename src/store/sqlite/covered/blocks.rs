//! Entries of the index of streams, brought to the places of their events.
//!
//! That index has them stream by stream, so that two neighbours belong to events far from each other: writing each
//! straight to its event's place waits for memory nearly every time. Each range sorts its own by blocks of events
//! instead, and then one block after the other is filled, which the processor's cache holds as a whole.

use crate::work::{Piece, Work};

/// Slots in a block; in unit tests few, so that they meet the seams.
const BLOCK: usize = if cfg!(test) { 8 } else { 1 << 15 };

/// What stands where no entry was brought.
const UNWRITTEN: u32 = u32::MAX;

/// What an entry says of its event.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    slot: u32,
    /// The number of the stream within its range.
    stream: u32,
    version: i32,
}

/// The entries of a range, sorted by block.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    entries: Vec<Entry>,
    /// Where those of each block end.
    ends: Vec<u32>,
}

impl Blocks {
    /// Sorts entries that come stream by stream: their slots, all below `span`, and their versions, and where
    /// each stream's end.
    pub(super) fn of(
        (slots, versions): (&[u32], &[i32]),
        stream_ends: impl Iterator<Item = u32>,
        span: usize,
    ) -> Self {
        let mut ends = vec![0; span.div_ceil(BLOCK)];
        for slot in slots {
            if let Some(count) = ends.get_mut(*slot as usize / BLOCK) {
                *count += 1;
            }
        }
        let mut next = 0;
        for end in &mut ends {
            next += std::mem::replace(end, next);
        }
        // Each is the beginning of its block now, and moves to its end as the entries come.
        let mut entries = vec![Entry::default(); slots.len()];
        let mut rest = slots.iter().zip(versions);
        let mut start = 0;
        for (stream, end) in (0_u32..).zip(stream_ends) {
            for (slot, version) in rest.by_ref().take((end - start) as usize) {
                let Some(place) = ends.get_mut(*slot as usize / BLOCK) else { continue };
                if let Some(entry) = entries.get_mut(*place as usize) {
                    *entry = Entry { slot: *slot, stream, version: *version };
                }
                *place += 1;
            }
            start = end;
        }
        Self { entries, ends }
    }

    fn of_block(&self, block: usize) -> &[Entry] {
        let start = block.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(block).copied().unwrap_or_default();
        self.entries.get(start.unwrap_or_default() as usize..end as usize).unwrap_or_default()
    }
}

/// The events in global order, as the entries of all ranges tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) streams: Vec<u32>,
    pub(super) versions: Vec<i32>,
    /// Where not every slot is an event.
    pub(super) holes: Option<Holes>,
}

/// Which of the slots are events.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Holes {
    /// The slot of each event.
    pub(super) slots: Vec<u32>,
    /// For each slot how many events lie before it.
    pub(super) ranks: Vec<u32>,
}

/// What one block fills.
struct Part<'p> {
    streams: &'p mut [u32],
    versions: &'p mut [i32],
    /// Empty where there are no holes.
    slots: &'p mut [u32],
    ranks: &'p mut [u32],
}

/// Brings the entries of all ranges to their places, block by block on the lanes of `work`. Each range comes with
/// what its streams are numbered. Nothing if two entries are of one event, or nobody wants it any more.
pub(super) fn place(ranges: &[(&Blocks, &[u32])], span: usize, work: &Work) -> Option<Placed> {
    let count = ranges.iter().map(|(blocks, _)| blocks.entries.len()).sum::<usize>();
    if count > span {
        return None;
    }
    let mut placed = Placed { streams: vec![0; count], versions: vec![0; count], holes: None };
    let mut holes = Holes::default();
    if count < span {
        holes = Holes { slots: vec![0; count], ranks: vec![0; span] };
    }
    let mut done = vec![false; span.div_ceil(BLOCK)];
    let (mut streams, mut versions) = (placed.streams.as_mut_slice(), placed.versions.as_mut_slice());
    let (mut slots, mut ranks) = (holes.slots.as_mut_slice(), holes.ranks.as_mut_slice());
    let mut first = 0;
    let mut pieces: Vec<Piece<'_>> = Vec::with_capacity(done.len());
    for (block, done) in done.iter_mut().enumerate() {
        let own = ranges.iter().map(|(blocks, _)| blocks.of_block(block).len()).sum();
        let part = Part {
            streams: streams.split_off_mut(..own)?,
            versions: versions.split_off_mut(..own)?,
            slots: slots.split_off_mut(..own.min(slots.len()))?,
            ranks: ranks.split_off_mut(..BLOCK.min(ranks.len()))?,
        };
        pieces.push(Box::new(move || {
            *done = work.advance(0).is_ok() && fill(ranges, block, part, first).is_some();
        }));
        first += own as u32;
    }
    work.run(pieces);
    placed.holes = (count < span).then_some(holes);
    done.iter().all(|done| *done).then_some(placed)
}

/// Fills one block, before which there are so many events; nothing if two entries are of one event.
fn fill(ranges: &[(&Blocks, &[u32])], block: usize, part: Part<'_>, first: u32) -> Option<()> {
    let mut room = vec![(UNWRITTEN, 0); BLOCK];
    for (blocks, numbers) in ranges {
        for entry in blocks.of_block(block) {
            let place = room.get_mut(entry.slot as usize % BLOCK)?;
            if place.0 != UNWRITTEN {
                return None;
            }
            *place = (*numbers.get(entry.stream as usize)?, entry.version);
        }
    }
    let mut events = part.streams.iter_mut().zip(part.versions);
    let mut slots = part.slots.iter_mut();
    let written = room.into_iter().zip(0_u32..).filter(|((stream, _), _)| *stream != UNWRITTEN);
    for ((own, slot), rank) in written.zip(first..) {
        let (stream, version) = events.next()?;
        (*stream, *version) = own;
        if let (Some(event), Some(place)) = (slots.next(), part.ranks.get_mut(slot as usize)) {
            *event = (block * BLOCK) as u32 + slot;
            *place = rank;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocks of entries that are spelled out as streams with their slots and versions.
    fn blocks(streams: &[&[(u32, i32)]], span: usize) -> Blocks {
        let (slots, versions): (Vec<u32>, Vec<i32>) = streams.concat().into_iter().unzip();
        let mut end = 0;
        let ends = streams.iter().map(|stream| {
            end += stream.len() as u32;
            end
        });
        Blocks::of((&slots, &versions), ends, span)
    }

    #[test]
    fn entries_come_to_their_places_across_blocks_and_ranges() {
        let first = blocks(&[&[(1, 10), (9, 11), (17, 12)], &[(0, 5)]], 18);
        let second = blocks(&[&[(16, 7), (8, 8)]], 18);
        let ranges: [(&Blocks, &[u32]); 2] = [(&first, &[1, 0]), (&second, &[2])];
        let placed = place(&ranges, 18, &Work::default());
        let holes = Holes {
            slots: vec![0, 1, 8, 9, 16, 17],
            ranks: vec![0, 1, 0, 0, 0, 0, 0, 0, 2, 3, 0, 0, 0, 0, 0, 0, 4, 5],
        };
        let (streams, versions) = (vec![0, 1, 2, 1, 2, 1], vec![5, 10, 8, 11, 7, 12]);
        assert_eq!(placed, Some(Placed { streams, versions, holes: Some(holes) }));
    }

    #[test]
    fn without_holes_there_are_none() {
        let whole: Vec<(u32, i32)> = (0..19).rev().map(|slot| (slot, 0)).collect();
        let blocks = blocks(&[&whole], 19);
        let placed = place(&[(&blocks, &[0])], 19, &Work::default());
        assert_eq!(placed, Some(Placed { streams: vec![0; 19], versions: vec![0; 19], holes: None }));
    }

    #[test]
    fn two_entries_of_one_event_are_nothing_to_believe() {
        let twice = blocks(&[&[(1, 0)], &[(1, 1)]], 2);
        assert_eq!(place(&[(&twice, &[0, 1])], 2, &Work::default()), None);
    }

    #[test]
    fn nothing_is_placed_once_nobody_wants_it() {
        let one = blocks(&[&[(0, 0)]], 1);
        let work = Work::default();
        work.cancel();
        assert_eq!(place(&[(&one, &[0])], 1, &work), None);
    }
}
