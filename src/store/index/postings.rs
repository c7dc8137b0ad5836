//! Which events each stream has: its ordinals, in version order.
//!
//! Kept in segments. What is new makes a segment of its own, and small segments are joined, so that an index
//! that grows by a thousand events does not sort millions again.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use crate::store::index::{ints::Ints, partition};

/// A segment is joined with the one before it as soon as that one is no more than so many times as large.
const JOINED_BELOW: usize = 4;

/// The ordinals of all streams.
#[derive(Debug, Clone, Default)]
pub(crate) struct Postings {
    segments: Vec<Arc<Segment>>,
}

/// The ordinals of some events, one stream after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The numbers of its streams, rising; `None` where it has all of them from 0 on.
    pub(super) streams: Option<Vec<u32>>,
    /// Where the ordinals of each of them end.
    pub(super) ends: Vec<u32>,
    pub(super) ordinals: Vec<u32>,
    /// Streams, rising, of which it has all events and not only new ones: their order has changed.
    pub(super) whole: Vec<u32>,
}

impl Postings {
    /// The events of a stream.
    pub(crate) fn of(&self, stream: u32) -> (&[u32], Vec<&[u32]>) {
        let mut found: Vec<&[u32]> = Vec::new();
        for (number, segment) in self.segments.iter().enumerate().rev() {
            let own = segment.of(stream).filter(|own| !own.is_empty());
            let is_whole = segment.whole.binary_search(&stream).is_ok();
            if (number == 0 || is_whole) && found.is_empty() {
                return (own.unwrap_or_default(), Vec::new());
            }
            found.extend(own);
            if is_whole {
                break;
            }
        }
        let first = found.pop().unwrap_or_default();
        found.reverse();
        (first, found)
    }

    /// Adds the events that came, and those of streams whose order has changed, sorted anew.
    pub(crate) fn add(&mut self, segment: Segment, reordered: BTreeMap<u32, Vec<u32>>) {
        if !segment.ordinals.is_empty() {
            self.segments.push(Arc::new(segment));
        }
        if reordered.is_empty() {
            return;
        }
        let mut whole = Segment::default();
        for (stream, ordinals) in reordered {
            whole.ordinals.extend(ordinals);
            whole.ends.push(whole.ordinals.len() as u32);
            whole.streams.get_or_insert_default().push(stream);
            whole.whole.push(stream);
        }
        self.segments.push(Arc::new(whole));
    }

    /// Joins segments that are nearly as large as those before them.
    pub(crate) fn settle(&mut self, streams: usize) {
        let len = |segment: Option<&Arc<Segment>>| segment.map_or(0, |segment| segment.ordinals.len());
        let mut first = self.segments.len();
        let mut joined = 0;
        while let Some(before) = first.checked_sub(1) {
            let own = len(self.segments.get(before));
            if joined > 0 && own > joined * JOINED_BELOW {
                break;
            }
            (first, joined) = (before, joined + own);
        }
        self.join(first, streams);
    }

    /// Joins all segments into one.
    pub(crate) fn settle_whole(&mut self, streams: usize) {
        self.join(0, streams);
    }

    /// Joins the segments from `first` on.
    fn join(&mut self, first: usize, streams: usize) {
        let Some(parts) = self.segments.get(first..).filter(|parts| parts.len() > 1) else { return };
        let joined = if first == 0 {
            let mut joined = joined(parts, (0..streams as u32).collect());
            // The first segment is what all others add to.
            joined.whole.clear();
            Segment { streams: None, ..joined }
        } else {
            let mut numbers: Vec<u32> =
                parts.iter().flat_map(|part| part.streams.iter().flatten().copied()).collect();
            numbers.sort_unstable();
            numbers.dedup();
            joined(parts, numbers)
        };
        self.segments.truncate(first);
        self.segments.push(Arc::new(joined));
    }

    pub(crate) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    pub(crate) fn of_segments(segments: Vec<Arc<Segment>>) -> Self {
        Self { segments }
    }

    pub(crate) fn bytes(&self) -> usize {
        let words = |segment: &Arc<Segment>| {
            segment.ordinals.capacity()
                + segment.ends.capacity()
                + segment.whole.capacity()
                + segment.streams.as_ref().map_or(0, Vec::capacity)
        };
        self.segments.iter().map(words).sum::<usize>() * size_of::<u32>()
    }
}

impl Segment {
    /// Of the ordinals from `start` on, given how many each stream has of them, by rising number, and the stream
    /// of each ordinal from `first` on, which is no greater than `start`.
    pub(crate) fn of_rows<'a>(
        counts: &[(u32, u32)],
        (streams, start, first): (usize, u32, u32),
        columns: impl Iterator<Item = &'a Ints>,
    ) -> Self {
        let is_dense = start == 0 && counts.len() == streams;
        let mut next = vec![0_u32; streams];
        let mut end = 0;
        let mut ends = Vec::with_capacity(counts.len());
        for (stream, count) in counts {
            if let Some(next) = next.get_mut(*stream as usize) {
                *next = end;
            }
            end += count;
            ends.push(end);
        }
        let mut ordinals = vec![0_u32; end as usize];
        let mut ordinal = first;
        for column in columns {
            column.each(|stream| {
                if ordinal >= start
                    && let Some(next) = next.get_mut(stream as usize)
                {
                    if let Some(place) = ordinals.get_mut(*next as usize) {
                        *place = ordinal;
                    }
                    *next += 1;
                }
                ordinal += 1;
            });
        }
        let streams = (!is_dense).then(|| counts.iter().map(|(stream, _)| *stream).collect());
        Self { streams, ends, ordinals, whole: Vec::new() }
    }

    /// The ordinals of a stream; `None` if it has none here.
    pub(super) fn of(&self, stream: u32) -> Option<&[u32]> {
        self.at(match &self.streams {
            Some(streams) => streams.binary_search(&stream).ok()?,
            None => stream as usize,
        })
    }

    /// The same, for streams that are asked for by rising number; `place` is where the last was.
    fn next(&self, stream: u32, place: &mut usize) -> Option<&[u32]> {
        let Some(streams) = &self.streams else { return self.at(stream as usize) };
        while streams.get(*place).is_some_and(|own| *own < stream) {
            *place += 1;
        }
        if streams.get(*place) == Some(&stream) { self.at(*place) } else { None }
    }

    /// The ordinals of its stream at a place.
    fn at(&self, place: usize) -> Option<&[u32]> {
        let start = match place.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.ordinals.get(start as usize..*self.ends.get(place)? as usize)
    }
}

/// One segment of several, with the events of these streams.
fn joined(parts: &[Arc<Segment>], streams: Vec<u32>) -> Segment {
    let mut whole: Vec<u32> = parts.iter().flat_map(|part| part.whole.iter().copied()).collect();
    whole.sort_unstable();
    whole.dedup();
    let mut ordinals = Vec::with_capacity(parts.iter().map(|part| part.ordinals.len()).sum());
    let mut ends = Vec::with_capacity(streams.len());
    let mut places = vec![0; parts.len()];
    for stream in &streams {
        // Behind the last segment that has all events of the stream, whatever was before it is void.
        let has_all = |part: &Arc<Segment>| part.whole.binary_search(stream).is_ok();
        let is_reordered = !whole.is_empty() && whole.binary_search(stream).is_ok();
        let from = if is_reordered { parts.iter().rposition(has_all).unwrap_or_default() } else { 0 };
        for (number, (part, place)) in parts.iter().zip(&mut places).enumerate() {
            if let Some(own) = part.next(*stream, place)
                && number >= from
            {
                ordinals.extend_from_slice(own);
            }
        }
        ends.push(ordinals.len() as u32);
    }
    ordinals.shrink_to_fit();
    Segment { streams: Some(streams), ends, ordinals, whole }
}

/// The ordinals of a stream's events in version order; of equal versions the earlier event is first, and an
/// event without version follows the one recorded before it.
#[derive(Debug, Clone, Default)]
pub struct Ordinals<'a> {
    first: &'a [u32],
    /// What came when the index grew; mostly nothing.
    rest: Vec<&'a [u32]>,
    is_rising: bool,
}

impl<'a> Ordinals<'a> {
    pub(super) fn new((first, rest): (&'a [u32], Vec<&'a [u32]>), is_rising: bool) -> Self {
        Self { first, rest, is_rising }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.first.len() + self.rest.iter().map(|part| part.len()).sum::<usize>()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.rest.is_empty()
    }

    /// The ordinal at a place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&'a u32> {
        if let Some(found) = self.first.get(place) {
            return Some(found);
        }
        let mut place = place - self.first.len();
        for part in &self.rest {
            match part.get(place) {
                Some(found) => return Some(found),
                None => place -= part.len(),
            }
        }
        None
    }

    /// The first.
    #[must_use]
    pub fn first(&self) -> Option<&'a u32> {
        self.get(0)
    }

    /// The last.
    #[must_use]
    pub fn last(&self) -> Option<&'a u32> {
        self.rest.last().unwrap_or(&self.first).last()
    }

    /// All of them.
    #[must_use]
    pub fn iter(&self) -> OrdinalIter<'a> {
        OrdinalIter { next: 0, end: self.len(), of: self.clone() }
    }

    /// Those at the places of a range, as far as there are.
    #[must_use]
    pub fn range(&self, places: Range<usize>) -> OrdinalIter<'a> {
        let end = places.end.min(self.len());
        OrdinalIter { next: places.start.min(end), end, of: self.clone() }
    }

    /// The first place whose ordinal does not hold, where all before it do and none behind it does.
    pub fn partition_point(&self, holds: impl Fn(&u32) -> bool) -> usize {
        partition(self.len(), |place| self.get(place).is_some_and(&holds))
    }

    /// The place of an event in its stream.
    #[must_use]
    pub fn place_of(&self, ordinal: u32) -> Option<usize> {
        if !self.is_rising {
            return self.iter().position(|other| *other == ordinal);
        }
        let place = self.partition_point(|other| *other < ordinal);
        (self.get(place) == Some(&ordinal)).then_some(place)
    }

    /// How many events of the stream count when everything up to `ordinal` does: one more than the place of
    /// the last of them.
    #[must_use]
    pub fn count_until(&self, ordinal: u32) -> usize {
        if !self.is_rising {
            return self.iter().rposition(|other| *other <= ordinal).map_or(0, |place| place + 1);
        }
        self.partition_point(|other| *other <= ordinal)
    }

    /// Copies them.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u32> {
        [&[self.first], self.rest.as_slice()].concat().concat()
    }
}

impl PartialEq<[u32]> for Ordinals<'_> {
    fn eq(&self, other: &[u32]) -> bool {
        self.len() == other.len() && self.iter().eq(other)
    }
}

impl<const N: usize> PartialEq<[u32; N]> for Ordinals<'_> {
    fn eq(&self, other: &[u32; N]) -> bool {
        *self == *other.as_slice()
    }
}

/// Goes along the ordinals of a stream.
#[derive(Debug, Clone)]
pub struct OrdinalIter<'a> {
    of: Ordinals<'a>,
    next: usize,
    end: usize,
}

impl<'a> Iterator for OrdinalIter<'a> {
    type Item = &'a u32;

    fn next(&mut self) -> Option<Self::Item> {
        let place = (self.next < self.end).then_some(self.next)?;
        self.next += 1;
        self.of.get(place)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.next, Some(self.end - self.next))
    }

    fn nth(&mut self, skipped: usize) -> Option<Self::Item> {
        self.next = self.next.saturating_add(skipped).min(self.end);
        self.next()
    }
}

impl DoubleEndedIterator for OrdinalIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let place = self.end.checked_sub(1).filter(|place| *place >= self.next)?;
        self.end = place;
        self.of.get(place)
    }
}

impl ExactSizeIterator for OrdinalIter<'_> {}

impl<'a> IntoIterator for Ordinals<'a> {
    type Item = &'a u32;
    type IntoIter = OrdinalIter<'a>;

    fn into_iter(self) -> OrdinalIter<'a> {
        OrdinalIter { next: 0, end: self.len(), of: self }
    }
}

impl<'a> IntoIterator for &Ordinals<'a> {
    type Item = &'a u32;
    type IntoIter = OrdinalIter<'a>;

    fn into_iter(self) -> OrdinalIter<'a> {
        self.iter()
    }
}
