//! Indexes kept between runs: asked for, checked by a scan in the background where that is not proven, and kept anew.

use std::{sync::Arc, time::Duration};

use crate::{
    session::{
        job::{Answer, Job, Question, Slot},
        notice::Notices,
        opened::Opened,
        origin::Stage,
    },
    store::{
        EventStore, StoreResult,
        cache::{Before, Cache, Checked, Found, Nothing, Saved},
        index::Index,
    },
    work::Work,
};

/// What is asked of the cache.
pub enum CacheQuestion {
    /// An index of this store.
    Find(Cache, Arc<dyn EventStore>),
    /// Whether a scan says the same as this index. The scan's is kept, if anything is.
    Check(Option<Cache>, Arc<dyn EventStore>, Arc<Index>),
    /// Keep an index of a store, which looked like this before it was made.
    Save(Cache, Arc<dyn EventStore>, Arc<Index>, Box<Before>),
    /// How much there is.
    Measure(Cache),
    /// Keep no more than so many bytes from now on.
    SetBound(Cache, u64),
    /// Take everything away.
    Clear(Cache),
}

/// What was found out of the cache.
pub enum CacheAnswer {
    /// What there is for the store, and what the store looked like before.
    Found(Box<Found>, Option<Box<Before>>),
    /// What a scan said of an index, and of which store.
    Checked(Checked, Arc<dyn EventStore>),
    /// What became of an index that was to be kept.
    Saved(Saved),
    /// How many files there are and how many bytes they take, or why nobody knows.
    Size(Result<(usize, u64), String>),
}

impl CacheQuestion {
    /// Finds the answer.
    pub(crate) fn run(self, work: &Work) -> StoreResult<Answer> {
        let size = |cache: &Cache| CacheAnswer::Size(cache.size().map_err(|err| err.to_string()));
        let answer = match self {
            Self::Find(cache, store) => {
                // A store that cannot be looked at says so again to whoever scans it.
                let before = cache.before(&*store).ok().flatten().map(Box::new);
                CacheAnswer::Found(Box::new(cache.find(&*store, work)?), before)
            }
            Self::Check(cache, store, shown) => {
                let checked = match cache {
                    Some(cache) => cache.check(&*store, &shown, work)?,
                    None => Checked::of(Index::build(&*store, work)?, &shown, work)?,
                };
                CacheAnswer::Checked(checked, store)
            }
            Self::Save(cache, store, index, before) => {
                CacheAnswer::Saved(cache.save(&*store, &index, &before, work)?)
            }
            Self::Measure(cache) => size(&cache),
            Self::SetBound(cache, bytes) => match cache.set_bound(bytes) {
                Ok(()) => size(&cache),
                Err(err) => CacheAnswer::Size(Err(err.to_string())),
            },
            Self::Clear(cache) => match cache.clear() {
                Ok(_) => size(&cache),
                Err(err) => CacheAnswer::Size(Err(err.to_string())),
            },
        };
        Ok(Answer::Cache(answer))
    }
}

impl Opened {
    /// Takes what became of the cache's index.
    pub(crate) fn take_cache(&mut self, answer: CacheAnswer, notices: &mut Notices) -> Vec<Job> {
        match answer {
            CacheAnswer::Found(found, before) => self.take_kept_index(*found, before, notices),
            CacheAnswer::Checked(checked, _) => self.take_checked(&checked, notices),
            CacheAnswer::Saved(saved) => {
                if let Stage::Scanned(_, slot) = &mut self.origin.stage {
                    *slot = Some(saved);
                }
                self.refresh_info();
                Vec::new()
            }
            // Concerns the settings, and was taken there.
            CacheAnswer::Size(_) => Vec::new(),
        }
    }

    fn take_kept_index(
        &mut self,
        found: Found,
        before: Option<Box<Before>>,
        notices: &mut Notices,
    ) -> Vec<Job> {
        // The cache was asked for another store, which was closed meanwhile.
        if !matches!(self.origin.stage, Stage::Asked) {
            return Vec::new();
        }
        let date = |written: Option<crate::model::Timestamp>| {
            written.map_or_else(String::new, |time| format!(" of {}", time.to_display(self.zone)))
        };
        match found {
            Found::Proven { index, written } => {
                self.origin.stage = Stage::Kept { written: date(written), caught_up: 0 };
                self.take_index(&Arc::new(index), notices)
            }
            Found::Likely { index, written, caught_up } => {
                let index = Arc::new(index);
                self.origin.stage = Stage::Kept { written: date(written), caught_up };
                let check = self.origin.check(&self.store, &index);
                let mut jobs = self.take_index(&index, notices);
                jobs.push(check);
                jobs
            }
            Found::Nothing(why) => {
                self.origin.stage = Stage::Scanning(why, before);
                vec![self.origin.job(&self.store)]
            }
        }
    }

    /// Takes the index of a scan, which is kept if it was the first.
    pub(crate) fn take_scanned_index(&mut self, index: &Arc<Index>, notices: &mut Notices) -> Vec<Job> {
        let mut jobs = self.take_index(index, notices);
        jobs.extend(self.keep_index_job(index));
        jobs
    }

    /// Time passes: an index that followed a store is checked once the store rests.
    pub(crate) fn tick_origin(&mut self, elapsed: Duration) -> Option<Job> {
        let events = self.index.as_ref().map_or(0, |index| index.len());
        if !self.origin.tick(elapsed, events) {
            return None;
        }
        let index = Arc::clone(self.whole_index()?);
        let job = self.origin.check(&self.store, &index);
        self.refresh_info();
        Some(job)
    }

    /// The scan that was asked for has ended: its index is kept.
    fn keep_index_job(&mut self, index: &Arc<Index>) -> Option<Job> {
        let (why, before) = match &mut self.origin.stage {
            Stage::Scanning(why, before) => (why.clone(), before.take()),
            // Reading the cache was stopped.
            Stage::Asked => (Nothing::NotKept, None),
            Stage::Scanned(..) | Stage::Kept { .. } => return None,
        };
        self.origin.stage = Stage::Scanned(why, None);
        let (cache, store) = (self.origin.cache.clone()?, Arc::clone(&self.store));
        let question = CacheQuestion::Save(cache, store, Arc::clone(index), before?);
        Some(Job { slot: Slot::CacheSave, question: Question::Cache(question) })
    }

    fn take_checked(&mut self, checked: &Checked, notices: &mut Notices) -> Vec<Job> {
        // What differs makes the session open the store anew, before it comes here.
        if !self.origin.is_checked() {
            return Vec::new();
        }
        let is_known = self.index.as_ref().is_some_and(|index| {
            let has_more = index.len() > checked.index.len();
            has_more || (index.len() == checked.index.len() && index.troubles() == checked.index.troubles())
        });
        if is_known {
            self.refresh_info();
            return Vec::new();
        }
        self.take_index(&checked.index, notices)
    }

    /// The cache did not answer, or its check was stopped.
    pub(crate) fn cache_job_failed(&mut self, slot: Slot) -> Vec<Job> {
        match (slot, &mut self.origin.stage) {
            (Slot::Cache, Stage::Asked) => {
                self.origin.stage = Stage::Scanning(Nothing::NotKept, None);
                vec![self.origin.job(&self.store)]
            }
            (Slot::CacheCheck, _) => {
                self.origin.check_stopped();
                self.refresh_info();
                Vec::new()
            }
            (_, _) => Vec::new(),
        }
    }
}
