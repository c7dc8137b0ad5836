//! How the memory for everything but the index is shared: the histories in use get most of it, those that
//! were shown before are kept while there is room, and the one that nobody needed longest goes first.
//!
//! Scripts' engines are measured. Those that wait for the next fold keep within what is set aside for them; where
//! those at work take more, the histories get less.

use std::sync::Arc;

use crate::{
    replay::{History, OnFailure},
    script::{EngineFigures, bound_idle_engines},
    session::{
        job::{Answer, Job, Question, Slot},
        opened::Opened,
        view::grouped,
    },
    store::index::Index,
};

/// Every history that is open or was shown before.
pub(crate) struct Histories {
    limit_bytes: usize,
    /// The one shown last stands last.
    known: Vec<Known>,
    /// What engines took when they were measured last.
    engines: EngineFigures,
}

struct Known {
    /// What it is the history of, if it may be shown again.
    of: Option<HistoryOf>,
    history: Arc<History>,
}

/// A recorded history by what decides what is in it.
#[derive(Clone)]
pub(crate) struct HistoryOf {
    pub(crate) index: Arc<Index>,
    pub(crate) stream: u32,
    pub(crate) generation: u64,
    pub(crate) on_failure: OnFailure,
}

/// What a job does about memory, since freeing much of it takes longer than a frame.
#[derive(Default)]
pub struct Settling {
    forget: Vec<Arc<History>>,
    budgets: Vec<(Arc<History>, usize)>,
    /// What all engines together may take for those that wait to be kept.
    idle_engines: usize,
}

/// What a part of the memory takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryPart {
    /// What it is for, in words.
    pub name: &'static str,
    /// How much it takes, in bytes.
    pub bytes: u64,
}

/// One part in so many is for histories that were shown before, one for pages and scripts' engines, and the
/// rest for the histories in use.
const PARTS: usize = 8;

/// So many histories are kept at most though nobody looks at them.
const MOST_KEPT: usize = 16;

impl Histories {
    pub(crate) fn new(mebibytes: u64) -> Self {
        let mut histories = Self { limit_bytes: 0, known: Vec::new(), engines: EngineFigures::default() };
        histories.set_limit(mebibytes);
        histories
    }

    /// From now on all of them may take so much together.
    pub(crate) fn set_limit(&mut self, mebibytes: u64) {
        self.limit_bytes = usize::try_from(mebibytes).unwrap_or(usize::MAX >> 20).saturating_mul(1 << 20);
    }

    /// What the next history may take.
    pub(crate) fn share(&self) -> usize {
        self.share_of(self.in_use().count() + 1)
    }

    /// A history that was shown before.
    pub(crate) fn kept(&self, of: &HistoryOf) -> Option<Arc<History>> {
        let is_it = |known: &&Known| known.of.as_ref().is_some_and(|other| other.is_same(of));
        self.known.iter().find(is_it).map(|known| Arc::clone(&known.history))
    }

    /// A history is shown, again or for the first time.
    pub(crate) fn admit(&mut self, of: Option<HistoryOf>, history: &Arc<History>) {
        self.known.retain(|known| !Arc::ptr_eq(&known.history, history));
        self.known.push(Known { of, history: Arc::clone(history) });
    }

    /// A history is used beside the one that is shown.
    pub(crate) fn note(&mut self, history: &Arc<History>) {
        if !self.known.iter().any(|known| Arc::ptr_eq(&known.history, history)) {
            self.known.push(Known { of: None, history: Arc::clone(history) });
        }
    }

    /// Shares the memory anew; a job if something has to be given back.
    pub(crate) fn settle(&mut self) -> Option<Job> {
        let mut settling = self.measuring();
        let room = self.limit_bytes / PARTS;
        let (mut kept, mut bytes) = (0, 0);
        let mut known = std::mem::take(&mut self.known);
        while let Some(entry) = known.pop() {
            if is_in_use(&entry.history) {
                self.known.push(entry);
                continue;
            }
            bytes += entry.history.bytes();
            if entry.of.is_some() && bytes <= room && kept < MOST_KEPT {
                kept += 1;
                self.known.push(entry);
            } else {
                settling.forget.push(entry.history);
            }
        }
        self.known.reverse();
        let share = self.share_of(self.in_use().count());
        let others = self.in_use().filter(|history| history.budget_bytes() != share);
        settling.budgets = others.map(|history| (Arc::clone(history), share)).collect();
        let is_any = !settling.forget.is_empty() || !settling.budgets.is_empty();
        is_any.then(|| Job { slot: Slot::Memory, question: Question::Settle(settling) })
    }

    /// Finds out what engines take.
    pub(crate) fn measure(&self) -> Job {
        Job { slot: Slot::Memory, question: Question::Settle(self.measuring()) }
    }

    fn measuring(&self) -> Settling {
        Settling { idle_engines: self.limit_bytes / PARTS, ..Settling::default() }
    }

    /// What engines take was measured; a job if the histories get another share for it.
    pub(crate) fn take_engines(&mut self, engines: EngineFigures) -> Option<Job> {
        self.engines = engines;
        self.settle()
    }

    /// What each part takes. Engines are told of only where there are scripts.
    pub(crate) fn parts(&self, has_scripts: bool) -> Vec<MemoryPart> {
        let mut bytes = [0; 3];
        for known in &self.known {
            let (states, changes) = known.history.taken();
            let [of_states, of_changes, of_kept] = &mut bytes;
            if is_in_use(&known.history) {
                *of_states += states;
                *of_changes += changes;
            } else {
                *of_kept += states + changes;
            }
        }
        let names = ["States", "What changed them", "Streams shown before"];
        let engines = has_scripts.then_some(("Scripts", self.engines.bytes));
        let parts = names.into_iter().zip(bytes).chain(engines);
        parts.map(|(name, bytes)| MemoryPart { name, bytes: bytes as u64 }).collect()
    }

    /// How much is taken, in words.
    pub(crate) fn words(&self) -> String {
        let mebibytes = |bytes: usize| grouped(bytes as u64 >> 20);
        let all: usize = self.known.iter().map(|known| known.history.bytes()).sum();
        let in_use = self.in_use().count();
        format!(
            "{} of {} MiB for {in_use} in use and {} kept",
            mebibytes(all),
            mebibytes(self.limit_bytes),
            self.known.len() - in_use
        )
    }

    fn share_of(&self, count: usize) -> usize {
        let part = self.limit_bytes / PARTS;
        // In coarse steps, so that the shares do not change with every measurement.
        let step = (part / 4).max(1);
        let excess = self.engines.bytes.saturating_sub(part).div_ceil(step) * step;
        (part * (PARTS - 2)).saturating_sub(excess).max(part) / count.max(1)
    }

    fn in_use(&self) -> impl Iterator<Item = &Arc<History>> {
        self.known.iter().map(|known| &known.history).filter(|history| is_in_use(history))
    }
}

/// Whether anybody but us holds it.
fn is_in_use(history: &Arc<History>) -> bool {
    Arc::strong_count(history) > 1
}

impl Opened {
    /// So much memory may be taken beside the index from now on.
    pub(crate) fn share_memory(&mut self, mebibytes: u64) {
        self.histories.set_limit(mebibytes);
        let beside: Vec<Arc<History>> =
            self.compared_histories().chain(self.branch_history()).map(Arc::clone).collect();
        for history in &beside {
            self.histories.note(history);
        }
    }
}

impl Opened {
    /// What each part of the memory takes; the index stands last and is beside the limit.
    pub(crate) fn memory_parts(&self) -> Vec<MemoryPart> {
        let index = self.index.as_ref().map_or(0, |index| index.memory_bytes() as u64);
        let mut parts = self.histories.parts(self.scripts.has_reducers());
        parts.push(MemoryPart { name: "The index, beside it", bytes: index });
        parts
    }
}

impl HistoryOf {
    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.index, &other.index)
            && (self.stream, self.generation, self.on_failure)
                == (other.stream, other.generation, other.on_failure)
    }
}

impl Settling {
    /// Gives memory back, and tells what engines take.
    pub(crate) fn run(self) -> Answer {
        bound_idle_engines(self.idle_engines);
        drop(self.forget);
        for (history, bytes) in self.budgets {
            history.set_budget(bytes);
        }
        Answer::Settled(EngineFigures::now())
    }
}

impl std::fmt::Debug for Settling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settling")
            .field("forget", &self.forget.len())
            .field("budgets", &self.budgets.len())
            .field("idle_engines", &self.idle_engines)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        model::{Json, StreamName},
        replay::{HeldEvents, Merge},
        store::memory::{MemoryStore, event},
        work::Work,
    };

    use super::*;

    /// A folded history of so many events, each of which adds a kilobyte to the state.
    fn history(events: usize, budget: usize) -> Arc<History> {
        let stream = StreamName::of("order", "1");
        let data = |number: usize| Json::object([(format!("m{number}"), Json::from("x".repeat(1000)))]);
        let events = (1..=events).map(|number| event(number as i64, &stream, 1, "Added", data(number)));
        let events = Arc::new(HeldEvents(events.collect()));
        let merge = Arc::new(Merge::for_category(None));
        let history = History::new(events, merge, OnFailure::GoOn, budget);
        history.fold_all(&Work::default()).unwrap();
        Arc::new(history)
    }

    fn settled(histories: &mut Histories) {
        if let Some(Job { question: Question::Settle(settling), .. }) = histories.settle() {
            settling.run();
        }
    }

    #[test]
    fn the_one_that_nobody_needed_longest_goes_first() {
        let store = MemoryStore::new([]);
        let index = Arc::new(Index::build(&store, &Work::default()).unwrap());
        let of = |stream| HistoryOf {
            index: Arc::clone(&index),
            stream,
            generation: 1,
            on_failure: OnFailure::GoOn,
        };
        // A megabyte for those that are kept: room for two of these.
        let mut histories = Histories::new(8);
        for stream in 0..4 {
            histories.admit(Some(of(stream)), &history(400, histories.share()));
            settled(&mut histories);
        }
        let kept: Vec<bool> = (0..4).map(|stream| histories.kept(&of(stream)).is_some()).collect();
        assert_eq!(kept, [false, false, true, true], "{}", histories.words());
        let again = histories.kept(&of(2)).unwrap();
        histories.admit(Some(of(2)), &again);
        drop(again);
        histories.admit(Some(of(5)), &history(400, histories.share()));
        settled(&mut histories);
        assert!(histories.kept(&of(2)).is_some() && histories.kept(&of(3)).is_none());
    }

    #[test]
    fn those_in_use_share_most_of_it() {
        let mut histories = Histories::new(8);
        let first = history(10, histories.share());
        assert_eq!(first.budget_bytes(), 6 << 20);
        histories.admit(None, &first);
        assert!(histories.settle().is_none());
        let second = history(10, histories.share());
        histories.admit(None, &second);
        settled(&mut histories);
        assert_eq!((first.budget_bytes(), second.budget_bytes()), (3 << 20, 3 << 20));
        drop(second);
        settled(&mut histories);
        assert_eq!(first.budget_bytes(), 6 << 20);
        assert_eq!(histories.words(), "0 of 8 MiB for 1 in use and 0 kept");
    }

    #[test]
    fn engines_that_take_more_than_is_set_aside_leave_less_for_histories() {
        let mut histories = Histories::new(8);
        let first = history(400, histories.share());
        histories.admit(None, &first);
        let share_with = |histories: &mut Histories, bytes| {
            if let Some(Job { question: Question::Settle(settling), .. }) =
                histories.take_engines(EngineFigures { count: 1, bytes })
            {
                settling.run();
            }
            first.budget_bytes()
        };
        assert_eq!(share_with(&mut histories, 1 << 20), 6 << 20);
        assert_eq!(share_with(&mut histories, (2 << 20) - 5), 5 << 20);
        assert_eq!(share_with(&mut histories, 2 << 20), 5 << 20);
        assert_eq!(share_with(&mut histories, 100 << 20), 1 << 20, "never nothing");
        let taken: Vec<u64> = histories.parts(true).iter().map(|part| part.bytes).collect();
        assert!(matches!(*taken, [states, _, 0, 104_857_600] if states > 100_000), "{taken:?}");
        assert_eq!(histories.parts(false).len(), 3);
        assert_eq!(share_with(&mut histories, 0), 6 << 20);
    }
}
