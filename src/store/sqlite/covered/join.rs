//! From what lanes wrote down to columns by ordinal.

use std::sync::{
    Arc, PoisonError,
    atomic::{AtomicI64, AtomicU8, AtomicU16, Ordering::Relaxed},
};

use crate::{
    model::StreamName,
    store::{
        covered::{Covered, CoveredDigits, CoveredKeys, CoveredTimes},
        sqlite::covered::{
            blocks::{Blocks, Holes, place},
            choice::Needs,
            gather::{End, Found, NO_TIME_YET, Slots, rises},
        },
    },
    work::Work,
};

/// Puts everything together, side by side where there are lanes; nothing if the indexes do not agree with each
/// other.
pub(super) fn join(found: &[Found], slots: Slots, needs: &Needs, work: &Work) -> Option<Covered> {
    let streams = Streams::of(found)?;
    let numbers = streams.numbers();
    let ranges: Vec<(&Blocks, &[u32])> = found
        .iter()
        .zip(&streams.bases)
        .map(|(found, base)| (&found.blocks, numbers.get(*base as usize..).unwrap_or_default()))
        .collect();
    let placed = place(&ranges, slots.span, work)?;
    let (count, holes) = (placed.streams.len(), placed.holes.as_ref());
    let Slots { first, types, times, digits, type_names, .. } = slots;
    let (mut posted, mut typed, mut timed) = (None, None, None);
    work.run(vec![
        Box::new(|| posted = Some(Postings::of(found, &streams, (holes, count)))),
        Box::new(|| {
            let met = type_names.into_inner().unwrap_or_else(PoisonError::into_inner).names;
            typed = number_types(&types, &met, holes);
        }),
        Box::new(|| timed = with_digits(times, &digits, holes)),
    ]);
    let keys = match &placed.holes {
        None => CoveredKeys::Dense { first, count: count as u32 },
        Some(Holes { slots, .. }) => {
            let start = slots.first().copied().unwrap_or_default();
            let distances = slots.iter().map(|slot| slot - start).collect();
            CoveredKeys::Sparse { first: first + i64::from(start), distances }
        }
    };
    let Postings { ordinals, ends } = posted?;
    let (types, type_names) = match needs.event_type {
        None => (None, Vec::new()),
        Some(_) => typed.map(|(types, names)| (Some(types), names))?,
    };
    let times = match needs.time {
        None => None,
        Some(_) => Some(timed?),
    };
    Some(Covered {
        keys,
        has_positions: needs.has_positions,
        streams: placed.streams,
        stream_names: streams.in_order().map(|stream| Arc::clone(&stream.name)).collect(),
        versions: needs.version.is_some().then_some(placed.versions),
        types,
        type_names,
        times,
        postings: ordinals,
        posting_ends: ends,
    })
}

/// All streams, and their entries in all ranges one behind the other.
struct Streams {
    /// In the order of the index.
    all: Vec<Stream>,
    /// Their places in `all` in the order of their first events, which is how they are numbered.
    order: Vec<u32>,
    /// The place of each range's first stream in `all`.
    bases: Vec<u32>,
}

struct Stream {
    name: Arc<StreamName>,
    /// Where its entries begin and end.
    start: u32,
    end: u32,
    /// The slot of its first event.
    first: u32,
}

impl Streams {
    fn of(found: &[Found]) -> Option<Self> {
        let mut streams = Self { all: Vec::new(), order: Vec::new(), bases: Vec::new() };
        let mut last: Option<(&End, Option<&u32>)> = None;
        let mut before = 0;
        for found in found {
            let Some([first, end]) = &found.ends else {
                streams.bases.push(0);
                continue;
            };
            // A stream may go on from one range into the next.
            let goes_on = match last {
                None => false,
                Some((last, slot)) if last.head == first.head => {
                    if (first.version, found.postings.first()) < (last.version, slot) {
                        return None;
                    }
                    true
                }
                Some((last, _)) if rises(&last.head, &first.head) => false,
                Some(_) => return None,
            };
            last = Some((end, found.postings.last()));
            let begun = if goes_on { streams.all.pop() } else { None };
            streams.bases.push(streams.all.len() as u32);
            let mut start = before;
            streams.all.extend(found.streams.iter().map(|stream| {
                let (name, first, end) = (Arc::clone(&stream.name), stream.first, before + stream.end);
                Stream { name, start: std::mem::replace(&mut start, end), end, first }
            }));
            if let (Some(begun), Some(own)) = (begun, streams.all.get_mut(*streams.bases.last()? as usize)) {
                (own.start, own.first) = (begun.start, own.first.min(begun.first));
            }
            before += found.postings.len() as u32;
        }
        streams.order = (0..streams.all.len() as u32).collect();
        let first = |place: &u32| streams.all.get(*place as usize).map(|stream| stream.first);
        streams.order.sort_unstable_by_key(first);
        Some(streams)
    }

    fn in_order(&self) -> impl Iterator<Item = &Stream> {
        self.order.iter().filter_map(|place| self.all.get(*place as usize))
    }

    /// The number of each stream, by its place in the order of the index.
    fn numbers(&self) -> Vec<u32> {
        let mut numbers = vec![0; self.all.len()];
        for (place, number) in self.order.iter().zip(0..) {
            if let Some(own) = numbers.get_mut(*place as usize) {
                *own = number;
            }
        }
        numbers
    }
}

/// The ordinals of all streams, one stream after the other in the order of their numbers, and where each ends.
struct Postings {
    ordinals: Vec<u32>,
    ends: Vec<u32>,
}

impl Postings {
    fn of(found: &[Found], streams: &Streams, (holes, count): (Option<&Holes>, usize)) -> Self {
        let (mut ordinals, mut ends) = (Vec::new(), Vec::new());
        ordinals.reserve_exact(count);
        ends.reserve_exact(streams.all.len());
        let mut starts: Vec<u32> = Vec::with_capacity(found.len());
        let mut next = 0;
        for found in found {
            starts.push(next);
            next += found.postings.len() as u32;
        }
        for Stream { start, end, .. } in streams.in_order() {
            let mut start = *start;
            // Mostly one range; a stream that goes on over several is taken together.
            let mut range = starts.partition_point(|first| *first <= start).saturating_sub(1);
            while start < *end {
                let (Some(found), Some(first)) = (found.get(range), starts.get(range)) else { break };
                let (from, to) = ((start - first) as usize, (end - first) as usize);
                let to = to.min(found.postings.len());
                ordinals.extend_from_slice(found.postings.get(from..to).unwrap_or_default());
                start = first + to as u32;
                range += 1;
            }
            ends.push(ordinals.len() as u32);
        }
        if let Some(holes) = holes {
            for slot in &mut ordinals {
                *slot = holes.ranks.get(*slot as usize).copied().unwrap_or_default();
            }
        }
        Self { ordinals, ends }
    }
}

/// The slots of events, in global order.
fn events(slots: usize, holes: Option<&Holes>) -> impl Iterator<Item = usize> {
    let (dense, sparse) = match holes {
        None => (0..slots, [].as_slice()),
        Some(holes) => (0..0, holes.slots.as_slice()),
    };
    dense.chain(sparse.iter().map(|slot| *slot as usize))
}

/// Types by ordinal, numbered anew as well, and their names; nothing if an event has none yet.
fn number_types(
    types: &[AtomicU16],
    met: &[Arc<str>],
    holes: Option<&Holes>,
) -> Option<(Vec<u16>, Vec<Arc<str>>)> {
    let mut numbers = vec![u16::MAX; met.len()];
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut column = Vec::new();
    column.reserve_exact(holes.map_or(types.len(), |holes| holes.slots.len()));
    for slot in events(types.len(), holes) {
        let own = usize::from(types.get(slot)?.load(Relaxed));
        let number = numbers.get_mut(own)?;
        if *number == u16::MAX {
            *number = names.len() as u16;
            names.extend(met.get(own).cloned());
        }
        column.push(*number);
    }
    Some((column, names))
}

/// Times by ordinal; nothing if an event has none yet.
fn with_digits(times: Vec<AtomicI64>, digits: &[AtomicU8], holes: Option<&Holes>) -> Option<CoveredTimes> {
    let span = times.len();
    let time = |slot: usize| times.get(slot).map_or(NO_TIME_YET, |time| time.load(Relaxed));
    let digits = |slot: usize| digits.get(slot).map_or(0, |digits| digits.load(Relaxed));
    if events(span, holes).any(|slot| time(slot) == NO_TIME_YET) {
        return None;
    }
    let mut dated = events(span, holes).filter(|slot| time(*slot) != CoveredTimes::MISSING).map(digits);
    let first = dated.next().unwrap_or_default();
    let digits = if dated.all(|digits| digits == first) {
        CoveredDigits::Same(first)
    } else {
        CoveredDigits::Each(events(span, holes).map(digits).collect())
    };
    let nanos = match holes {
        None => times.into_iter().map(AtomicI64::into_inner).collect(),
        Some(_) => events(span, holes).map(time).collect(),
    };
    Some(CoveredTimes { nanos, digits })
}
