//! Searching payloads: what is looked for, what was found so far, and going from hit to hit.

use std::{ops::Range, sync::Arc};

use crate::{
    model::{EventKey, EventQuery},
    session::{
        estimates::event_words,
        job::{Answer, Job, Question, Slot},
        notice::Notices,
        opened::Opened,
        view::{PayloadsView, grouped},
    },
    store::{
        EventStore, KeyRange, StoreResult,
        index::Index,
        search::{Newest, SearchHit, Sieve, Sought, SoughtId, search_events, search_ids, search_ranges},
    },
    work::{Work, estimate::Task},
};

/// Searching payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayloadAction {
    /// Looks for this in these events.
    Search(Sought, PayloadScope),
    /// Looks for the events that carry this id beside their payload.
    SearchId(SoughtId),
    /// Turns round which hits come first, and looks again.
    TurnRound,
    /// Goes on with the search that was stopped.
    GoOn,
    /// Stops it; what was found stays.
    Stop,
    /// Goes to the hit in this row.
    Choose(usize),
    /// Goes to the next hit of the list, or the one before.
    Turn(bool),
    /// Puts away what was found.
    Clear,
}

/// In which events payloads are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PayloadScope {
    /// In all.
    #[default]
    Store,
    /// In those that pass the filters of the events panel.
    Filtered,
    /// In those of the chosen stream.
    Stream,
}

/// No more hits than this are kept.
const MOST_HITS: usize = 10_000;

/// About so many events are in each range of a store.
const RANGE: usize = 100_000;

/// So many ranges are searched before the first hits are shown, and so many at most without showing any.
const STRETCH: Range<usize> = 2..8;

/// So many events of one stream are searched before the first hits are shown.
const OF_STREAM: usize = 2_000;

/// A part of a search.
pub struct PayloadQuestion {
    store: Arc<dyn EventStore>,
    looked_for: LookedFor,
    part: Part,
    newest: Newest,
    /// No more hits than this are wanted.
    room: usize,
    /// How many events are behind, and how many there are.
    progress: (u64, u64),
    number: u64,
}

/// What is looked for, and how.
#[derive(Clone)]
enum LookedFor {
    /// Something in the payloads.
    InPayloads(Sieve),
    /// An id beside them.
    Id(SoughtId),
}

/// What is looked at.
enum Part {
    /// These ranges, of which only events that answer the query count.
    Ranges(Vec<KeyRange>, Arc<EventQuery>),
    /// The store is cut into so many ranges, and nothing is looked at.
    Cut(usize),
    /// The events of a stream at these places.
    Events(OfStream, Range<usize>),
}

/// The events of a stream as they were when the search began.
#[derive(Clone)]
struct OfStream {
    index: Arc<Index>,
    stream: u32,
}

impl OfStream {
    fn len(&self) -> usize {
        self.index.stream_events(self.stream).len()
    }

    /// The keys of the events at these places in the order of the hits, as far as there are. The window would have to
    /// wait for all.
    fn keys(&self, places: &Range<usize>, newest: Newest) -> Vec<EventKey> {
        let events = self.index.stream_events(self.stream);
        let key = |ordinal: &u32| self.index.key(*ordinal);
        let from_end = |place: usize| events.len().saturating_sub(place);
        match newest {
            Newest::First => {
                let places = from_end(places.end)..from_end(places.start);
                events.range(places).rev().filter_map(key).collect()
            }
            Newest::Last => events.range(places.clone()).filter_map(key).collect(),
        }
    }
}

/// What was found in it.
pub struct PayloadAnswer {
    hits: Vec<SearchHit>,
    troubles: Vec<String>,
    /// The ranges that the store was cut into.
    ranges: Option<Vec<KeyRange>>,
    looked_at: u64,
    number: u64,
}

impl PayloadQuestion {
    /// Finds the answer.
    pub(crate) fn run(self, work: &Work) -> StoreResult<Answer> {
        let (done, total) = self.progress;
        work.expect_total(total);
        work.goes_on_from(done);
        let (mut hits, mut troubles, mut ranges) = (Vec::new(), Vec::new(), None);
        let wanted = (self.newest, self.room);
        match self.part {
            Part::Cut(parts) => {
                let mut cut = self.store.ranges(work, None, parts)?;
                if self.newest == Newest::First {
                    cut.reverse();
                }
                ranges = Some(cut);
            }
            Part::Ranges(part, query) => {
                (hits, troubles) = match &self.looked_for {
                    LookedFor::InPayloads(sieve) => {
                        search_ranges(&*self.store, work, (sieve, &query), &part, wanted)?
                    }
                    LookedFor::Id(sought) => search_ids(&*self.store, work, sought, &part, wanted)?,
                };
            }
            Part::Events(of_stream, places) => {
                let keys = of_stream.keys(&places, self.newest);
                // Ids are looked for in all events, never in those of one stream.
                if let LookedFor::InPayloads(sieve) = &self.looked_for {
                    hits = search_events(&*self.store, work, sieve, &keys)?;
                }
            }
        }
        hits.truncate(self.room);
        let looked_at = work.own_steps();
        let answer = PayloadAnswer { hits, troubles, ranges, looked_at, number: self.number };
        Ok(Answer::Payloads(Box::new(answer)))
    }
}

/// What was looked for, and what was found so far.
#[derive(Default)]
pub(crate) struct Payloads {
    search: Option<Search>,
    newest: Newest,
    /// How many searches there were.
    count: u64,
}

struct Search {
    number: u64,
    looked_for: LookedFor,
    scope: PayloadScope,
    newest: Newest,
    query: Arc<EventQuery>,
    /// The stream that is searched; nothing for a store.
    of_stream: Option<OfStream>,
    ranges: Option<Vec<KeyRange>>,
    /// How many ranges or events are behind.
    behind: usize,
    done: u64,
    total: u64,
    hits: Arc<Vec<SearchHit>>,
    troubles: Vec<String>,
    chosen: Option<usize>,
    is_stopped: bool,
}

impl Search {
    fn is_over(&self) -> bool {
        let parts = match (&self.of_stream, &self.ranges) {
            (Some(events), _) => events.len(),
            (None, Some(ranges)) => ranges.len(),
            (None, None) => return false,
        };
        self.is_full() || self.behind >= parts
    }

    fn is_full(&self) -> bool {
        self.hits.len() >= MOST_HITS
    }

    /// How many ranges or events come next.
    fn stretch(&self) -> usize {
        match self.of_stream {
            Some(_) => self.behind.clamp(OF_STREAM, 8 * OF_STREAM),
            None => self.behind.clamp(STRETCH.start, STRETCH.end),
        }
    }

    /// Asks for the next part; nothing when all was looked at.
    fn job(&self, store: &Arc<dyn EventStore>, index: &Arc<Index>) -> Option<Job> {
        if self.is_over() {
            return None;
        }
        let next = self.behind..self.behind + self.stretch();
        let part = match (&self.of_stream, &self.ranges) {
            (Some(events), _) => Part::Events(events.clone(), next),
            (None, Some(ranges)) => Part::Ranges(cut(ranges, &next), Arc::clone(&self.query)),
            (None, None) => Part::Cut((index.len() / RANGE).clamp(1, 1024)),
        };
        let question = PayloadQuestion {
            store: Arc::clone(store),
            looked_for: self.looked_for.clone(),
            part,
            newest: self.newest,
            room: MOST_HITS.saturating_sub(self.hits.len()),
            progress: (self.done, self.total),
            number: self.number,
        };
        Some(Job { slot: Slot::Payloads, question: Question::Payloads(Box::new(question)) })
    }

    fn take(&mut self, answer: PayloadAnswer) {
        if let Some(ranges) = answer.ranges {
            self.ranges = Some(ranges);
            return;
        }
        self.behind += self.stretch();
        self.done += answer.looked_at;
        Arc::make_mut(&mut self.hits).extend(answer.hits);
        self.troubles.extend(answer.troubles);
        self.troubles.dedup();
    }

    fn summary(&self) -> String {
        let hits = match self.hits.len() {
            1 => "1 hit".to_owned(),
            hits => format!("{} hits", grouped(hits as u64)),
        };
        if self.is_full() {
            return format!("the first {hits}; say more to find fewer");
        }
        if self.is_over() {
            return format!("{hits} in {} events", grouped(self.done));
        }
        format!("{hits}; {} of {} events", grouped(self.done), grouped(self.total))
    }
}

/// As much of the list as there is of this range.
fn cut<T: Clone>(list: &[T], range: &Range<usize>) -> Vec<T> {
    list.get(range.start.min(list.len())..range.end.min(list.len())).unwrap_or_default().to_vec()
}

impl Payloads {
    /// Whether the speed of the search tells nothing of other searches: events of one stream are looked up one by
    /// one, and ids are not in the payloads.
    pub(crate) fn is_unlike_others(&self) -> bool {
        self.search
            .as_ref()
            .is_some_and(|search| search.of_stream.is_some() || matches!(search.looked_for, LookedFor::Id(_)))
    }

    /// The job was stopped, or broke off: what was found stays.
    pub(crate) fn stop(&mut self) {
        if let Some(search) = &mut self.search {
            search.is_stopped = !search.is_over();
        }
    }
}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_payloads(&mut self, action: PayloadAction, notices: &mut Notices) -> Vec<Job> {
        match action {
            PayloadAction::Search(sought, scope) => self.search_payloads(&sought, scope, notices),
            PayloadAction::SearchId(sought) => self.search_for(LookedFor::Id(sought), PayloadScope::Store),
            PayloadAction::TurnRound => {
                self.payloads.newest = match self.payloads.newest {
                    Newest::First => Newest::Last,
                    Newest::Last => Newest::First,
                };
                let again = self.payloads.search.as_ref().map(|last| (last.looked_for.clone(), last.scope));
                again.map(|(wanted, scope)| self.search_for(wanted, scope)).unwrap_or_default()
            }
            PayloadAction::GoOn => {
                self.payloads.search.iter_mut().for_each(|search| search.is_stopped = false);
                self.payload_job().into_iter().collect()
            }
            PayloadAction::Stop => {
                self.payloads.stop();
                Vec::new()
            }
            PayloadAction::Choose(row) => self.choose_payload_hit(row),
            PayloadAction::Turn(forward) => {
                let Some(search) = &self.payloads.search else { return Vec::new() };
                let next = match (search.chosen, forward) {
                    (None, _) => Some(0),
                    (Some(row), true) => Some(row + 1),
                    (Some(row), false) => row.checked_sub(1),
                };
                next.map(|row| self.choose_payload_hit(row)).unwrap_or_default()
            }
            PayloadAction::Clear => {
                self.discards.put_some(self.payloads.search.take());
                Vec::new()
            }
        }
    }

    fn search_payloads(&mut self, sought: &Sought, scope: PayloadScope, notices: &mut Notices) -> Vec<Job> {
        match Sieve::new(sought) {
            Ok(sieve) => self.search_for(LookedFor::InPayloads(sieve), scope),
            Err(reason) => {
                notices.warning("This cannot be looked for", reason, "Look for a part of it");
                Vec::new()
            }
        }
    }

    fn search_for(&mut self, looked_for: LookedFor, scope: PayloadScope) -> Vec<Job> {
        let Some(index) = self.index.clone() else { return Vec::new() };
        let newest = self.payloads.newest;
        let stream = self.browse.focus.filter(|_| scope == PayloadScope::Stream);
        let of_stream = stream.map(|stream| OfStream { index: Arc::clone(&index), stream });
        let query = match scope {
            PayloadScope::Filtered => self.filter_query(&index),
            PayloadScope::Store | PayloadScope::Stream => EventQuery::default(),
        };
        self.payloads.count += 1;
        let before = self.payloads.search.replace(Search {
            number: self.payloads.count,
            looked_for,
            scope,
            newest,
            query: Arc::new(query),
            total: of_stream.as_ref().map_or(index.len(), OfStream::len) as u64,
            of_stream,
            ranges: None,
            behind: 0,
            done: 0,
            hits: Arc::default(),
            troubles: Vec::new(),
            chosen: None,
            is_stopped: false,
        });
        self.discards.put_some(before);
        self.payload_job().into_iter().collect()
    }

    fn payload_job(&self) -> Option<Job> {
        let search = self.payloads.search.as_ref().filter(|search| !search.is_stopped)?;
        search.job(&self.store, self.index.as_ref()?)
    }

    /// Takes what a part of the search found, and goes on.
    pub(crate) fn take_payloads(&mut self, answer: PayloadAnswer) -> Vec<Job> {
        let current = self.payloads.search.as_mut().filter(|search| search.number == answer.number);
        let Some(search) = current else { return Vec::new() };
        search.take(answer);
        self.payload_job().into_iter().collect()
    }

    fn choose_payload_hit(&mut self, row: usize) -> Vec<Job> {
        let Some(index) = self.index.clone() else { return Vec::new() };
        let Some(search) = &mut self.payloads.search else { return Vec::new() };
        let ordinal = search.hits.get(row).and_then(|hit| index.ordinal_of(&hit.key));
        let Some(ordinal) = ordinal else { return Vec::new() };
        search.chosen = Some(row);
        self.trail.leave(self.spot());
        self.cursor.is_playing = false;
        self.stand_at(ordinal)
    }

    /// What the panel shows.
    pub(crate) fn payloads_view(&self) -> PayloadsView {
        let search = self.payloads.search.as_ref();
        PayloadsView {
            is_ready: self.index.is_some(),
            stream: self.focus_name(),
            filters: self.filter_views().into_iter().map(|filter| filter.text).collect(),
            newest_first: self.payloads.newest == Newest::First,
            zone: self.zone,
            number: search.map(|search| search.number),
            summary: search.map(Search::summary).unwrap_or_default(),
            is_over: search.is_none_or(Search::is_over),
            is_stopped: search.is_some_and(|search| search.is_stopped),
            hits: search.map(|search| Arc::clone(&search.hits)).unwrap_or_default(),
            chosen: search.and_then(|search| search.chosen),
            troubles: search.map(|search| search.troubles.clone()).unwrap_or_default(),
            sought_id: search.and_then(|search| match &search.looked_for {
                LookedFor::Id(sought) => Some(sought.to_string()),
                LookedFor::InPayloads(_) => None,
            }),
            estimate: event_words(self.estimate_of_all(Task::Search)),
            id_estimate: event_words(self.estimate_of_all(Task::Read)),
        }
    }
}
