//! Where the members of a wide object stand, so that one is found without trying all.

use std::sync::Arc;

use crate::model::{Json, json_parse::Names};

/// Places of members by their names.
#[derive(Debug)]
pub(crate) struct Places {
    /// Places, each where its name sends it or behind that; a power of two long and at most half full.
    table: Vec<u32>,
    /// How many members it knows of; those behind came later.
    pub(crate) known: usize,
}

/// No place.
const FREE: u32 = u32::MAX;

impl Places {
    /// The places of these members; of a name that stands twice, the last.
    pub(crate) fn of(members: &[(Arc<str>, Json)]) -> Self {
        let mut places =
            Self { table: vec![FREE; (2 * members.len()).next_power_of_two()], known: members.len() };
        for (place, (name, _)) in members.iter().enumerate() {
            let at = places.slot(name, members);
            if let Some(slot) = at.and_then(|at| places.table.get_mut(at)) {
                *slot = place as u32;
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
        let start = Names::place(name);
        (0..=mask).map(|step| (start + step) & mask).find(|at| {
            let place = self.table.get(*at).copied().unwrap_or(FREE);
            place == FREE || members.get(place as usize).is_some_and(|(other, _)| **other == *name)
        })
    }
}
