//! Searching several ranges side by side, with the hits in the order that is asked for.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    model::{EventKey, EventQuery},
    store::{
        EventStore, KeyRange, StoreResult,
        read::{Onward, Wanted, visit_event},
        search::{SearchHit, Sieve, is_asked_for, visit_row},
    },
    work::{Cancelled, Piece, Work},
};

/// Which hits come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Newest {
    /// The newest events first.
    #[default]
    First,
    /// The oldest first.
    Last,
}

/// The hits of one range in global order, and its troubles in words.
type OfRange = (VecDeque<SearchHit>, Vec<String>);

/// Searches these ranges, which are given in the order of their hits, on the lanes of `work`.
///
/// Returns at most `limit` hits of each range, those that come first in the order, and the troubles in words.
pub fn search_ranges(
    store: &dyn EventStore,
    work: &Work,
    (sieve, query): (&Sieve, &Arc<EventQuery>),
    ranges: &[KeyRange],
    (newest, limit): (Newest, usize),
) -> StoreResult<(Vec<SearchHit>, Vec<String>)> {
    hits_in_ranges(work, ranges, (newest, limit), &|range, take| {
        store.search(work, range, sieve, &mut |found| {
            if is_asked_for(&found.head, query) { take(found.to_hit()) } else { Onward::On }
        })
    })
}

/// Finds the hits of one range in global order and hands them on until there are enough; returns its troubles.
type Find<'a> =
    &'a (dyn Fn(&KeyRange, &mut dyn FnMut(SearchHit) -> Onward) -> StoreResult<Vec<String>> + Sync);

/// Runs a search over several ranges side by side, and puts the hits in order.
pub(super) fn hits_in_ranges(
    work: &Work,
    ranges: &[KeyRange],
    (newest, limit): (Newest, usize),
    find: Find<'_>,
) -> StoreResult<(Vec<SearchHit>, Vec<String>)> {
    let mut slots: Vec<Option<StoreResult<OfRange>>> = Vec::new();
    slots.resize_with(ranges.len(), || None);
    let pieces = slots
        .iter_mut()
        .zip(ranges)
        .map(|(slot, range)| -> Piece<'_> {
            Box::new(move || *slot = Some(one_range(range, (newest, limit), find)))
        })
        .collect();
    work.run(pieces);
    let (mut hits, mut troubles) = (Vec::new(), Vec::new());
    for slot in slots {
        let (found, told) = slot.unwrap_or(Err(Cancelled.into()))?;
        match newest {
            Newest::First => hits.extend(found.into_iter().rev()),
            Newest::Last => hits.extend(found),
        }
        troubles.extend(told);
    }
    Ok((hits, troubles))
}

/// Searches these events, and hands back the hits in their order.
pub fn search_events(
    store: &dyn EventStore,
    work: &Work,
    sieve: &Sieve,
    keys: &[EventKey],
) -> StoreResult<Vec<SearchHit>> {
    let mut hits = Vec::new();
    for event in store.fetch(work, keys)?.iter().flatten() {
        visit_event(event, Wanted::All, &mut |row| {
            visit_row(row, sieve, &mut |found| {
                hits.push(found.to_hit());
                Onward::On
            })
        });
    }
    Ok(hits)
}

fn one_range(range: &KeyRange, (newest, limit): (Newest, usize), find: Find<'_>) -> StoreResult<OfRange> {
    let mut hits = VecDeque::new();
    let troubles = find(range, &mut |hit| {
        hits.push_back(hit);
        match newest {
            Newest::Last if hits.len() >= limit => Onward::Enough,
            Newest::First if hits.len() > limit => {
                hits.pop_front();
                Onward::On
            }
            Newest::First | Newest::Last => Onward::On,
        }
    })?;
    Ok((hits, troubles))
}
