//! Whether an index still says what a store holds, by a sample.

use crate::{
    model::{EventKey, RecordedEvent},
    store::{EventStore, StoreResult, cache::checksum::mix, index::Index},
    work::Work,
};

/// So many places are looked at, each with the event behind it.
const PLACES: u64 = 128;

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
