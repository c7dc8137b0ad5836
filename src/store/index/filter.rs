//! Choosing events by a query, on the columns alone.

use crate::{
    model::EventQuery,
    store::index::{Index, column::MISSING},
    work::{Cancelled, Work},
};

/// After so many events the filter looks whether it is still wanted.
const STEP: u32 = 65_536;

/// A query, put in numbers.
struct Wanted {
    /// For each stream whether it is wanted; `None` if all are.
    streams: Option<Vec<bool>>,
    /// For each type whether it is wanted; `None` if all are.
    types: Option<Vec<bool>>,
    /// Nanoseconds, first and last; `None` if any time and none will do.
    times: Option<(i64, i64)>,
}

impl Index {
    /// The ordinals of the events that answer a query, rising; `None` if every event does.
    pub fn filter(&self, query: &EventQuery, work: &Work) -> Result<Option<Vec<u32>>, Cancelled> {
        if *query == EventQuery::default() {
            return Ok(None);
        }
        let wanted = self.wanted(query);
        let mut start = 0;
        if let Some(after) = query.after.as_ref().filter(|_| self.positions_rise) {
            start = self.ordinal_at_position(after).map_or(0, |ordinal| ordinal + 1);
        }
        let is_behind = |ordinal: u32| match &query.after {
            Some(after) if !self.positions_rise => {
                self.rows.positions.get(ordinal as usize, &self.rows.keys).is_some_and(|own| own > *after)
            }
            Some(_) | None => ordinal >= start,
        };
        let mut found = Vec::new();
        if let Some(stream) = &query.stream {
            let Some(stream) = self.stream_number(stream) else { return Ok(Some(found)) };
            let events = self.stream_events(stream).iter().copied();
            found.extend(events.filter(|ordinal| is_behind(*ordinal) && self.answers(&wanted, *ordinal)));
            found.sort_unstable();
            return Ok(Some(found));
        }
        let len = self.len() as u32;
        for first in (start..len).step_by(STEP as usize) {
            work.advance(0)?;
            let block = first..len.min(first.saturating_add(STEP));
            found.extend(block.filter(|ordinal| self.answers(&wanted, *ordinal) && is_behind(*ordinal)));
        }
        Ok(Some(found))
    }

    fn wanted(&self, query: &EventQuery) -> Wanted {
        let streams = query
            .category
            .as_ref()
            .map(|category| self.streams.iter().map(|info| info.name.category == *category).collect());
        let types = (!query.types.is_empty())
            .then(|| self.types.iter().map(|info| query.types.contains(&info.name)).collect());
        let times = (query.from.is_some() || query.to.is_some()).then(|| {
            let from = query.from.map_or(MISSING + 1, |from| from.nanos().max(MISSING + 1));
            (from, query.to.map_or(i64::MAX, |to| to.nanos()))
        });
        Wanted { streams, types, times }
    }

    fn answers(&self, wanted: &Wanted, ordinal: u32) -> bool {
        let row = ordinal as usize;
        let allows = |allowed: &Option<Vec<bool>>, column: &[u32]| match allowed {
            None => true,
            Some(allowed) => {
                column.get(row).and_then(|number| allowed.get(*number as usize)).copied().unwrap_or_default()
            }
        };
        allows(&wanted.types, &self.rows.types)
            && allows(&wanted.streams, &self.rows.streams)
            && wanted.times.is_none_or(|(from, to)| (from..=to).contains(&self.nanos(ordinal)))
    }
}
