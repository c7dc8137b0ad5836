//! From what lanes wrote down to columns by ordinal.

use std::sync::{Arc, PoisonError, atomic::Ordering::Relaxed};

use crate::{
    model::StreamName,
    store::{
        covered::{Covered, CoveredDigits, CoveredKeys, CoveredTimes},
        sqlite::covered::{
            choice::Needs,
            gather::{End, Found, Slots, UNWRITTEN, rises},
        },
    },
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
pub(super) fn join(found: Vec<Found>, slots: Slots, needs: &Needs) -> Option<Covered> {
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
    is_whole.then(|| assemble(found, slots, needs, (streams, ranks, count)))
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
        let mut last: Option<&End> = None;
        let mut before = 0;
        for found in found {
            let Some([first, end]) = &found.ends else {
                streams.bases.push(0);
                continue;
            };
            // A stream may go on from one range into the next.
            let goes_on = match last {
                None => false,
                Some(last) if *last == *first => true,
                Some(last) if last.head == first.head => {
                    if first.version < last.version {
                        return None;
                    }
                    true
                }
                Some(last) if rises(&last.head, &first.head) => false,
                Some(_) => return None,
            };
            last = Some(end);
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

fn assemble(
    found: Vec<Found>,
    slots: Slots,
    needs: &Needs,
    (streams, ranks, count): (Streams, Option<Ranks>, usize),
) -> Covered {
    let keys = match &ranks {
        None => CoveredKeys::Dense { first: slots.first, count: count as u32 },
        Some(ranks) => {
            // A table may begin behind the first slot if its first rows went meanwhile; it did not.
            let start = ranks.distances.first().copied().unwrap_or_default();
            let distances = ranks.distances.iter().map(|distance| distance - start).collect();
            CoveredKeys::Sparse { first: slots.first + i64::from(start), distances }
        }
    };
    // Streams are numbered anew, in the order of their first events.
    let mut numbers = vec![UNNUMBERED; streams.names.len()];
    let mut order: Vec<u32> = Vec::with_capacity(streams.names.len());
    let mut versions = Vec::with_capacity(if needs.version.is_some() { count } else { 0 });
    let mut column = Vec::with_capacity(count);
    for pair in slots.pairs.iter().map(|pair| pair.load(Relaxed)).filter(|pair| *pair != UNWRITTEN) {
        let own = streams.number((pair >> 32) as u32);
        let Some(number) = numbers.get_mut(own as usize) else { continue };
        if *number == UNNUMBERED {
            *number = order.len() as u32;
            order.push(own);
        }
        column.push(*number);
        if needs.version.is_some() {
            versions.push(pair as u32 as i32);
        }
    }
    let (postings, posting_ends) = postings(found, &streams, &order, ranks.as_ref());
    let (types, type_names) = types(&slots, needs, ranks.as_ref());
    Covered {
        keys,
        has_positions: needs.has_positions,
        streams: column,
        stream_names: order.iter().filter_map(|own| streams.names.get(*own as usize).cloned()).collect(),
        versions: needs.version.is_some().then_some(versions),
        types,
        type_names,
        times: needs.time.is_some().then(|| times(slots, ranks.as_ref())),
        postings,
        posting_ends,
    }
}

/// The ordinals of all streams in the order of their new numbers.
fn postings(
    found: Vec<Found>,
    streams: &Streams,
    order: &[u32],
    ranks: Option<&Ranks>,
) -> (Vec<u32>, Vec<u32>) {
    let count = found.iter().map(|found| found.postings.len()).sum();
    let mut all: Vec<u32> = Vec::with_capacity(count);
    for found in found {
        all.extend(found.postings);
    }
    if let Some(ranks) = ranks {
        for slot in &mut all {
            *slot = ranks.ranks.get(*slot as usize).copied().unwrap_or_default();
        }
    }
    let mut postings = Vec::with_capacity(count);
    let mut ends = Vec::with_capacity(order.len());
    for own in order {
        let own = *own as usize;
        let start =
            own.checked_sub(1).and_then(|before| streams.ends.get(before)).copied().unwrap_or_default();
        let end = streams.ends.get(own).copied().unwrap_or_default();
        postings.extend_from_slice(all.get(start as usize..end as usize).unwrap_or_default());
        ends.push(postings.len() as u32);
    }
    (postings, ends)
}

/// The slots of events, in global order.
fn events(slots: usize, ranks: Option<&Ranks>) -> impl Iterator<Item = usize> {
    let (dense, sparse) = match ranks {
        None => (0..slots, [].as_slice()),
        Some(ranks) => (0..0, ranks.distances.as_slice()),
    };
    dense.chain(sparse.iter().map(|slot| *slot as usize))
}

/// Types are numbered anew as well.
fn types(slots: &Slots, needs: &Needs, ranks: Option<&Ranks>) -> (Option<Vec<u16>>, Vec<Arc<str>>) {
    if needs.event_type.is_none() {
        return (None, Vec::new());
    }
    let met = slots.type_names.lock().unwrap_or_else(PoisonError::into_inner);
    let mut numbers = vec![u16::MAX; met.names.len()];
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut column = Vec::new();
    column.reserve_exact(ranks.map_or(slots.types.len(), |ranks| ranks.distances.len()));
    for slot in events(slots.types.len(), ranks) {
        let own = slots.types.get(slot).map_or(u16::MAX, |own| own.load(Relaxed));
        let Some(number) = numbers.get_mut(usize::from(own)) else { continue };
        if *number == u16::MAX {
            *number = names.len() as u16;
            names.extend(met.names.get(usize::from(own)).cloned());
        }
        column.push(*number);
    }
    (Some(column), names)
}

fn times(slots: Slots, ranks: Option<&Ranks>) -> CoveredTimes {
    let span = slots.times.len();
    let time = |slot: usize| slots.times.get(slot).map_or(CoveredTimes::MISSING, |time| time.load(Relaxed));
    let digits = |slot: usize| slots.digits.get(slot).map_or(0, |digits| digits.load(Relaxed));
    let mut dated = events(span, ranks).filter(|slot| time(*slot) != CoveredTimes::MISSING).map(digits);
    let first = dated.next().unwrap_or_default();
    let digits = if dated.all(|digits| digits == first) {
        CoveredDigits::Same(first)
    } else {
        CoveredDigits::Each(events(span, ranks).map(digits).collect())
    };
    let nanos = match ranks {
        None => slots.times.into_iter().map(std::sync::atomic::AtomicI64::into_inner).collect(),
        Some(_) => events(span, ranks).map(time).collect(),
    };
    CoveredTimes { nanos, digits }
}
