//! An index made of what a store's own indexes cover, without a scan.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::{StreamName, StreamVersion},
    store::{
        covered::{Covered, CoveredDigits, CoveredTimes},
        index::{
            CategoryInfo, Index, TypeInfo,
            chunk::{CHUNK, Chunk},
            ints::MISSING,
            keys::{Keys, Positions},
            order,
            postings::{Postings, Segment},
            rows::Rows,
            streams::{Gain, Known},
        },
    },
    work::{Cancelled, Piece, Work},
};

/// Streams that one lane counts before the next asks for more.
const STREAMS_A_PIECE: usize = 4096;

impl Index {
    /// The index of these columns, packed on the lanes of `work`; `None` if they do not agree with each other.
    pub(super) fn of_covered(covered: &Covered, work: &Work) -> Result<Option<Self>, Cancelled> {
        if covered.is_empty() || !is_whole(covered) {
            return Ok(None);
        }
        let len = covered.len();
        let mut index =
            Self { len, keys_rise: true, positions_rise: covered.has_positions, ..Self::default() };
        let mut chunks: Vec<Option<Chunk>> = Vec::new();
        chunks.resize_with(len.div_ceil(CHUNK), || None);
        let mut gains: Vec<Option<(Gain, bool)>> = vec![None; covered.stream_names.len()];
        let times_rise = times_rise(covered);
        let packing = chunks.iter_mut().enumerate().map(|(number, chunk)| -> Piece<'_> {
            Box::new(move || {
                if work.advance(0).is_ok() {
                    let start = number * CHUNK;
                    *chunk = Some(Chunk::pack(&rows(covered, start, CHUNK.min(len - start))));
                }
            })
        });
        let counting = gains.chunks_mut(STREAMS_A_PIECE).enumerate().map(|(number, gains)| -> Piece<'_> {
            Box::new(move || {
                if work.advance(0).is_ok() {
                    let first = number * STREAMS_A_PIECE;
                    gains
                        .iter_mut()
                        .zip(first..)
                        .for_each(|(gain, stream)| *gain = Some(gain_of(covered, stream, times_rise)));
                }
            })
        });
        work.run(packing.chain(counting).collect());
        work.advance(0)?;
        index.chunks = chunks.into_iter().flatten().map(Arc::new).collect();
        index.add_streams(&covered.stream_names, gains.into_iter().flatten());
        index.count_types(covered);
        index.by_name = Arc::new(order::with_new(&[], &index.streams, &index.numbered_categories));
        index.sort_categories();
        let (ends, ordinals) = (covered.posting_ends.clone(), covered.postings.clone());
        let segment = Segment { streams: None, ends, ordinals, whole: Vec::new() };
        index.postings = Postings::of_segments(vec![Arc::new(segment)]);
        Ok(Some(index))
    }

    fn add_streams(&mut self, names: &[Arc<StreamName>], gains: impl Iterator<Item = (Gain, bool)>) {
        let mut categories: Vec<CategoryInfo> = Vec::new();
        let mut numbers = BTreeMap::new();
        for (name, (gain, is_rising)) in names.iter().zip(gains) {
            let number = *numbers.entry(name.category.clone()).or_insert_with(|| {
                categories.push(CategoryInfo { name: name.category.clone(), streams: 0, events: 0 });
                categories.len() - 1
            });
            let mut known = Known::new(Arc::clone(name), number as u32);
            known.add(&gain);
            known.is_in_order = is_rising;
            if let Some(category) = categories.get_mut(number) {
                category.streams += 1;
                category.events += known.info.events;
            }
            if let Some((first, last)) = known.info.first_time.zip(known.info.last_time) {
                let (least, most) = self.time_span.unwrap_or((first, last));
                self.time_span = Some((least.min(first), most.max(last)));
            }
            self.streams.push(known);
        }
        self.numbered_categories = Arc::new(categories);
    }

    fn count_types(&mut self, covered: &Covered) {
        // Without types all events have one that is empty, as a scan says it.
        let nameless = [Arc::from("")];
        let names = if covered.types.is_some() { covered.type_names.as_slice() } else { &nameless };
        let mut counts = vec![0_u64; names.len()];
        for chunk in &self.chunks {
            let mut add = |event_type: u32, events: u32| {
                if let Some(count) = counts.get_mut(event_type as usize) {
                    *count += u64::from(events);
                }
            };
            match &chunk.sums.types {
                Some(types) => types.iter().for_each(|(event_type, events)| add(*event_type, *events)),
                None => chunk.types.each(|event_type| add(event_type as u32, 1)),
            }
        }
        let info = |(name, events): (&Arc<str>, u64)| TypeInfo { name: Arc::clone(name), events };
        self.types = Arc::new(names.iter().zip(counts).map(info).collect());
    }
}

/// Whether all columns are as long as they should be, and every number is one of something.
fn is_whole(covered: &Covered) -> bool {
    let len = covered.len();
    let (streams, types) = (covered.stream_names.len(), covered.type_names.len());
    let has_digits = |times: &CoveredTimes| match &times.digits {
        CoveredDigits::Same(_) => true,
        CoveredDigits::Each(each) => each.len() == len,
    };
    u32::try_from(len).is_ok()
        && covered.keys.len() == len
        && covered.versions.as_ref().is_none_or(|versions| versions.len() == len)
        && covered.times.as_ref().is_none_or(|times| times.nanos.len() == len && has_digits(times))
        && covered.types.as_ref().map_or(types == 0, |of| {
            of.len() == len && of.iter().copied().max().is_none_or(|most| usize::from(most) < types)
        })
        && covered.streams.iter().copied().max().is_none_or(|most| (most as usize) < streams)
        && covered.postings.len() == len
        && covered.postings.iter().copied().max().is_none_or(|most| (most as usize) < len)
        && covered.posting_ends.len() == streams
        && covered.posting_ends.is_sorted()
        && covered.posting_ends.last().copied() == u32::try_from(len).ok()
}

fn rows(covered: &Covered, start: usize, len: usize) -> Rows {
    let ordinals = start as u32..(start + len) as u32;
    let cut = start..start + len;
    let numbers: Vec<i64> = ordinals.filter_map(|ordinal| covered.keys.get(ordinal)).collect();
    let versions = covered.versions.as_ref().and_then(|versions| versions.get(cut.clone()));
    let types = covered.types.as_ref().and_then(|types| types.get(cut.clone()));
    let times = covered.times.as_ref().and_then(|times| times.nanos.get(cut.clone()));
    let digits = covered.times.as_ref().map(|times| match &times.digits {
        CoveredDigits::Same(digits) => vec![*digits; len],
        CoveredDigits::Each(each) => each.get(cut.clone()).unwrap_or_default().to_vec(),
    });
    Rows {
        keys: Keys::Numbers { parts: 1, numbers },
        positions: if covered.has_positions { Positions::OfKeys } else { Positions::Absent },
        streams: covered.streams.get(cut).unwrap_or_default().to_vec(),
        versions: versions
            .map_or_else(|| vec![MISSING; len], |versions| versions.iter().copied().map(i64::from).collect()),
        types: types.map_or_else(|| vec![0; len], |types| types.iter().copied().map(u32::from).collect()),
        times: times.map_or_else(|| vec![MISSING; len], <[i64]>::to_vec),
        digits: digits.unwrap_or_else(|| vec![0; len]),
    }
}

/// Whether every event has a time, written like all others, and none is earlier than the one before.
fn times_rise(covered: &Covered) -> bool {
    covered.times.as_ref().is_some_and(|times| {
        let is_dated = times.nanos.first().is_some_and(|first| *first != CoveredTimes::MISSING);
        is_dated && matches!(times.digits, CoveredDigits::Same(_)) && times.nanos.is_sorted()
    })
}

/// What a stream's events say of it, along its order; and whether that is global order as well.
fn gain_of(covered: &Covered, stream: usize, times_rise: bool) -> (Gain, bool) {
    let start = stream.checked_sub(1).and_then(|before| covered.posting_ends.get(before).copied());
    let end = covered.posting_ends.get(stream).copied().unwrap_or_default();
    let own = covered.postings.get(start.unwrap_or_default() as usize..end as usize).unwrap_or_default();
    let is_rising = own.is_sorted();
    let version = |ordinal: u32| {
        let version = covered.versions.as_ref()?.get(ordinal as usize)?;
        Some(StreamVersion(i64::from(*version)))
    };
    let time = |ordinal: u32| covered.times.as_ref()?.get(ordinal);
    // The ends tell all where nothing falls between them: versions do not along a stream's order.
    if times_rise
        && is_rising
        && let [first, ..] = own
        && let [.., last] = own
        && let Some(times) = time(*first).zip(time(*last))
    {
        let versions = version(*first).zip(version(*last));
        return (Gain::rising((stream as u32, own.len() as u32), versions, times), true);
    }
    let mut gain = Gain::new(stream as u32);
    for ordinal in own {
        gain.count(version(*ordinal), time(*ordinal));
    }
    (gain, is_rising)
}
