//! How long what the user may ask for would take, said beside the button: from what was measured of this store
//! since it was opened, and before that from a trial of a few thousand events.
//!
//! No clock is read here: whoever runs jobs tells how many steps each did in which time.

use std::{sync::Arc, time::Duration};

use crate::{
    model::EventQuery,
    projection::{Definition, coverage::most_handled},
    session::{
        job::{Answer, Job, Question, Slot},
        opened::Opened,
        view::grouped,
    },
    store::{
        EventStore, KeyRange, StoreResult,
        index::Index,
        read::{Body, Onward, Wanted},
        search::{Newest, Sieve, Sought, search_ranges},
    },
    work::{
        Work,
        estimate::{Estimate, Speeds, Task},
    },
};

/// What is tried out on some events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trial {
    /// Reading them once, so that what is measured then is no cold disk: most of what a user asks for is read more
    /// than once.
    WarmUp,
    /// Reading them with their payloads.
    Read,
    /// Looking for a text that none of them holds.
    Search,
}

/// A trial to be made.
pub struct TrialQuestion {
    store: Arc<dyn EventStore>,
    index: Arc<Index>,
    trial: Trial,
}

/// What a trial found beside the time that it took, which whoever ran it knows.
pub struct TrialAnswer {
    trial: Trial,
    /// How many events were read, and how many bytes of payloads they have; nothing of a search.
    read: Option<(u64, u64)>,
}

/// Of fewer events everything is soon done, and nothing is tried.
const WORTH_TRYING: usize = 50_000;

/// At so many places of the log events are tried, evenly far apart.
const PLACES: usize = 4;

/// So many at each of them are read.
const EVENTS: usize = 2_500;

/// So many are searched: what it takes to begin must not count for much.
const SEARCHED: usize = 40_000;

/// A text that payloads hardly hold.
const UNHEARD_OF: &str = "\u{2058}no payload holds this\u{2058}";

/// What is known of how long things take.
#[derive(Default)]
pub(crate) struct Estimates {
    speeds: Speeds,
    /// Bytes of payload an event.
    bytes: Option<f64>,
}

impl Slot {
    /// The work that is done in it, if its steps are events or rows.
    fn task(self) -> Option<Task> {
        Some(match self {
            Self::Index | Self::CacheCheck => Task::Index,
            Self::Trial(Trial::Read) => Task::Read,
            Self::Trial(Trial::Search) | Self::Payloads => Task::Search,
            Self::Fold => Task::Fold,
            Self::Rebuild(_) => Task::Rebuild,
            Self::Drift => Task::Table,
            Self::Verify => Task::Verify,
            Self::SnapshotCost => Task::Cost,
            Self::Hits | Self::Run => Task::Find,
            Self::Across => Task::Across,
            Self::WatchSeries => Task::Follow,
            Self::Compare | Self::WhatIf => Task::Compare,
            Self::BlameWrites => Task::Blame,
            Self::BlameCopy | Self::Export => Task::Copy,
            Self::ModelExport => Task::Export,
            _ => return None,
        })
    }
}

impl TrialQuestion {
    /// Tries it out.
    pub fn run(self, work: &Work) -> StoreResult<Answer> {
        let Self { store, index, trial } = self;
        let read = match trial {
            Trial::WarmUp | Trial::Read => Some(read(&*store, &ranges(&index, EVENTS), work)?),
            Trial::Search => {
                let ranges = ranges(&index, SEARCHED);
                let sought = Sought::Text { text: UNHEARD_OF.into(), is_exact_case: false };
                if let Ok(sieve) = Sieve::new(&sought) {
                    let wanted = (&sieve, &Arc::new(EventQuery::default()));
                    search_ranges(&*store, work, wanted, &ranges, (Newest::Last, 1))?;
                }
                None
            }
        };
        Ok(Answer::Tried(TrialAnswer { trial, read }))
    }
}

/// Some events at each of some places.
fn ranges(index: &Index, events: usize) -> Vec<KeyRange> {
    let events = events.min((index.len() / PLACES).saturating_sub(1));
    let key = |ordinal: usize| u32::try_from(ordinal).ok().and_then(|ordinal| index.key(ordinal));
    let range = |place: usize| {
        let first = index.len() / PLACES * place;
        Some(KeyRange { after: Some(key(first)?), until: Some(key(first + events)?) })
    };
    (0..PLACES).filter_map(range).collect()
}

fn read(store: &dyn EventStore, ranges: &[KeyRange], work: &Work) -> StoreResult<(u64, u64)> {
    let (mut events, mut bytes) = (0, 0);
    let length = |body: &Body<'_>| match body {
        Body::Json(text) => text.len() as u64,
        Body::Absent | Body::Unreadable(_) => 0,
    };
    for range in ranges {
        store.read(work, range, Wanted::All, &mut |row| {
            events += 1;
            bytes += length(&row.data) + length(&row.metadata);
            Onward::On
        })?;
    }
    Ok((events, bytes))
}

impl Opened {
    /// A job in a slot did so many steps in so much time.
    pub(crate) fn note_speed(&mut self, slot: Slot, steps: u64, time: Duration) {
        // What says nothing of other searches is not remembered.
        let is_other = slot == Slot::Payloads && self.payloads.is_unlike_others();
        if let Some(task) = slot.task().filter(|_| !is_other) {
            self.estimates.speeds.note(task, steps, time);
        }
    }

    pub(crate) fn take_trial(&mut self, answer: &TrialAnswer) -> Vec<Job> {
        if let Some((events, bytes)) = answer.read.filter(|(events, _)| *events > 0) {
            self.estimates.bytes = Some(bytes as f64 / events as f64);
        }
        match answer.trial {
            Trial::WarmUp => [Trial::Read, Trial::Search]
                .map(|trial| self.trial_job(trial))
                .into_iter()
                .flatten()
                .collect(),
            Trial::Read | Trial::Search => Vec::new(),
        }
    }

    /// Tries out what nothing is known of yet, once all events are known.
    pub(crate) fn trial_jobs(&self) -> Vec<Job> {
        let is_known = self.estimates.speeds.knows(Task::Read);
        self.trial_job(Trial::WarmUp).filter(|_| !is_known).into_iter().collect()
    }

    fn trial_job(&self, trial: Trial) -> Option<Job> {
        let index = self.whole_index().filter(|index| index.len() >= WORTH_TRYING)?;
        let question = TrialQuestion { store: Arc::clone(&self.store), index: Arc::clone(index), trial };
        Some(Job { slot: Slot::Trial(trial), question: Question::Trial(question) })
    }

    /// What is known of work over so many events.
    pub(crate) fn estimate(&self, task: Task, events: u64) -> Estimate {
        let bytes = self.estimates.bytes.map(|bytes| (bytes * events as f64) as u64);
        self.estimates.speeds.estimate(task, events, bytes)
    }

    /// What is known of a rebuild. It passes over all events; of what it reads at least only those count that are
    /// handled.
    pub(crate) fn estimate_of_rebuild(&self, definition: &Definition) -> Estimate {
        let Some(index) = self.whole_index() else { return Estimate::default() };
        let all = index.len() as u64;
        let known = self.estimates.speeds.knows(Task::Rebuild);
        let read = if known { all } else { most_handled(definition, index) };
        Estimate { events: all, ..self.estimate(Task::Rebuild, read) }
    }

    /// The same of work over the events of the chosen stream, in words.
    pub(crate) fn words_of_stream(&self, task: Task) -> Option<Arc<str>> {
        let events = self.index.as_ref()?.stream_events(self.browse.focus?).len();
        event_words(self.estimate(task, events as u64))
    }

    /// The same over all events.
    pub(crate) fn estimate_of_all(&self, task: Task) -> Estimate {
        self.estimate(task, self.whole_index().map_or(0, |index| index.len() as u64))
    }
}

/// "1 000 000 events · about 12 s"; nothing if it is soon done.
pub(crate) fn event_words(estimate: Estimate) -> Option<Arc<str>> {
    estimate.words(|events| format!("{} events", grouped(events))).map(Arc::from)
}

/// "1 000 000 rows · about 12 s"; nothing if it is soon done.
pub(crate) fn row_words(estimate: Estimate) -> Option<Arc<str>> {
    estimate.words(|rows| format!("{} rows", grouped(rows))).map(Arc::from)
}

/// What a button does, and how long that takes at most, if it is not soon done.
#[must_use]
pub fn with_estimate(help: &str, words: Option<&Arc<str>>) -> String {
    words.map_or_else(|| help.to_owned(), |words| format!("{help}: up to {words}"))
}
