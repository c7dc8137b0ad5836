//! States kept in memory so that seeking folds little.
//!
//! States share their nodes, so a keyframe costs what changed since the one before. A budget
//! bounds all of them together: when it is spent, every second keyframe goes and the distance
//! doubles, so that a long history keeps an even grid and seeks slow down in steps, not at once.

use std::collections::BTreeMap;

use crate::model::Json;

/// A state after each so many events.
#[derive(Debug, Clone)]
pub struct Keyframes {
    every: usize,
    budget_bytes: usize,
    states: BTreeMap<usize, Kept>,
}

#[derive(Debug, Clone)]
struct Kept {
    state: Json,
    /// What it holds that the keyframe before it does not, in bytes.
    own_bytes: usize,
}

impl Keyframes {
    /// The first distance between keyframes, in events. At a hundred a random seek of a 1 KB state
    /// stays near 0.2 ms, most of which is reading the events.
    const FIRST_DISTANCE: usize = 100;

    /// None yet. The budget is for all of them together.
    #[must_use]
    pub fn new(budget_bytes: usize) -> Self {
        Self { every: Self::FIRST_DISTANCE, budget_bytes, states: BTreeMap::new() }
    }

    /// Whether the state after `count` events would be kept: it is on the grid and not there yet.
    #[must_use]
    pub fn wants(&self, count: usize) -> bool {
        count.is_multiple_of(self.every) && !self.states.contains_key(&count)
    }

    /// Offers the state after `count` events.
    pub fn offer(&mut self, count: usize, state: &Json) {
        if !self.wants(count) {
            return;
        }
        let before = self.nearest(count).map_or(Json::Null, |(_, state)| state);
        let own_bytes = added_bytes(&before, state);
        self.states.insert(count, Kept { state: state.clone(), own_bytes });
        while self.bytes() > self.budget_bytes && self.states.len() > 2 {
            self.thin_out();
        }
    }

    /// The last keyframe at or before `count` events: how many events it is after, and its state.
    #[must_use]
    pub fn nearest(&self, count: usize) -> Option<(usize, Json)> {
        self.states.range(..=count).next_back().map(|(at, kept)| (*at, kept.state.clone()))
    }

    /// The distance between keyframes, in events.
    #[must_use]
    pub fn distance(&self) -> usize {
        self.every
    }

    /// How many states are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether nothing is kept yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// About how much memory all keyframes take together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.states.values().map(|kept| kept.own_bytes).sum()
    }

    fn thin_out(&mut self) {
        self.every *= 2;
        let every = self.every;
        self.states.retain(|count, _| count.is_multiple_of(every));
        let mut before = Json::Null;
        for kept in self.states.values_mut() {
            kept.own_bytes = added_bytes(&before, &kept.state);
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
        Json::Number(number) => 16 + number.as_str().len(),
        Json::Text(text) => 16 + text.len(),
        Json::Array(items) => {
            let before = old.as_array().unwrap_or_default();
            let inside = items
                .iter()
                .enumerate()
                .map(|(index, item)| added_bytes(before.get(index).unwrap_or(&Json::Null), item));
            48 + items.len() * size_of::<Json>() + inside.sum::<usize>()
        }
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
