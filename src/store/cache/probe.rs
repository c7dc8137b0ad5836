//! Whether an index still says what a store holds: by a sample, and event by event.

use crate::{
    model::{EventKey, RecordedEvent},
    store::{EventStore, StoreResult, cache::checksum::mix, index::Index},
    work::{Cancelled, Work},
};

/// So many places are looked at, each with the event behind it.
const PLACES: u64 = 128;

/// After so many events a long loop looks whether it is still wanted.
const STEP: u32 = 65_536;

/// Whether the first event, the last one and some spread over all others, chosen by `seed`, are in the store
/// as the index has them. Says quickly that a store was not only added to; that it was, only a scan can say.
pub(super) fn agrees(index: &Index, store: &dyn EventStore, work: &Work, seed: u64) -> StoreResult<bool> {
    let ordinals = sample(index.len() as u64, seed);
    let keys: Option<Vec<EventKey>> = ordinals.iter().map(|ordinal| index.key(*ordinal)).collect();
    let Some(keys) = keys else { return Ok(false) };
    let events = store.fetch(work, &keys)?;
    let is_same = |(ordinal, event): (&u32, &Option<RecordedEvent>)| {
        event.as_ref().is_some_and(|event| is_as_indexed(index, *ordinal, event))
    };
    Ok(events.len() == ordinals.len() && ordinals.iter().zip(&events).all(is_same))
}

/// Ordinals to look at, rising: both ends, and from each of so many equal parts one and the one behind it.
fn sample(events: u64, seed: u64) -> Vec<u32> {
    let Some(last) = events.checked_sub(1) else { return Vec::new() };
    let part = events.div_ceil(PLACES).max(1);
    let starts = (0..PLACES).map(|number| number * part).filter(|start| *start < events);
    let places = starts.map(|start| start + mix(seed ^ mix(start)) % part);
    let mut ordinals: Vec<u32> = places
        .flat_map(|place| [place, place + 1])
        .chain([0, last])
        .filter_map(|place| u32::try_from(place.min(last)).ok())
        .collect();
    ordinals.sort_unstable();
    ordinals.dedup();
    ordinals
}

fn is_as_indexed(index: &Index, ordinal: u32, event: &RecordedEvent) -> bool {
    let Some(row) = index.row(ordinal) else { return false };
    row.version == event.version
        && row.time == event.time
        && row.position == event.position
        && index.type_name(row.event_type) == Some(&event.event_type)
        && index.stream(row.stream).is_some_and(|info| info.name == event.stream)
}

/// The first event of `older` that `newer` has otherwise or has not; `None` if `newer` begins with all of
/// `older`.
pub(super) fn first_difference(older: &Index, newer: &Index, work: &Work) -> Result<Option<u32>, Cancelled> {
    let mut same_streams = Vec::with_capacity(older.streams().len());
    for (place, info) in older.streams().iter().enumerate() {
        same_streams.push(newer.streams().get(place).is_some_and(|other| other.name == info.name));
    }
    let is_same_stream = |stream: u32| same_streams.get(stream as usize).copied().unwrap_or_default();
    let is_same_type = |kind: u32| older.type_name(kind) == newer.type_name(kind);
    for ordinal in 0..older.len() as u32 {
        if ordinal % STEP == 0 {
            work.advance(0)?;
        }
        let (row, other) = (older.row(ordinal), newer.row(ordinal));
        let is_same = row == other
            && row.is_some_and(|row| is_same_stream(row.stream) && is_same_type(row.event_type))
            && older.key(ordinal) == newer.key(ordinal);
        if !is_same {
            return Ok(Some(ordinal));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::sample;

    fn check(events: u64, expected: &[u32]) {
        assert_eq!(sample(events, 7), expected);
    }

    #[test]
    fn few_events_are_all_looked_at_and_many_from_end_to_end() {
        check(0, &[]);
        check(1, &[0]);
        check(4, &[0, 1, 2, 3]);
        let many = sample(10_000_000, 7);
        assert!((200..=258).contains(&many.len()), "{}", many.len());
        assert_eq!((many.first(), many.last()), (Some(&0), Some(&9_999_999)));
        assert!(many.is_sorted() && many.windows(2).all(|pair| pair[1] - pair[0] < 200_000));
        assert_ne!(many, sample(10_000_000, 8), "the seed counts");
    }
}
