//! The lines of the streams panel, made out of an index.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use crate::{
    model::TextFilter,
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
        let streams = self.index.streams();
        let mut groups: BTreeMap<Option<Arc<str>>, Vec<u32>> = BTreeMap::new();
        let mut passing = 0;
        for (number, stream) in streams.iter().enumerate() {
            if number.is_multiple_of(4096) {
                work.advance(0)?;
            }
            if self.accepts(&stream.name.full(), &stream.name.id) {
                passing += 1;
                groups.entry(stream.name.category.clone()).or_default().push(number as u32);
            }
        }
        let is_flat = groups.keys().all(Option::is_none);
        let mut lines = Vec::new();
        for (name, mut members) in groups {
            work.advance(0)?;
            let is_open = is_flat || self.opened_all != self.toggled.contains(&name);
            if !is_flat {
                let events =
                    members.iter().filter_map(|number| streams.get(*number as usize)).map(|info| info.events);
                let (streams, events) = (members.len() as u64, events.sum());
                lines.push(StreamLine::Category { name, streams, events, is_open });
            }
            if is_open {
                let order = self.name_order(&members);
                members.sort_by(|left, right| self.compare(*left, *right, order));
                lines.extend(members.into_iter().map(StreamLine::Stream));
            }
        }
        Ok((lines, passing))
    }

    fn accepts(&self, full: &str, id: &str) -> bool {
        self.filter.accepts(full) || self.filter.accepts(id)
    }

    /// One order for all members: two orders mixed would be none.
    fn name_order(&self, members: &[u32]) -> fn(&str, &str) -> Ordering {
        let id = |number: &u32| self.index.stream(*number).map_or("", |stream| &*stream.name.id);
        if members.iter().map(id).all(is_hexadecimal) { str::cmp } else { natural }
    }

    fn compare(&self, left: u32, right: u32, order: fn(&str, &str) -> Ordering) -> Ordering {
        let streams = self.index.streams();
        let (Some(left), Some(right)) = (streams.get(left as usize), streams.get(right as usize)) else {
            return Ordering::Equal;
        };
        let by_name = || order(&left.name.id, &right.name.id);
        let order = match self.sort {
            StreamSort::Name => by_name(),
            StreamSort::Events => left.events.cmp(&right.events).then_with(by_name),
            StreamSort::First => left.first_time.cmp(&right.first_time).then_with(by_name),
            StreamSort::Last => left.last_time.cmp(&right.last_time).then_with(by_name),
        };
        if self.is_descending { order.reverse() } else { order }
    }
}

/// Whether a name is a UUID or the like, whose digits count nothing.
fn is_hexadecimal(name: &str) -> bool {
    name.len() >= 16 && name.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Compares names as people do: `order-9` before `order-10`.
fn natural(left: &str, right: &str) -> Ordering {
    let (mut left_rest, mut right_rest) = (left, right);
    loop {
        let (left_part, right_part) = (leading_run(left_rest), leading_run(right_rest));
        if left_part.is_empty() || right_part.is_empty() {
            return left_part.len().cmp(&right_part.len()).then_with(|| left.cmp(right));
        }
        let order = match (digits(left_part), digits(right_part)) {
            (Some(left), Some(right)) => left.len().cmp(&right.len()).then_with(|| left.cmp(right)),
            _ => left_part.cmp(right_part),
        };
        if order != Ordering::Equal {
            return order;
        }
        left_rest = left_rest.get(left_part.len()..).unwrap_or_default();
        right_rest = right_rest.get(right_part.len()..).unwrap_or_default();
    }
}

/// The digits at the start of a text, or the characters before the first digit.
fn leading_run(text: &str) -> &str {
    let starts_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != starts_with_digit).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// A run of digits without leading zeros; nothing for other runs.
fn digits(run: &str) -> Option<&str> {
    run.starts_with(|c: char| c.is_ascii_digit()).then(|| run.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::{prop_assert, proptest};

    use super::natural;

    #[test]
    fn names_sort_as_people_count() {
        for (left, right) in [("order-9", "order-10"), ("a", "b"), ("a1b", "a1c"), ("x", "x1"), ("7", "08")] {
            assert_eq!(natural(left, right), Ordering::Less, "{left} before {right}");
        }
    }

    proptest! {
        /// Sorting panics on an order that contradicts itself.
        #[test]
        fn the_order_does_not_contradict_itself(names in proptest::collection::vec("[ab0-9.-]{0,6}", 3)) {
            let [a, b, c] = names.as_slice() else { return Ok(()) };
            prop_assert!(natural(a, b) == natural(b, a).reverse());
            if natural(a, b).is_le() && natural(b, c).is_le() {
                prop_assert!(natural(a, c).is_le(), "{a} {b} {c}");
            }
        }
    }
}
