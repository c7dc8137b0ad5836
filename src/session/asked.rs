//! Whose answers are still wanted: what was asked of a store that was left says nothing about the store that is
//! open now.

use std::collections::BTreeSet;

use crate::session::job::{Job, Slot};

/// What was asked, of the open store and of those before it.
#[derive(Default)]
pub(crate) struct AskedSlots {
    /// Asked since the last store was left.
    of_this: BTreeSet<Slot>,
    /// Asked of a store that was left, and not asked since.
    of_left: BTreeSet<Slot>,
    /// Whether a store was left, and nobody has stopped its jobs yet.
    has_left: bool,
}

impl AskedSlots {
    /// Jobs are started, of the open store if there is one.
    pub(crate) fn start(&mut self, jobs: &[Job], has_store: bool) {
        // What is written last of a store that is left tells nothing about the next one.
        for Job { slot, .. } in jobs.iter().filter(|job| has_store || job.slot != Slot::Keep) {
            self.of_left.remove(slot);
            self.of_this.insert(*slot);
        }
    }

    /// The store is left, or the one that was being opened.
    pub(crate) fn leave(&mut self) {
        self.has_left = true;
        self.of_left.append(&mut self.of_this);
        // The same for every store.
        self.of_left.remove(&Slot::CacheFolder);
    }

    /// Whether the answer in a slot belongs to a store that was left.
    pub(crate) fn is_of_left(&self, slot: Slot) -> bool {
        self.of_left.contains(&slot)
    }

    /// Whether a store was left since the last call.
    pub(crate) fn take_left(&mut self) -> bool {
        std::mem::take(&mut self.has_left)
    }
}
