//! Where the index of the open store came from, and how sure it is that it still says what the store holds.

use std::{sync::Arc, time::Duration};

use crate::{
    session::{
        cache::CacheQuestion,
        job::{Job, Question, Slot},
        view::grouped,
    },
    store::{
        EventStore,
        cache::{Before, Cache, Nothing, Saved},
        index::Index,
    },
};

/// A store that was written to is read anew once nothing came for so long, and for
/// [a while more](QUIET_PER_EVENT) for each of its events.
const QUIET: Duration = Duration::from_secs(10);

/// Some ten times as long as its scan takes, so that a store with a lively writer is not read all the time.
const QUIET_PER_EVENT: Duration = Duration::from_micros(4);

/// Where the index comes from, and how sure that is.
#[derive(Debug)]
pub(crate) struct Origin {
    /// `None` where nothing is kept.
    pub(super) cache: Option<Cache>,
    pub(super) stage: Stage,
    proof: Proof,
    /// How long the scan has taken.
    scanned_for: Duration,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// The cache is asked.
    Asked,
    /// A scan makes it, since there was nothing of use. What the store looked like before, if it is to be kept.
    Scanning(Nothing, Option<Box<Before>>),
    /// A scan made it.
    Scanned(Nothing, Option<Saved>),
    /// It was kept; when, in words, and how many events came since.
    Kept { written: String, caught_up: usize },
}

/// How sure it is that older events are still what the index says of them. New ones are always read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// A scan has read them all, and nothing was written since.
    Whole,
    /// The store was written to since, and they were looked at here and there. Nothing came for so long.
    Sampled(Duration),
    /// A scan in the background reads them all. Whether the store was written to meanwhile.
    Checking { has_grown: bool },
    /// That scan was stopped.
    Stopped,
}

impl Origin {
    /// How an index is to be found. A cache that said what was not so is not asked a second time.
    pub(crate) fn new(cache: Option<Cache>, is_distrusted: bool) -> Self {
        let nothing = || Nothing::Other("older events in it were changed".into());
        let stage = match &cache {
            Some(_) if !is_distrusted => Stage::Asked,
            Some(_) => Stage::Scanning(nothing(), None),
            None => Stage::Scanning(Nothing::NoIdentity, None),
        };
        Self { cache, stage, proof: Proof::Whole, scanned_for: Duration::ZERO }
    }

    /// The first job: to ask the cache, or to scan.
    pub(crate) fn job(&self, store: &Arc<dyn EventStore>) -> Job {
        let store = Arc::clone(store);
        match (&self.stage, &self.cache) {
            (Stage::Asked, Some(cache)) => {
                let question = Question::Cache(CacheQuestion::Find(cache.clone(), store));
                Job { slot: Slot::Cache, question }
            }
            (_, _) => Job { slot: Slot::Index, question: Question::Index(store) },
        }
    }

    /// Time passes. Tells whether the index, of so many events, is to be [checked](Self::check) now.
    pub(crate) fn tick(&mut self, elapsed: Duration, events: usize) -> bool {
        if matches!(self.stage, Stage::Scanning(..)) {
            self.scanned_for += elapsed;
        }
        let Proof::Sampled(quiet) = &mut self.proof else { return false };
        *quiet += elapsed;
        *quiet >= QUIET + QUIET_PER_EVENT * u32::try_from(events).unwrap_or(u32::MAX)
    }

    /// The store was written to while it was open, and the index follows it.
    pub(crate) fn has_followed(&mut self) {
        self.proof = match self.proof {
            Proof::Whole | Proof::Sampled(_) => Proof::Sampled(Duration::ZERO),
            Proof::Checking { .. } => Proof::Checking { has_grown: true },
            Proof::Stopped => Proof::Stopped,
        }
    }

    /// Reads the whole store in the background, and holds against it what is shown.
    pub(crate) fn check(&mut self, store: &Arc<dyn EventStore>, index: &Arc<Index>) -> Job {
        self.proof = Proof::Checking { has_grown: false };
        let question = CacheQuestion::Check(self.cache.clone(), Arc::clone(store), Arc::clone(index));
        Job { slot: Slot::CacheCheck, question: Question::Cache(question) }
    }

    /// The check has ended, and found what is shown; tells whether it was awaited.
    pub(super) fn is_checked(&mut self) -> bool {
        let Proof::Checking { has_grown } = self.proof else { return false };
        self.proof = if has_grown { Proof::Sampled(Duration::ZERO) } else { Proof::Whole };
        true
    }

    /// The check was stopped.
    pub(super) fn check_stopped(&mut self) {
        if self.is_unproven() {
            self.proof = Proof::Stopped;
        }
    }

    /// Whether what is shown is being checked, and may still prove wrong.
    pub(crate) fn is_unproven(&self) -> bool {
        matches!(self.proof, Proof::Checking { .. })
    }

    /// Whether a check is to come in a while.
    pub(crate) fn needs_time(&self) -> bool {
        matches!(self.proof, Proof::Sampled(_))
    }

    /// For people; `None` where there is nothing to say: a scan made it, and nothing is kept anyway.
    pub(crate) fn words(&self) -> Option<String> {
        if self.cache.is_none() && self.proof == Proof::Whole {
            return None;
        }
        let since = |caught_up: &usize| match caught_up {
            0 => String::new(),
            1 => ", and 1 event since".to_owned(),
            events => format!(", and {} events since", grouped(*events as u64)),
        };
        let from = match &self.stage {
            Stage::Asked => "looked for in the cache".to_owned(),
            Stage::Scanning(why, _) => format!("being made{}", why_words(why)),
            Stage::Scanned(why, saved) => {
                let seconds = self.scanned_for.as_secs_f64();
                let time = if seconds < 0.1 { String::new() } else { format!(" in {seconds:.1} s") };
                format!("made by a scan{time}{}{}", why_words(why), saved.as_ref().map_or("", saved_words))
            }
            Stage::Kept { written, caught_up } => format!("from the cache{written}{}", since(caught_up)),
        };
        Some(from + self.proof.words())
    }
}

impl Proof {
    /// What follows the words of where an index comes from.
    fn words(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Sampled(_) => "; the store was written to since, and is read anew when it rests",
            Self::Checking { .. } => "; being checked",
            Self::Stopped => "; not checked: the check was stopped",
        }
    }
}

fn why_words(why: &Nothing) -> String {
    match why {
        Nothing::NotKept | Nothing::NoIdentity => String::new(),
        Nothing::Other(why) => format!("; the cache's was of no use: {why}"),
        Nothing::Damaged(how) => format!("; the cache's file was thrown away: {how}"),
    }
}

fn saved_words(saved: &Saved) -> &'static str {
    match saved {
        Saved::Written(_) => "; kept in the cache",
        Saved::TooSmall | Saved::NoIdentity | Saved::Unwanted => "",
        Saved::TooLarge => "; not kept: larger than the cache may be",
        Saved::Refused(_) => "; not kept: the cache's folder cannot be written to",
    }
}
