//! The event types of a category, and what their data looks like.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::{Encoding, EventKey},
    schema::shape::Shape,
    store::{EventStore, StoreResult, index::Index},
    work::{Cancelled, Work},
};

/// The event types of one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// The category; `None` for streams without one.
    pub category: Option<Arc<str>>,
    /// Its event types, in the order in which they first occur in the store.
    pub types: Vec<TypeShape>,
}

/// One event type, and what its data looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeShape {
    /// Its name as stored.
    pub name: Arc<str>,
    /// How many events of it the category has.
    pub events: u64,
    /// How many of them were read.
    pub read: u64,
    /// How many of those had data that cannot be read as JSON.
    pub unreadable: u64,
    /// How many of those had no data at all.
    pub empty: u64,
    /// What the data looks like.
    pub data: Shape,
}

/// How often each event type occurs in a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryTypes {
    /// The category; `None` for streams without one.
    pub category: Option<Arc<str>>,
    /// Types and their numbers of events, in the order in which they first occur in the store.
    pub types: Vec<(Arc<str>, u64)>,
}

/// So many events of a type are read: enough to see every field that matters, and read in a moment.
const PER_TYPE: usize = 200;

/// So many events are read in all, where a category has very many types.
const IN_ALL: usize = 20_000;

/// Events are fetched this many at a time.
const BATCH: usize = 256;

/// Up to so many pairs of category and type are counted in a table.
const MOST_CELLS: usize = 1 << 20;

/// How often each type occurs in each category, in the order of the index's categories.
pub fn types_by_category(index: &Index, work: &Work) -> Result<Vec<CategoryTypes>, Cancelled> {
    let places: BTreeMap<&Option<Arc<str>>, usize> =
        index.categories().iter().zip(0..).map(|(info, place)| (&info.name, place)).collect();
    let place_of = |name: &Option<Arc<str>>| places.get(name).copied().unwrap_or_default();
    let streams: Vec<usize> = index.streams().iter().map(|info| place_of(&info.name.category)).collect();
    let counts = count_types(index, &streams, work)?;
    let named = |(event_type, count): (u32, u64)| Some((Arc::clone(index.type_name(event_type)?), count));
    Ok(index
        .categories()
        .iter()
        .zip(counts)
        .map(|(info, counts)| CategoryTypes {
            category: info.name.clone(),
            types: counts.into_iter().filter_map(named).collect(),
        })
        .collect())
}

/// How often each category, by its place, has each type.
fn count_types(index: &Index, places: &[usize], work: &Work) -> Result<Vec<BTreeMap<u32, u64>>, Cancelled> {
    let mut counts: Vec<BTreeMap<u32, u64>> = vec![BTreeMap::new(); index.categories().len()];
    let types = index.types().len();
    // A store may have very many categories and types, and each category only a few of the types.
    let mut table = vec![0_u64; Some(counts.len() * types).filter(|cells| *cells <= MOST_CELLS).unwrap_or(0)];
    let mut stopped = Ok(());
    index.visit_streams_and_types(0, |streams, event_types| {
        stopped = stopped.and_then(|()| work.advance(0));
        if stopped.is_err() {
            return;
        }
        for (stream, event_type) in streams.iter().zip(event_types) {
            let Some(place) = places.get(*stream as usize) else { continue };
            match table.get_mut(place * types + *event_type as usize) {
                Some(count) => *count += 1,
                None => {
                    if let Some(counts) = counts.get_mut(*place) {
                        *counts.entry(*event_type).or_default() += 1;
                    }
                }
            }
        }
    });
    stopped?;
    for (counts, row) in counts.iter_mut().zip(table.chunks(types.max(1))) {
        counts.extend((0..).zip(row.iter().copied()).filter(|(_, count)| *count > 0));
    }
    Ok(counts)
}

impl Catalog {
    /// Reads a sample of each event type of a category: its first events, its last, and some from between.
    ///
    /// The same events give the same catalog. `only` leaves out all types but these.
    pub fn read(
        store: &dyn EventStore,
        index: &Index,
        category: Option<&str>,
        only: Option<&[Arc<str>]>,
        work: &Work,
    ) -> StoreResult<Self> {
        let by_type = ordinals_by_type(index, category, work)?;
        let wanted: Vec<(Arc<str>, Vec<u32>)> = by_type
            .into_iter()
            .filter_map(|(event_type, ordinals)| Some((Arc::clone(index.type_name(event_type)?), ordinals)))
            .filter(|(name, _)| only.is_none_or(|only| only.contains(name)))
            .collect();
        let limit = (IN_ALL / wanted.len().max(1)).clamp(20, PER_TYPE);
        work.expect_total(wanted.iter().map(|(_, ordinals)| ordinals.len().min(limit) as u64).sum());
        let mut types = Vec::new();
        for (name, ordinals) in wanted {
            types.push(read_type(store, index, name, &ordinals, limit, work)?);
        }
        Ok(Self { category: category.map(Into::into), types })
    }
}

fn read_type(
    store: &dyn EventStore,
    index: &Index,
    name: Arc<str>,
    ordinals: &[u32],
    limit: usize,
    work: &Work,
) -> StoreResult<TypeShape> {
    let mut found = TypeShape {
        name,
        events: ordinals.len() as u64,
        read: 0,
        unreadable: 0,
        empty: 0,
        data: Shape::default(),
    };
    let keys: Vec<EventKey> =
        spread(ordinals, limit).into_iter().filter_map(|ordinal| index.key(ordinal)).collect();
    for batch in keys.chunks(BATCH) {
        for event in store.fetch(work, batch)?.into_iter().flatten() {
            found.read += 1;
            match &event.data.decoded {
                _ if event.data.encoding == Encoding::Absent => found.empty += 1,
                Ok(data) => found.data.take(data),
                Err(_) => found.unreadable += 1,
            }
        }
        work.advance(batch.len() as u64)?;
    }
    Ok(found)
}

/// The ordinals of a category's events by the number of their type.
fn ordinals_by_type(
    index: &Index,
    category: Option<&str>,
    work: &Work,
) -> Result<BTreeMap<u32, Vec<u32>>, Cancelled> {
    let is_in: Vec<bool> =
        index.streams().iter().map(|info| info.name.category.as_deref() == category).collect();
    let mut found: Vec<Vec<u32>> = vec![Vec::new(); index.types().len()];
    let (mut ordinal, mut stopped) = (0_u32, Ok(()));
    index.visit_streams_and_types(0, |streams, types| {
        stopped = stopped.and_then(|()| work.advance(0));
        if stopped.is_err() {
            return;
        }
        for (stream, event_type) in streams.iter().zip(types) {
            if is_in.get(*stream as usize).copied().unwrap_or_default()
                && let Some(found) = found.get_mut(*event_type as usize)
            {
                found.push(ordinal);
            }
            ordinal += 1;
        }
    });
    stopped?;
    Ok((0..).zip(found).filter(|(_, ordinals)| !ordinals.is_empty()).collect())
}

/// At most `limit` of the items: a quarter from the start, a quarter from the end, the rest evenly
/// from between.
fn spread(items: &[u32], limit: usize) -> Vec<u32> {
    if items.len() <= limit {
        return items.to_vec();
    }
    let quarter = limit / 4;
    let (start, rest) = items.split_at(quarter);
    let (middle, end) = rest.split_at(rest.len() - quarter);
    let wanted = limit - 2 * quarter;
    let from_between = (0..wanted).filter_map(|place| middle.get(place * middle.len() / wanted));
    start.iter().chain(from_between).chain(end).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    fn check(count: u32, limit: usize, expected: &[u32]) {
        assert_eq!(spread(&(0..count).collect::<Vec<_>>(), limit), expected);
    }

    #[test]
    fn a_sample_holds_first_last_and_some_from_between() {
        check(3, 8, &[0, 1, 2]);
        check(8, 8, &[0, 1, 2, 3, 4, 5, 6, 7]);
        check(100, 8, &[0, 1, 2, 26, 50, 74, 98, 99]);
    }
}
