//! Where the members of a wide object stand, so that one is found without trying all.

use std::sync::Arc;

use crate::model::Json;

/// Places of members by their names.
#[derive(Debug)]
pub(crate) struct Places {
    /// Places, each where its name sends it or behind that; a power of two long and at most half full.
    table: Vec<u32>,
    /// How many members it knows of; those behind came later.
    pub(crate) known: usize,
    /// Whether the names fall onto each other too much: then it knows of none.
    pub(crate) is_given_up: bool,
}

/// No place.
const FREE: u32 = u32::MAX;

/// So far behind where it is sent a name may stand.
const MOST_STEPS: usize = 64;

impl Places {
    /// The places of these members; of a name that stands twice, the last.
    pub(crate) fn of(members: &[(Arc<str>, Json)]) -> Self {
        let mut places = Self {
            table: vec![FREE; (2 * members.len()).next_power_of_two()],
            known: members.len(),
            is_given_up: false,
        };
        for (place, (name, _)) in members.iter().enumerate() {
            let at = places.slot(name, members);
            match at.and_then(|at| places.table.get_mut(at)) {
                Some(slot) => *slot = place as u32,
                // Somebody may have chosen the names so that they do.
                None => return Self { table: Vec::new(), known: 0, is_given_up: true },
            }
        }
        places
    }

    /// Where the member of a name stands among those known.
    pub(crate) fn find(&self, name: &str, members: &[(Arc<str>, Json)]) -> Option<usize> {
        let place = *self.table.get(self.slot(name, members)?)?;
        (place != FREE).then_some(place as usize)
    }

    /// The slot that a name has or would get.
    fn slot(&self, name: &str, members: &[(Arc<str>, Json)]) -> Option<usize> {
        let mask = self.table.len().checked_sub(1)?;
        let start = spread(name);
        (0..=mask.min(MOST_STEPS)).map(|step| (start + step) & mask).find(|at| {
            let place = self.table.get(*at).copied().unwrap_or(FREE);
            place == FREE || members.get(place as usize).is_some_and(|(other, _)| **other == *name)
        })
    }
}

/// Where a name is sent.
fn spread(name: &str) -> usize {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (chunks, rest) = name.as_bytes().as_chunks::<8>();
    let last = rest.iter().fold(name.len() as u64, |word, byte| word << 8 | u64::from(*byte));
    let words = chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)).chain([last]);
    let mixed = words.fold(0_u64, |mixed, word| (mixed ^ word).wrapping_mul(SPREAD).rotate_left(29));
    (mixed >> 16) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_fall_onto_each_other_are_given_up() {
        // The next name is whatever goes where the first does.
        let first = spread("0");
        let bad = (0..4_000_000_u32)
            .map(|number| number.to_string())
            .filter(|name| (spread(name) ^ first) & 0xff == 0);
        let members: Vec<_> = bad.take(100).map(|name| (name.into(), Json::Null)).collect();
        let places = Places::of(&members);
        assert_eq!((members.len(), places.is_given_up, places.known), (100, true, 0));
        let good: Vec<_> = (0..100_u32).map(|number| (number.to_string().into(), Json::Null)).collect();
        let places = Places::of(&good);
        assert!(!places.is_given_up);
        assert!((0..100).all(|place: usize| places.find(&place.to_string(), &good) == Some(place)));
        assert_eq!(places.find("100", &good), None);
    }
}
