//! Looking for conditions in all streams of a category, or of the store.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    replay::{Across, AcrossFindings, Condition, OnFailure, Reducer, StreamHit},
    session::{
        conditions::{ConditionQuestion, Reach},
        job::{Job, Question, Slot},
        notice::{Notices, fault_words},
        opened::Opened,
        pieces::Pieces,
        view::{SearchView, grouped},
    },
    store::{EventStore, StoreResult, index::Index},
    work::Work,
};

/// So many events are looked at before the first are shown.
const FIRST_STRETCH: u64 = 20_000;

/// No more events are looked at without showing what was found.
const LONGEST_STRETCH: u64 = 400_000;

/// A part of a search.
pub struct AcrossQuestion {
    asks: Asks,
    /// Which search it is a part of.
    search: u64,
}

enum Asks {
    /// Which streams there are to look at.
    Plan(Box<Reached>),
    /// Look at some streams of one category; of so many events in all so many are behind.
    Look { across: Across, streams: Vec<u32>, progress: (u64, u64) },
}

/// What a search is to look at, and for.
struct Reached {
    store: Arc<dyn EventStore>,
    index: Arc<Index>,
    /// The streams of this category, or of all.
    category: Option<Option<Arc<str>>>,
    /// What makes the states of each category.
    reducers: BTreeMap<Option<Arc<str>>, Arc<dyn Reducer>>,
    on_failure: OnFailure,
    conditions: Arc<[Condition]>,
}

/// What a part of a search found.
pub struct AcrossAnswer {
    found: Found,
    search: u64,
}

enum Found {
    /// The streams to look at, and how many events they have.
    Planned(Vec<Part>, u64),
    /// What is in so many streams, which have so many events.
    Looked(AcrossFindings, usize, u64),
}

impl AcrossQuestion {
    /// Finds the answer.
    pub(crate) fn run(self, work: &Work) -> StoreResult<AcrossAnswer> {
        let found = match self.asks {
            Asks::Plan(reached) => {
                let (parts, total) = reached.parts(work)?;
                Found::Planned(parts, total)
            }
            Asks::Look { across, streams, progress: (total, done) } => {
                work.expect_total(total);
                work.goes_on_from(done);
                let found = across.search(&streams, work)?;
                Found::Looked(found, streams.len(), events_of(&across.index, &streams))
            }
        };
        Ok(AcrossAnswer { found, search: self.search })
    }
}

impl Reached {
    /// The streams that there are to look at, by category, and how many events they have.
    fn parts(&self, work: &Work) -> StoreResult<(Vec<Part>, u64)> {
        let by_category = streams_by_category(&self.index, self.category.as_ref());
        work.advance(0)?;
        let part = |(category, streams)| {
            let across = Across {
                store: Arc::clone(&self.store),
                index: Arc::clone(&self.index),
                reducer: Arc::clone(self.reducers.get(&category)?),
                on_failure: self.on_failure,
                conditions: Arc::clone(&self.conditions),
                is_first_enough: true,
            };
            Some(Part { across, streams })
        };
        let parts: Vec<Part> = by_category.into_iter().filter_map(part).collect();
        let total = parts.iter().map(|part| events_of(&self.index, &part.streams)).sum();
        Ok((parts, total))
    }
}

fn events_of(index: &Index, streams: &[u32]) -> u64 {
    streams.iter().map(|stream| index.stream_events(*stream).len() as u64).sum()
}

/// A search, and what it found so far.
pub(crate) struct Search {
    title: String,
    conditions: Arc<[Condition]>,
    /// The streams of this category, or of all.
    category: Option<Option<Arc<str>>>,
    /// What is looked at; nothing while that is being found out.
    parts: Option<Vec<Part>>,
    /// The part that is looked at, and how many of its streams are behind.
    at: (usize, usize),
    /// How many events of streams that were looked at there are, and how many in all.
    done: u64,
    total: u64,
    streams: u64,
    hits: Pieces<StreamHit>,
    /// The rest of what was found.
    found: AcrossFindings,
    is_stopped: bool,
    number: u64,
}

/// The streams of one category: its reducer makes their states.
struct Part {
    across: Across,
    streams: Vec<u32>,
}

impl Search {
    fn is_over(&self) -> bool {
        self.parts.as_ref().is_some_and(|parts| self.at.0 >= parts.len())
    }

    pub(crate) fn stop(&mut self) {
        self.is_stopped = !self.is_over();
    }

    /// Asks for the next stretch; nothing when all streams were looked at.
    fn stretch(&self) -> Option<Job> {
        let (part, behind) = self.at;
        let part = self.parts.as_ref()?.get(part)?;
        let wanted = self.done.clamp(FIRST_STRETCH, LONGEST_STRETCH);
        let mut events = 0;
        let rest = part.streams.get(behind..).unwrap_or_default().iter().copied();
        let streams = rest.take_while(|stream| {
            let has_room = events < wanted;
            events += part.across.index.stream_events(*stream).len() as u64;
            has_room
        });
        let (across, progress) = (part.across.clone(), (self.total, self.done));
        Some(job(Asks::Look { across, streams: streams.collect(), progress }, self.number))
    }

    fn take(&mut self, answer: AcrossAnswer) -> Option<Job> {
        match answer.found {
            Found::Planned(parts, total) => (self.parts, self.total) = (Some(parts), total),
            Found::Looked(mut found, streams, events) => {
                let part = self.parts.as_ref()?.get(self.at.0)?;
                self.done += events;
                self.streams += streams as u64;
                self.at.1 += streams;
                if self.at.1 >= part.streams.len() {
                    self.at = (self.at.0 + 1, 0);
                }
                self.hits.add(std::mem::take(&mut found.hits));
                self.found.add(found);
            }
        }
        self.stretch()
    }

    pub(crate) fn view(&self, focus: Option<u32>) -> SearchView {
        let hits = self.hits.len() as u64;
        let found = format!("{} of {} streams", grouped(hits), grouped(self.streams));
        let summary = if self.is_over() {
            found
        } else if self.parts.is_none() {
            "Looking which streams there are".to_owned()
        } else {
            format!("{found}; {} of {} events", grouped(self.done), grouped(self.total))
        };
        let conditions = Arc::clone(&self.conditions);
        let of_conditions = self.found.faults.iter().filter_map(|(place, _, fault)| {
            Some(format!("{}: {}", conditions.get(*place)?, fault_words(fault)))
        });
        let unapplied = self.found.unapplied.iter();
        let faults = of_conditions
            .chain(unapplied.map(|(_, fault)| format!("Events were not applied: {}", fault_words(fault))));
        SearchView {
            number: self.number,
            title: self.title.clone(),
            summary,
            is_over: self.is_over(),
            is_stopped: self.is_stopped,
            hits: self.hits.clone(),
            chosen: focus.and_then(|stream| self.hits.iter().position(|hit| hit.stream == stream)),
            faults: faults.collect(),
            conditions,
        }
    }
}

impl Opened {
    /// Looks for the conditions in many streams: the first hit of each.
    pub(crate) fn search_streams(&mut self, reach: Reach, notices: &mut Notices) -> Vec<Job> {
        if self.whole_index().is_none() {
            return Vec::new();
        }
        let (_, conditions) = self.enabled_conditions();
        if conditions.is_empty() {
            notices.warning(
                "There is no condition to look for",
                "",
                "Add one in the panel Conditions, such as state.total < 0",
            );
            return Vec::new();
        }
        let category = self.condition_category().filter(|_| reach == Reach::Category);
        let title = match &category {
            Some(Some(category)) => format!("All streams of `{category}`"),
            Some(None) => "All streams without a category".to_owned(),
            None => "The whole store".to_owned(),
        };
        let number = self.conditions.search.as_ref().map_or(1, |search| search.number + 1);
        let search = Search {
            title,
            conditions: Arc::clone(&conditions),
            category: category.clone(),
            parts: None,
            at: (0, 0),
            done: 0,
            total: 0,
            streams: 0,
            hits: Pieces::default(),
            found: AcrossFindings::default(),
            is_stopped: false,
            number,
        };
        let before = self.conditions.search.replace(search);
        self.discards.put_some(before);
        self.plan_search(conditions, category).into_iter().collect()
    }

    /// Asks which streams there are to look at.
    fn plan_search(&self, conditions: Arc<[Condition]>, category: Option<Option<Arc<str>>>) -> Option<Job> {
        let index = Arc::clone(self.whole_index()?);
        let names = index.categories().iter().map(|info| info.name.clone());
        let reducers = names.map(|name| (name.clone(), self.reducer_for(name.as_deref()).0)).collect();
        let on_failure = self.on_failure();
        let store = Arc::clone(&self.store);
        let reached = Reached { store, index, category, reducers, on_failure, conditions };
        let number = self.conditions.search.as_ref()?.number;
        Some(job(Asks::Plan(Box::new(reached)), number))
    }

    pub(crate) fn search_on(&mut self) -> Option<Job> {
        let search = self.conditions.search.as_mut()?;
        search.is_stopped = false;
        if search.parts.is_none() {
            let (conditions, category) = (Arc::clone(&search.conditions), search.category.clone());
            return self.plan_search(conditions, category);
        }
        search.stretch()
    }

    pub(crate) fn take_found(&mut self, answer: AcrossAnswer) -> Option<Job> {
        let search = self.conditions.search.as_mut()?;
        if search.number != answer.search {
            return None;
        }
        search.take(answer)
    }

    pub(crate) fn choose_found(&mut self, row: usize) -> Vec<Job> {
        let search = self.conditions.search.as_ref();
        let Some(hit) = search.and_then(|search| search.hits.get(row).copied()) else { return Vec::new() };
        self.trail.leave(self.spot());
        self.cursor.is_playing = false;
        self.stand_at(hit.ordinal)
    }
}

fn job(asks: Asks, search: u64) -> Job {
    let question = AcrossQuestion { asks, search };
    Job { slot: Slot::Across, question: Question::Conditions(ConditionQuestion::Across(question)) }
}

/// The streams of one category, or of all, by category.
fn streams_by_category(
    index: &Index,
    category: Option<&Option<Arc<str>>>,
) -> BTreeMap<Option<Arc<str>>, Vec<u32>> {
    let mut streams = BTreeMap::<Option<Arc<str>>, Vec<u32>>::new();
    for (info, number) in index.streams().iter().zip(0..) {
        if category.is_none_or(|category| info.name.category == *category) {
            streams.entry(info.name.category.clone()).or_default().push(number);
        }
    }
    streams
}
