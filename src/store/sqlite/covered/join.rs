//! From what lanes wrote down to columns by ordinal.

use std::sync::{
    Arc, PoisonError,
    atomic::{AtomicI64, AtomicU8, AtomicU16, AtomicU64, Ordering::Relaxed},
};

use crate::{
    model::StreamName,
    store::{
        covered::{Covered, CoveredDigits, CoveredKeys, CoveredTimes},
        sqlite::covered::{
            choice::Needs,
            gather::{End, Found, Slots, UNWRITTEN, rises},
        },
    },
    work::Work,
};

const UNNUMBERED: u32 = u32::MAX;

/// Streams in the order of the index: their names, and their entries in all ranges one behind the other.
struct Streams {
    names: Vec<Arc<StreamName>>,
    ends: Vec<u32>,
    /// The number of each range's first stream.
    bases: Vec<u32>,
}

/// Puts everything together; nothing if the indexes do not agree with each other.
pub(super) fn join(found: Vec<Found>, slots: Slots, needs: &Needs, work: &Work) -> Option<Covered> {
    let count = found.iter().map(|found| found.postings.len()).sum::<usize>();
    let streams = Streams::of(&found)?;
    let written = |slot: usize| slots.pairs.get(slot).is_some_and(|pair| pair.load(Relaxed) != UNWRITTEN);
    // As many entries as slots that were written: none was written twice.
    let ranks = if count == slots.pairs.len() && (0..count).all(written) {
        None
    } else {
        let distances: Vec<u32> =
            (0..slots.pairs.len()).filter(|slot| written(*slot)).map(|slot| slot as u32).collect();
        if distances.len() != count {
            return None;
        }
        Some(Ranks::of(distances, slots.pairs.len()))
    };
    let is_whole = match &ranks {
        None => (0..count).all(|slot| slots.is_whole(slot)),
        Some(ranks) => ranks.distances.iter().all(|slot| slots.is_whole(*slot as usize)),
    };
    is_whole.then(|| assemble(found, slots, (needs, work), (streams, ranks, count)))
}

/// Which of the slots are events, and how many lie before each.
struct Ranks {
    distances: Vec<u32>,
    ranks: Vec<u32>,
}

impl Ranks {
    fn of(distances: Vec<u32>, span: usize) -> Self {
        let mut ranks = vec![0; span];
        for (rank, slot) in (0_u32..).zip(&distances) {
            if let Some(place) = ranks.get_mut(*slot as usize) {
                *place = rank;
            }
        }
        Self { distances, ranks }
    }
}

impl Streams {
    fn of(found: &[Found]) -> Option<Self> {
        let mut streams = Self { names: Vec::new(), ends: Vec::new(), bases: Vec::new() };
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
            if goes_on {
                streams.ends.pop();
            }
            streams.bases.push(streams.ends.len() as u32);
            let new = found.streams.iter().skip(usize::from(goes_on)).map(|(name, _)| Arc::clone(name));
            streams.names.extend(new);
            streams.ends.extend(found.streams.iter().map(|(_, end)| before + end));
            before += found.postings.len() as u32;
        }
        Some(streams)
    }

    /// The number of a stream in the order of the index, from the mark that its range gave it.
    fn number(&self, mark: u32) -> u32 {
        self.bases.get((mark >> 24) as usize).copied().unwrap_or_default() + (mark & 0x00ff_ffff)
    }
}

/// The columns are made side by side where there are lanes.
fn assemble(
    found: Vec<Found>,
    slots: Slots,
    (needs, work): (&Needs, &Work),
    (streams, ranks, count): (Streams, Option<Ranks>, usize),
) -> Covered {
    let ranks = ranks.as_ref();
    let keys = match ranks {
        None => CoveredKeys::Dense { first: slots.first, count: count as u32 },
        Some(ranks) => {
            let start = ranks.distances.first().copied().unwrap_or_default();
            let distances = ranks.distances.iter().map(|distance| distance - start).collect();
            CoveredKeys::Sparse { first: slots.first + i64::from(start), distances }
        }
    };
    let Slots { pairs, types, times, digits, type_names, .. } = slots;
    let (mut numbered, mut typed, mut timed) = (None, None, None);
    work.run(vec![
        Box::new(|| numbered = Some(number(found, pairs, &streams, (needs, ranks, count)))),
        Box::new(|| {
            let met = type_names.into_inner().unwrap_or_else(PoisonError::into_inner).names;
            typed = needs.event_type.is_some().then(|| number_types(&types, &met, ranks));
        }),
        Box::new(|| timed = needs.time.is_some().then(|| with_digits(times, &digits, ranks))),
    ]);
    let Numbered { column, versions, order, postings, posting_ends } = numbered.unwrap_or_default();
    let (types, type_names) = typed.map_or((None, Vec::new()), |(types, names)| (Some(types), names));
    Covered {
        keys,
        has_positions: needs.has_positions,
        streams: column,
        stream_names: order.iter().filter_map(|own| streams.names.get(*own as usize).cloned()).collect(),
        versions,
        types,
        type_names,
        times: timed,
        postings,
        posting_ends,
    }
}

/// Streams by ordinal, and ordinals by stream.
#[derive(Default)]
struct Numbered {
    column: Vec<u32>,
    versions: Option<Vec<i32>>,
    /// The streams of the index in the order of their new numbers.
    order: Vec<u32>,
    postings: Vec<u32>,
    posting_ends: Vec<u32>,
}

/// Numbers streams anew, in the order of their first events.
fn number(
    found: Vec<Found>,
    pairs: Vec<AtomicU64>,
    streams: &Streams,
    (needs, ranks, count): (&Needs, Option<&Ranks>, usize),
) -> Numbered {
    let mut numbers = vec![UNNUMBERED; streams.names.len()];
    let mut numbered = Numbered { order: Vec::with_capacity(numbers.len()), ..Numbered::default() };
    let mut versions = needs.version.is_some().then(|| Vec::with_capacity(count));
    numbered.column.reserve_exact(count);
    for pair in pairs.into_iter().map(AtomicU64::into_inner).filter(|pair| *pair != UNWRITTEN) {
        let own = streams.number((pair >> 32) as u32);
        let Some(number) = numbers.get_mut(own as usize) else { continue };
        if *number == UNNUMBERED {
            *number = numbered.order.len() as u32;
            numbered.order.push(own);
        }
        numbered.column.push(*number);
        if let Some(versions) = &mut versions {
            versions.push(pair as u32 as i32);
        }
    }
    numbered.versions = versions;
    numbered.sort(found, streams, (ranks, count));
    numbered
}

impl Numbered {
    /// Puts the ordinals of all streams into the order of their new numbers.
    fn sort(&mut self, found: Vec<Found>, streams: &Streams, (ranks, count): (Option<&Ranks>, usize)) {
        self.postings.reserve_exact(count);
        self.posting_ends.reserve_exact(self.order.len());
        let mut starts: Vec<u32> = Vec::with_capacity(found.len());
        let mut next = 0;
        for found in &found {
            starts.push(next);
            next += found.postings.len() as u32;
        }
        for own in &self.order {
            let own = *own as usize;
            let before = own.checked_sub(1).and_then(|before| streams.ends.get(before));
            let mut start = before.copied().unwrap_or_default();
            let end = streams.ends.get(own).copied().unwrap_or_default();
            // Mostly one range; a stream that goes on over several is taken together.
            let mut range = starts.partition_point(|first| *first <= start).saturating_sub(1);
            while start < end {
                let (Some(found), Some(first)) = (found.get(range), starts.get(range)) else { break };
                let (from, to) = ((start - first) as usize, (end - first) as usize);
                let to = to.min(found.postings.len());
                self.postings.extend_from_slice(found.postings.get(from..to).unwrap_or_default());
                start = first + to as u32;
                range += 1;
            }
            self.posting_ends.push(self.postings.len() as u32);
        }
        drop(found);
        if let Some(ranks) = ranks {
            for slot in &mut self.postings {
                *slot = ranks.ranks.get(*slot as usize).copied().unwrap_or_default();
            }
        }
    }
}

/// The slots of events, in global order.
fn events(slots: usize, ranks: Option<&Ranks>) -> impl Iterator<Item = usize> {
    let (dense, sparse) = match ranks {
        None => (0..slots, [].as_slice()),
        Some(ranks) => (0..0, ranks.distances.as_slice()),
    };
    dense.chain(sparse.iter().map(|slot| *slot as usize))
}

/// Types by ordinal, numbered anew as well, and their names.
fn number_types(types: &[AtomicU16], met: &[Arc<str>], ranks: Option<&Ranks>) -> (Vec<u16>, Vec<Arc<str>>) {
    let mut numbers = vec![u16::MAX; met.len()];
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut column = Vec::new();
    column.reserve_exact(ranks.map_or(types.len(), |ranks| ranks.distances.len()));
    for slot in events(types.len(), ranks) {
        let own = types.get(slot).map_or(u16::MAX, |own| own.load(Relaxed));
        let Some(number) = numbers.get_mut(usize::from(own)) else { continue };
        if *number == u16::MAX {
            *number = names.len() as u16;
            names.extend(met.get(usize::from(own)).cloned());
        }
        column.push(*number);
    }
    (column, names)
}

/// Times by ordinal.
fn with_digits(times: Vec<AtomicI64>, digits: &[AtomicU8], ranks: Option<&Ranks>) -> CoveredTimes {
    let span = times.len();
    let time = |slot: usize| times.get(slot).map_or(CoveredTimes::MISSING, |time| time.load(Relaxed));
    let digits = |slot: usize| digits.get(slot).map_or(0, |digits| digits.load(Relaxed));
    let mut dated = events(span, ranks).filter(|slot| time(*slot) != CoveredTimes::MISSING).map(digits);
    let first = dated.next().unwrap_or_default();
    let digits = if dated.all(|digits| digits == first) {
        CoveredDigits::Same(first)
    } else {
        CoveredDigits::Each(events(span, ranks).map(digits).collect())
    };
    let nanos = match ranks {
        None => times.into_iter().map(AtomicI64::into_inner).collect(),
        Some(_) => events(span, ranks).map(time).collect(),
    };
    CoveredTimes { nanos, digits }
}
