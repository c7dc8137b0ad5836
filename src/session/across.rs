//! Looking for conditions in all streams of a category, or of the store.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    replay::{Across, AcrossFindings, StreamHit},
    session::{
        conditions::{ConditionQuestion, Reach},
        job::{Job, Question, Slot},
        notice::{Notices, fault_words},
        opened::Opened,
        view::{SearchView, grouped},
    },
    store::{StoreResult, index::Index},
    work::Work,
};

/// So many events are looked at before the first are shown.
const FIRST_STRETCH: u64 = 20_000;

/// No more events are looked at without showing what was found.
const LONGEST_STRETCH: u64 = 400_000;

/// A part of a search: some streams of one category.
pub struct AcrossQuestion {
    /// What is looked for, and where.
    pub across: Across,
    /// In which streams.
    pub streams: Vec<u32>,
    /// How many events the whole search looks at, and how many it has.
    pub progress: (u64, u64),
    /// Which search it is a part of.
    pub search: u64,
}

/// What was found in these streams.
pub struct AcrossAnswer {
    found: AcrossFindings,
    streams: usize,
    search: u64,
}

impl AcrossQuestion {
    /// Finds the answer.
    pub(crate) fn run(self, work: &Work) -> StoreResult<AcrossAnswer> {
        let (total, done) = self.progress;
        work.expect_total(total);
        work.goes_on_from(done);
        let found = self.across.search(&self.streams, work)?;
        Ok(AcrossAnswer { found, streams: self.streams.len(), search: self.search })
    }
}

/// A search, and what it found so far.
pub(crate) struct Search {
    title: String,
    parts: Vec<Part>,
    /// The part that is looked at, and how many of its streams are behind.
    at: (usize, usize),
    /// How many events of streams that were looked at there are, and how many in all.
    done: u64,
    total: u64,
    streams: u64,
    hits: Arc<Vec<StreamHit>>,
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
        self.at.0 >= self.parts.len()
    }

    pub(crate) fn stop(&mut self) {
        self.is_stopped = !self.is_over();
    }

    /// Asks for the next stretch; nothing when all streams were looked at.
    fn stretch(&self) -> Option<Job> {
        let (part, behind) = self.at;
        let part = self.parts.get(part)?;
        let wanted = self.done.clamp(FIRST_STRETCH, LONGEST_STRETCH);
        let mut events = 0;
        let rest = part.streams.get(behind..).unwrap_or_default().iter().copied();
        let streams = rest.take_while(|stream| {
            let has_room = events < wanted;
            events += part.across.index.stream_events(*stream).len() as u64;
            has_room
        });
        let question = AcrossQuestion {
            across: part.across.clone(),
            streams: streams.collect(),
            progress: (self.total, self.done),
            search: self.number,
        };
        Some(Job { slot: Slot::Across, question: Question::Conditions(ConditionQuestion::Across(question)) })
    }

    fn take(&mut self, answer: AcrossAnswer) -> Option<Job> {
        let part = self.parts.get(self.at.0)?;
        let looked_at = part.streams.get(self.at.1..self.at.1 + answer.streams).unwrap_or_default();
        let events = looked_at.iter().map(|stream| part.across.index.stream_events(*stream).len() as u64);
        self.done += events.sum::<u64>();
        self.streams += looked_at.len() as u64;
        self.at.1 += answer.streams;
        if self.at.1 >= part.streams.len() {
            self.at = (self.at.0 + 1, 0);
        }
        let mut found = answer.found;
        Arc::make_mut(&mut self.hits).append(&mut found.hits);
        self.found.add(found);
        self.stretch()
    }

    pub(crate) fn view(&self, focus: Option<u32>) -> SearchView {
        let hits = self.hits.len() as u64;
        let found = format!("{} of {} streams", grouped(hits), grouped(self.streams));
        let summary = if self.is_over() {
            found
        } else {
            format!("{found}; {} of {} events", grouped(self.done), grouped(self.total))
        };
        let conditions = self.parts.first().map(|part| Arc::clone(&part.across.conditions));
        let conditions = conditions.unwrap_or_default();
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
            hits: Arc::clone(&self.hits),
            chosen: focus.and_then(|stream| self.hits.iter().position(|hit| hit.stream == stream)),
            faults: faults.collect(),
            conditions,
        }
    }
}

impl Opened {
    /// Looks for the conditions in many streams: the first hit of each.
    pub(crate) fn search_streams(&mut self, reach: Reach, notices: &mut Notices) -> Vec<Job> {
        let Some(index) = self.whole_index().cloned() else { return Vec::new() };
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
        let parts: Vec<Part> = streams_by_category(&index, category.as_ref())
            .into_iter()
            .map(|(category, streams)| {
                let across = Across {
                    store: Arc::clone(&self.store),
                    index: Arc::clone(&index),
                    reducer: self.reducer_for(category.as_deref()).0,
                    on_failure: self.on_failure(),
                    conditions: Arc::clone(&conditions),
                    is_first_enough: true,
                };
                Part { across, streams }
            })
            .collect();
        let events = |part: &Part| {
            part.streams.iter().map(|stream| index.stream_events(*stream).len() as u64).sum::<u64>()
        };
        let title = match &category {
            Some(Some(category)) => format!("All streams of `{category}`"),
            Some(None) => "All streams without a category".to_owned(),
            None => "The whole store".to_owned(),
        };
        let number = self.conditions.search.as_ref().map_or(1, |search| search.number + 1);
        let search = Search {
            title,
            total: parts.iter().map(events).sum(),
            parts,
            at: (0, 0),
            done: 0,
            streams: 0,
            hits: Arc::default(),
            found: AcrossFindings::default(),
            is_stopped: false,
            number,
        };
        let job = search.stretch();
        self.conditions.search = Some(search);
        job.into_iter().collect()
    }

    pub(crate) fn search_on(&mut self) -> Option<Job> {
        let search = self.conditions.search.as_mut()?;
        search.is_stopped = false;
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
