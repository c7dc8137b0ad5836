//! The order of streams by name: category by category, and ids as people count.

use std::cmp::Ordering;

use crate::{
    model::StreamName,
    store::index::{CategoryInfo, streams::Streams},
};

/// Compares names of streams: those without category first, then by category, then by id.
pub(super) fn compare_names(left: &StreamName, right: &StreamName) -> Ordering {
    let by_category = left.category.cmp(&right.category);
    by_category.then_with(|| compare_ids(&left.id, &right.id)).then_with(|| left.stored.cmp(&right.stored))
}

/// Compares ids as people do: `order-9` before `order-10`. Ids such as UUIDs count nothing, and are compared
/// letter by letter.
#[must_use]
pub fn compare_ids(left: &str, right: &str) -> Ordering {
    sort_key(left).cmp(sort_key(right)).then_with(|| left.cmp(right))
}

/// The stream of exactly this name, among those that are listed by name.
pub(super) fn find(by_name: &[u32], streams: &Streams, name: &StreamName) -> Option<u32> {
    let compare = |number: &u32| {
        streams.get(*number as usize).map_or(Ordering::Less, |info| compare_names(&info.name, name))
    };
    by_name.get(by_name.binary_search_by(compare).ok()?).copied()
}

/// Puts new streams into the order of those that are known.
pub(super) fn with_new(known: &[u32], streams: &Streams, categories: &[CategoryInfo]) -> Vec<u32> {
    let new = streams.len() - known.len();
    // Sorting all costs less than finding a place for many.
    if new * 64 > known.len() {
        return sorted((0..streams.len() as u32).collect(), streams, categories);
    }
    let name = |number: u32| streams.get(number as usize).map(|info| &*info.name);
    let mut merged = Vec::with_capacity(streams.len());
    let mut rest = known;
    for number in sorted((known.len() as u32..streams.len() as u32).collect(), streams, categories) {
        let Some(own) = name(number) else { continue };
        let is_before = |other: &u32| name(*other).is_some_and(|other| compare_names(other, own).is_lt());
        let (before, behind) = rest.split_at(rest.partition_point(is_before));
        merged.extend_from_slice(before);
        merged.push(number);
        rest = behind;
    }
    merged.extend_from_slice(rest);
    merged
}

/// Sorts streams by name. Most comparisons need only two numbers each: the rank of the category, and the first
/// bytes that are not common to all ids of it.
fn sorted(numbers: Vec<u32>, streams: &Streams, categories: &[CategoryInfo]) -> Vec<u32> {
    let mut by_name: Vec<usize> = (0..categories.len()).collect();
    by_name.sort_by_key(|category| categories.get(*category).map(|info| &info.name));
    let mut ranks = vec![0_u32; categories.len()];
    for (rank, category) in (0..).zip(by_name) {
        if let Some(own) = ranks.get_mut(category) {
            *own = rank;
        }
    }
    let known = |number: u32| {
        let known = streams.known(number as usize)?;
        Some((known.category as usize, &*known.info.name))
    };
    let mut common: Vec<Option<(&str, bool)>> = vec![None; categories.len()];
    for (category, name) in numbers.iter().filter_map(|number| known(*number)) {
        if let Some(own) = common.get_mut(category) {
            let is_hexadecimal = is_hexadecimal(&name.id);
            *own = match own {
                None => Some((&*name.id, is_hexadecimal)),
                Some((start, is_other)) if *is_other == is_hexadecimal => {
                    Some((common_start(start, &name.id), is_hexadecimal))
                }
                // Ids of both kinds are told apart where they begin.
                Some((_, is_other)) => Some(("", *is_other)),
            };
        }
    }
    let common: Vec<usize> =
        common.iter().map(|common| common.map_or(0, |(start, _)| cut_digits(start))).collect();
    let mut keyed: Vec<(u32, u128, u32)> = numbers
        .into_iter()
        .filter_map(|number| {
            let (category, name) = known(number)?;
            let (rank, common) = (ranks.get(category)?, common.get(category)?);
            Some((*rank, first_bytes(&name.id, *common), number))
        })
        .collect();
    let full = |number: u32| known(number).map(|(_, name)| name);
    keyed.sort_unstable_by(|left, right| {
        (left.0, left.1).cmp(&(right.0, right.1)).then_with(|| match (full(left.2), full(right.2)) {
            (Some(left), Some(right)) => compare_names(left, right),
            _ => Ordering::Equal,
        })
    });
    keyed.into_iter().map(|(_, _, number)| number).collect()
}

/// What both texts begin with.
fn common_start<'a>(left: &'a str, right: &str) -> &'a str {
    let same = left.char_indices().zip(right.chars()).find(|((_, left), right)| left != right);
    let end = same.map_or_else(|| left.len().min(right.len()), |((place, _), _)| place);
    left.get(..end).unwrap_or_default()
}

/// The length of a common start without the digits at its end, which may go on in the ids.
fn cut_digits(common: &str) -> usize {
    common.trim_end_matches(|c: char| c.is_ascii_digit()).len()
}

/// The first bytes of the sort key behind a common start, as a number that sorts like them.
fn first_bytes(id: &str, common: usize) -> u128 {
    let rest = id.get(common..).unwrap_or_default();
    let key = if is_hexadecimal(id) { Key::letters(rest) } else { Key::counting(rest) };
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(key).for_each(|(place, byte)| *place = byte);
    u128::from_be_bytes(bytes)
}

fn sort_key(id: &str) -> Key<'_> {
    if is_hexadecimal(id) { Key::letters(id) } else { Key::counting(id) }
}

/// Whether an id is a UUID or the like, whose digits count nothing.
fn is_hexadecimal(id: &str) -> bool {
    id.len() >= 16 && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Bytes that sort as people count: a run of digits is written as its length, without leading zeros, and the
/// digits; everything else as it is.
struct Key<'a> {
    rest: &'a [u8],
    /// Digits of the run that is being written, as they are; all of them where nothing counts.
    plain: usize,
    /// A byte that comes before the rest.
    next: Option<u8>,
}

/// Stands before the length of a run of digits.
const DIGITS: u8 = 1;

/// Stands before a byte that could be taken for [`DIGITS`] or itself.
const ESCAPED: u8 = 2;

impl<'a> Key<'a> {
    fn letters(id: &'a str) -> Self {
        Self { rest: id.as_bytes(), plain: id.len(), next: None }
    }

    fn counting(id: &'a str) -> Self {
        Self { rest: id.as_bytes(), plain: 0, next: None }
    }
}

impl Iterator for Key<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let Some(next) = self.next.take() {
            return Some(next);
        }
        let (first, behind) = self.rest.split_first()?;
        if self.plain > 0 {
            (self.rest, self.plain) = (behind, self.plain - 1);
            return Some(*first);
        }
        if first.is_ascii_digit() {
            let run = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let zeros = self.rest.iter().take(run).take_while(|byte| **byte == b'0').count();
            self.plain = run - zeros;
            self.rest = self.rest.get(zeros..).unwrap_or_default();
            self.next = Some(self.plain.min(usize::from(u8::MAX)) as u8);
            return Some(DIGITS);
        }
        self.rest = behind;
        if *first <= ESCAPED {
            self.next = Some(*first);
            return Some(ESCAPED);
        }
        Some(*first)
    }
}

#[cfg(test)]
mod tests {
    use std::{cmp::Ordering, sync::Arc};

    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::{compare_ids, compare_names, sorted, with_new};
    use crate::{
        model::StreamName,
        store::index::{
            CategoryInfo,
            streams::{Known, Streams},
        },
    };

    fn check(left: &str, right: &str) {
        assert_eq!(compare_ids(left, right), Ordering::Less, "{left} before {right}");
    }

    #[test]
    fn ids_sort_as_people_count() {
        check("order-9", "order-10");
        check("order-19", "order-100");
        check("a", "b");
        check("a1b", "a1c");
        check("x", "x1");
        check("7", "08");
        check("08", "8");
        check("v1.9", "v1.10");
        check("15e54d49-0000-0000", "5ae54d49-0000-0000");
    }

    /// Streams of these ids, every third one of another category.
    fn streams(ids: &[String]) -> (Streams, Vec<CategoryInfo>) {
        let names = ["order", "cart"];
        let mut streams = Streams::default();
        for (number, id) in ids.iter().enumerate() {
            let category = usize::from(number % 3 == 0);
            streams.push(Known::new(Arc::new(StreamName::of(names[category], id)), category as u32));
        }
        let info = |name: &str| CategoryInfo { name: Some(name.into()), streams: 0, events: 0 };
        (streams, names.map(info).into())
    }

    proptest! {
        #[test]
        fn streams_sort_as_their_names_do(ids in proptest::collection::vec("(ab-)?[ab0-9.-]{0,20}", 0..40), cut in 0_usize..40) {
            let (streams, categories) = streams(&ids);
            let all: Vec<u32> = (0..ids.len() as u32).collect();
            let found = sorted(all.clone(), &streams, &categories);
            let name = |number: u32| &*streams.get(number as usize).unwrap().name;
            prop_assert!(found.is_sorted_by(|left, right| compare_names(name(*left), name(*right)).is_le()));
            let (known, _) = all.split_at(cut.min(ids.len()));
            let known = sorted(known.to_vec(), &streams, &categories);
            let grown = with_new(&known, &streams, &categories);
            let names = |order: &[u32]| order.iter().map(|number| name(*number).clone()).collect::<Vec<_>>();
            prop_assert_eq!(names(&grown), names(&found));
        }

        /// Sorting panics on an order that contradicts itself.
        #[test]
        fn the_order_does_not_contradict_itself(names in proptest::collection::vec("[0-9a-f-]{14,18}|[ab0-9.-]{0,6}", 3)) {
            let [a, b, c] = names.as_slice() else { return Ok(()) };
            prop_assert!(compare_ids(a, b) == compare_ids(b, a).reverse());
            if compare_ids(a, b).is_le() && compare_ids(b, c).is_le() {
                prop_assert!(compare_ids(a, c).is_le(), "{a} {b} {c}");
            }
        }
    }
}
