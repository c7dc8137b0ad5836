//! Where the index of the open store came from: made by a scan, or kept between runs and, where that is not
//! proven to be the store's own, checked by a scan in the background.

use std::{sync::Arc, time::Duration};

use crate::{
    session::{
        job::{Answer, Job, Question, Slot},
        notice::Notices,
        opened::Opened,
        view::grouped,
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
    /// Whether a scan says the same as this index, which came from the cache.
    Check(Cache, Arc<dyn EventStore>, Arc<Index>),
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
    /// What a scan said of an index from the cache, and of which store.
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
                CacheAnswer::Checked(cache.check(&*store, &shown, work)?, store)
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

/// Where the index comes from, and how sure that is.
#[derive(Debug)]
pub(crate) struct Origin {
    /// `None` where nothing is kept.
    cache: Option<Cache>,
    stage: Stage,
    /// How long the scan has taken.
    scanned_for: Duration,
}

#[derive(Debug)]
enum Stage {
    /// The cache is asked.
    Asked,
    /// A scan makes it, since there was nothing of use. What the store looked like before, if it is to be kept.
    Scanning(Nothing, Option<Box<Before>>),
    /// A scan made it.
    Scanned(Nothing, Option<Saved>),
    /// It was kept, and what it says is proven.
    Proven { written: String, caught_up: usize },
    /// It was kept, and seems to be right.
    Unproven { written: String, caught_up: usize, is_checked: bool },
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
        Self { cache, stage, scanned_for: Duration::ZERO }
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

    pub(crate) fn tick(&mut self, elapsed: Duration) {
        if matches!(self.stage, Stage::Scanning(..)) {
            self.scanned_for += elapsed;
        }
    }

    /// Whether what is shown is being checked, and may still prove wrong.
    pub(crate) fn is_unproven(&self) -> bool {
        matches!(self.stage, Stage::Unproven { is_checked: true, .. })
    }

    /// For people; `None` where nothing is kept anyway.
    pub(crate) fn words(&self) -> Option<String> {
        self.cache.as_ref()?;
        let since = |caught_up: &usize| match caught_up {
            0 => String::new(),
            1 => ", and 1 event since".to_owned(),
            events => format!(", and {} events since", grouped(*events as u64)),
        };
        Some(match &self.stage {
            Stage::Asked => "looked for in the cache".to_owned(),
            Stage::Scanning(why, _) => format!("being made{}", why_words(why)),
            Stage::Scanned(why, saved) => {
                let seconds = self.scanned_for.as_secs_f64();
                let time = if seconds < 0.1 { String::new() } else { format!(" in {seconds:.1} s") };
                format!("made by a scan{time}{}{}", why_words(why), saved.as_ref().map_or("", saved_words))
            }
            Stage::Proven { written, caught_up } => format!("from the cache{written}{}", since(caught_up)),
            Stage::Unproven { written, caught_up, is_checked } => {
                let state = if *is_checked { "being checked" } else { "not checked: the check was stopped" };
                format!("from the cache{written}{}; {state}", since(caught_up))
            }
        })
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
                self.origin.stage = Stage::Proven { written: date(written), caught_up: 0 };
                self.take_index(&Arc::new(index), notices)
            }
            Found::Likely { index, written, caught_up } => {
                let (written, index) = (date(written), Arc::new(index));
                self.origin.stage = Stage::Unproven { written, caught_up, is_checked: true };
                let mut jobs = self.take_index(&index, notices);
                if let Some(cache) = self.origin.cache.clone() {
                    let question = CacheQuestion::Check(cache, Arc::clone(&self.store), index);
                    jobs.push(Job { slot: Slot::CacheCheck, question: Question::Cache(question) });
                }
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

    /// The scan that was asked for has ended: its index is kept.
    fn keep_index_job(&mut self, index: &Arc<Index>) -> Option<Job> {
        let (why, before) = match &mut self.origin.stage {
            Stage::Scanning(why, before) => (why.clone(), before.take()),
            // Reading the cache was stopped.
            Stage::Asked => (Nothing::NotKept, None),
            Stage::Scanned(..) | Stage::Proven { .. } | Stage::Unproven { .. } => return None,
        };
        self.origin.stage = Stage::Scanned(why, None);
        let (cache, store) = (self.origin.cache.clone()?, Arc::clone(&self.store));
        let question = CacheQuestion::Save(cache, store, Arc::clone(index), before?);
        Some(Job { slot: Slot::CacheSave, question: Question::Cache(question) })
    }

    fn take_checked(&mut self, checked: &Checked, notices: &mut Notices) -> Vec<Job> {
        let Stage::Unproven { written, caught_up, .. } = &self.origin.stage else { return Vec::new() };
        // What differs makes the session open the store anew, before it comes here.
        self.origin.stage = Stage::Proven { written: written.clone(), caught_up: *caught_up };
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
            (_, Stage::Unproven { is_checked, .. }) => {
                *is_checked = false;
                self.refresh_info();
                Vec::new()
            }
            (_, _) => Vec::new(),
        }
    }
}
