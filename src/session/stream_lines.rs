//! The lines of the streams panel, made out of an index.

use std::sync::Arc;

use crate::{
    model::{StreamName, TextFilter, Timestamp},
    session::{action::StreamSort, view::StreamLine},
    store::index::Index,
    work::{Cancelled, Work},
};

/// What the lines of the streams panel are made of.
#[derive(Clone)]
pub struct StreamLines {
    /// Where the streams come from.
    pub index: Arc<Index>,
    /// Which streams are wanted.
    pub filter: TextFilter,
    /// Their order within a category.
    pub sort: StreamSort,
    /// Whether that order is turned round.
    pub is_descending: bool,
    /// Categories that are not as `opened_all` says.
    pub toggled: Vec<Option<Arc<str>>>,
    /// Whether categories are open unless named in `toggled`, or the other way round.
    pub opened_all: bool,
}

impl StreamLines {
    /// The lines, and how many streams pass the filter.
    pub fn make(&self, work: &Work) -> Result<(Vec<StreamLine>, usize), Cancelled> {
        let index = &*self.index;
        let mut passing = Vec::with_capacity(index.streams().len());
        for (place, number) in index.streams_by_name().iter().enumerate() {
            if place.is_multiple_of(4096) {
                work.advance(0)?;
            }
            if index.stream(*number).is_some_and(|stream| self.accepts(&stream.name)) {
                passing.push(*number);
            }
        }
        let category = |number: &u32| index.stream(*number).map(|info| &info.name.category);
        let mut lines = Vec::with_capacity(passing.len() + index.categories().len());
        let mut rest = passing.as_slice();
        // Streams come category by category, and those of one category by name.
        let first = rest.first().and_then(category);
        let is_flat = first.is_none_or(Option::is_none) && rest.last().and_then(category) == first;
        while let Some(name) = rest.first().and_then(category) {
            work.advance(0)?;
            let (members, others) =
                rest.split_at(rest.partition_point(|number| category(number) <= Some(name)));
            rest = others;
            let is_open = is_flat || self.opened_all != self.toggled.contains(name);
            if !is_flat {
                let events =
                    members.iter().filter_map(|number| index.stream(*number)).map(|info| info.events);
                let (streams, events) = (members.len() as u64, events.sum());
                lines.push(StreamLine::Category { name: name.clone(), streams, events, is_open });
            }
            if is_open {
                lines.extend(self.sorted(members).into_iter().map(StreamLine::Stream));
            }
        }
        Ok((lines, passing.len()))
    }

    fn accepts(&self, name: &StreamName) -> bool {
        matches!(self.filter, TextFilter::All)
            || self.filter.accepts(&name.id)
            || name.stored.as_ref().is_some_and(|stored| self.filter.accepts(stored))
            || (name.stored.is_none() && name.category.is_some() && self.filter.accepts(&name.full()))
    }

    /// Streams that come by name, in the order that is wanted; equal ones by name.
    fn sorted(&self, members: &[u32]) -> Vec<u32> {
        let key = |number: u32| {
            let info = self.index.stream(number);
            match self.sort {
                StreamSort::Name => 0,
                StreamSort::Events => info.map_or(0, |info| info.events as i64),
                // A stream without a time comes before all others.
                StreamSort::First => info.and_then(|info| info.first_time).map_or(i64::MIN, Timestamp::nanos),
                StreamSort::Last => info.and_then(|info| info.last_time).map_or(i64::MIN, Timestamp::nanos),
            }
        };
        let mut sorted = members.to_vec();
        if self.sort != StreamSort::Name {
            let keyed = members.iter().zip(0..).map(|(number, place)| (key(*number), place, *number));
            let mut keyed: Vec<(i64, u32, u32)> = keyed.collect();
            keyed.sort_unstable();
            sorted.clear();
            sorted.extend(keyed.into_iter().map(|(_, _, number)| number));
        }
        if self.is_descending {
            sorted.reverse();
        }
        sorted
    }
}
