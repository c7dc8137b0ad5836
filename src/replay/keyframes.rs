//! States kept in memory so that seeking folds little.
//!
//! States share their nodes, so a keyframe costs what changed since the one before. A budget
//! bounds all of them together: when it is spent, every second keyframe goes and the distance
//! doubles, so that a long history keeps an even grid and seeks slow down in steps, not at once.
//! Where the grid has become coarse, or is not there yet, a few states around the last seeks keep
//! single steps short.

use std::collections::{BTreeMap, VecDeque};

use crate::model::{Array, Json};

/// A state after each so many events, and a few states where the user was last.
#[derive(Debug, Clone)]
pub struct Keyframes {
    every: usize,
    budget_bytes: usize,
    grid: BTreeMap<usize, Kept>,
    grid_bytes: usize,
    /// States around the last seeks, which need not lie on the grid.
    near: BTreeMap<usize, Kept>,
    near_bytes: usize,
    /// Those states in the order in which they came.
    near_order: VecDeque<usize>,
}

#[derive(Debug, Clone)]
struct Kept {
    state: Json,
    /// What it holds that the keyframe before it does not, in bytes.
    own_bytes: usize,
}

impl Keyframes {
    /// The first distance between keyframes, in events. At a hundred a random seek of a 1 KB state
    /// takes well under a millisecond, most of which is reading the events.
    pub const FIRST_DISTANCE: usize = 100;

    /// States kept around the last seeks: those of about four seeks over a coarse grid.
    const NEAR: usize = 32;

    /// One part in so many of the budget is for the states around the last seeks.
    const NEAR_SHARE: usize = 8;

    /// None yet. The budget is for all of them together.
    #[must_use]
    pub fn new(budget_bytes: usize) -> Self {
        Self {
            every: Self::FIRST_DISTANCE,
            budget_bytes,
            grid: BTreeMap::new(),
            grid_bytes: 0,
            near: BTreeMap::new(),
            near_bytes: 0,
            near_order: VecDeque::new(),
        }
    }

    /// Whether the state after `count` events would be kept: it is on the grid and not there yet.
    #[must_use]
    pub fn wants(&self, count: usize) -> bool {
        count.is_multiple_of(self.every) && !self.grid.contains_key(&count)
    }

    /// The first count behind this one whose state may be wanted.
    #[must_use]
    pub fn next_wanted(&self, count: usize) -> usize {
        (count / self.every + 1) * self.every
    }

    /// Offers the state after `count` events.
    pub fn offer(&mut self, count: usize, state: &Json) {
        if !self.wants(count) {
            return;
        }
        let kept = self.kept(count, state);
        self.grid_bytes += kept.own_bytes;
        self.grid.insert(count, kept);
        self.keep_within_budget();
    }

    /// Keeps the state after `count` events for a while, on the grid or not, because the user is
    /// likely to look around there.
    pub fn keep_near(&mut self, count: usize, state: &Json) {
        if self.grid.contains_key(&count) || self.near.contains_key(&count) {
            return;
        }
        let kept = self.kept(count, state);
        self.near_bytes += kept.own_bytes;
        self.near.insert(count, kept);
        self.near_order.push_back(count);
        self.keep_within_budget();
    }

    /// The last kept state at or before `count` events: how many events it is after, and the state.
    #[must_use]
    pub fn nearest(&self, count: usize) -> Option<(usize, Json)> {
        let last = |kept: &BTreeMap<usize, Kept>| {
            kept.range(..=count).next_back().map(|(at, kept)| (*at, kept.state.clone()))
        };
        match (last(&self.grid), last(&self.near)) {
            (Some(grid), Some(near)) => Some(if near.0 > grid.0 { near } else { grid }),
            (grid, near) => grid.or(near),
        }
    }

    /// The kept state that the fewest events part from the one after `count`, before or behind it.
    #[must_use]
    pub fn closest(&self, count: usize) -> Option<(usize, Json)> {
        let first = |kept: &BTreeMap<usize, Kept>| {
            kept.range(count..).next().map(|(at, kept)| (*at, kept.state.clone()))
        };
        let found = [self.nearest(count), first(&self.grid), first(&self.near)];
        found.into_iter().flatten().min_by_key(|(at, _)| at.abs_diff(count))
    }

    /// Takes over the states of another history up to and including the one after `up_to` events.
    pub fn adopt(&mut self, old: &Self, up_to: usize) {
        self.every = self.every.max(old.every);
        for (count, kept) in old.grid.range(..=up_to) {
            self.offer(*count, &kept.state);
        }
        for (count, kept) in old.near.range(..=up_to) {
            self.keep_near(*count, &kept.state);
        }
    }

    /// The distance between keyframes, in events.
    #[must_use]
    pub fn distance(&self) -> usize {
        self.every
    }

    /// How many states are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.grid.len() + self.near.len()
    }

    /// Whether nothing is kept yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.grid.is_empty() && self.near.is_empty()
    }

    /// About how much memory all kept states take together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.grid_bytes + self.near_bytes
    }

    /// How much memory they may take together, in bytes.
    #[must_use]
    pub fn budget_bytes(&self) -> usize {
        self.budget_bytes
    }

    /// From now on they may take so much together, in bytes.
    pub fn set_budget(&mut self, budget_bytes: usize) {
        self.budget_bytes = budget_bytes;
        self.keep_within_budget();
    }

    fn keep_within_budget(&mut self) {
        let budget = self.budget_bytes - self.budget_bytes / Self::NEAR_SHARE;
        while self.grid_bytes > budget && self.grid.len() > 2 {
            self.thin_out();
        }
        let budget = self.budget_bytes / Self::NEAR_SHARE;
        while self.near.len() > Self::NEAR || self.near_bytes > budget {
            let Some(oldest) = self.near_order.pop_front() else { break };
            let gone = self.near.remove(&oldest).map_or(0, |kept| kept.own_bytes);
            self.near_bytes = self.near_bytes.saturating_sub(gone);
        }
    }

    fn kept(&self, count: usize, state: &Json) -> Kept {
        let before = self.nearest(count).map_or(Json::Null, |(_, state)| state);
        Kept { state: state.clone(), own_bytes: added_bytes(&before, state) }
    }

    fn thin_out(&mut self) {
        self.every *= 2;
        let every = self.every;
        self.grid.retain(|count, _| count.is_multiple_of(every));
        let mut before = Json::Null;
        self.grid_bytes = 0;
        for kept in self.grid.values_mut() {
            kept.own_bytes = added_bytes(&before, &kept.state);
            self.grid_bytes += kept.own_bytes;
            before = kept.state.clone();
        }
    }
}

/// About how many bytes `new` needs that `old` does not already hold.
fn added_bytes(old: &Json, new: &Json) -> usize {
    /// A member: its name's pointer and its value.
    const MEMBER: usize = size_of::<(std::sync::Arc<str>, Json)>();
    if old.is_same_node(new) {
        return 0;
    }
    match new {
        Json::Null | Json::Bool(_) => 0,
        Json::Number(number) => number.own_bytes(),
        Json::Text(text) => 16 + text.len(),
        Json::Array(items) => 48 + added_items(old.as_array().unwrap_or_default(), items),
        Json::Object(object) => {
            let before = old.as_object();
            let inside = object.iter().enumerate().map(|(index, (name, value))| {
                // Members keep their places from state to state, so the look-up is nearly free.
                let twin = before.and_then(|before| match before.member(index) {
                    Some((other, value)) if other == name => Some(value),
                    _ => before.get(name),
                });
                added_bytes(twin.unwrap_or(&Json::Null), value)
            });
            48 + object.len() * MEMBER + inside.sum::<usize>()
        }
    }
}

/// The same for the items of an array, of which some may have gone at the front and some come at the end.
fn added_items(old: &Array, new: &Array) -> usize {
    let known: Vec<_> = old.chunks().collect();
    let mut chunks = new.chunks().peekable();
    if chunks.peek().is_none() {
        let first = new.get(0).unwrap_or(&Json::Null);
        let gone = old.iter().position(|item| item.is_same_node(first)).unwrap_or_default();
        return added_side_by_side(old.iter().skip(gone), new.iter());
    }
    let mut addresses: Vec<_> = known.iter().map(|(address, _)| *address).collect();
    addresses.sort_unstable();
    let added = chunks.map(|(address, items)| {
        if addresses.binary_search(&address).is_ok() {
            return size_of::<usize>();
        }
        // A chunk that was copied to be changed still begins as it did.
        let twin = items.first().and_then(|first| {
            known.iter().find(|(_, items)| items.first().is_some_and(|item| item.is_same_node(first)))
        });
        let before = twin.map(|(_, items)| *items).unwrap_or_default();
        48 + added_side_by_side(before.iter(), items.iter())
    });
    added.sum()
}

fn added_side_by_side<'a>(
    mut old: impl Iterator<Item = &'a Json>,
    new: impl Iterator<Item = &'a Json>,
) -> usize {
    new.map(|item| size_of::<Json>() + added_bytes(old.next().unwrap_or(&Json::Null), item)).sum()
}

#[cfg(test)]
mod tests {
    use super::Keyframes;
    use crate::model::Json;

    fn state(number: usize) -> Json {
        Json::object([("number", Json::from(number)), ("text", Json::from("x".repeat(100)))])
    }

    #[test]
    fn the_nearest_keyframe_is_at_or_before() {
        let mut keyframes = Keyframes::new(1 << 20);
        for count in 0..=1000 {
            keyframes.offer(count, &state(count));
        }
        assert_eq!(keyframes.nearest(99), Some((0, state(0))));
        assert_eq!(keyframes.nearest(100), Some((100, state(100))));
        assert_eq!(keyframes.nearest(999), Some((900, state(900))));
        assert_eq!(keyframes.closest(999), Some((1000, state(1000))));
        assert_eq!(keyframes.closest(930), Some((900, state(900))));
        assert_eq!(keyframes.len(), 11);
    }

    #[test]
    fn a_spent_budget_doubles_the_distance_and_is_kept() {
        let budget = 4000;
        let mut keyframes = Keyframes::new(budget);
        for count in 1..=100_000 {
            keyframes.offer(count, &state(count));
            assert!(keyframes.bytes() <= budget);
        }
        assert!(keyframes.distance() > 1000);
        let (at, found) = keyframes.nearest(100_000).unwrap();
        assert_eq!(found, state(at));
    }

    #[test]
    fn states_around_the_last_seeks_are_found_and_go_again() {
        let mut keyframes = Keyframes::new(1 << 20);
        keyframes.offer(0, &state(0));
        keyframes.keep_near(37, &state(37));
        assert_eq!(keyframes.nearest(36), Some((0, state(0))));
        assert_eq!(keyframes.nearest(99), Some((37, state(37))));
        for count in 1001..1100 {
            keyframes.keep_near(count, &state(count));
        }
        assert_eq!(keyframes.nearest(99), Some((0, state(0))), "the oldest went");
        assert!(keyframes.len() < 40);
    }

    #[test]
    fn what_is_taken_over_ends_where_it_should() {
        let mut old = Keyframes::new(1 << 20);
        for count in 0..=1000 {
            old.offer(count, &state(count));
        }
        let mut new = Keyframes::new(1 << 20);
        new.adopt(&old, 450);
        assert_eq!(new.nearest(1000), Some((400, state(400))));
        assert!(new.bytes() < old.bytes());
    }

    #[test]
    fn a_moving_window_pays_for_what_is_new_in_it() {
        let mut window: crate::model::Array = (0..2000).map(state).collect();
        let mut keyframes = Keyframes::new(64 << 20);
        let mut offer = |count: usize, window: &crate::model::Array| {
            let before = keyframes.bytes();
            keyframes.offer(count, &Json::object([("entries", Json::Array(window.clone()))]));
            keyframes.bytes() - before
        };
        let whole = offer(0, &window);
        for number in 2000..2100 {
            window.push(state(number));
            window.drop_first(1);
        }
        let moved = offer(100, &window);
        assert!(moved < whole / 12, "{moved} of {whole}");
    }

    #[test]
    fn shared_nodes_are_paid_once() {
        let shared = state(1);
        let wrap = |number: usize| Json::object([("same", shared.clone()), ("n", Json::from(number))]);
        let mut keyframes = Keyframes::new(1 << 20);
        keyframes.offer(0, &wrap(0));
        let first = keyframes.bytes();
        keyframes.offer(100, &wrap(1));
        assert!(keyframes.bytes() - first < first, "{} after {first}", keyframes.bytes());
    }
}
