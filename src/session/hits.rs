//! The hits of conditions in the history of the chosen stream, and runs from one to the next.

use std::{ops::Range, sync::Arc};

use crate::{
    replay::{
        Condition, Fault, Findings, History, Hit, Which,
        failures::end_of_part,
        search::{hits, merge_faults, next_hit, previous_hit},
    },
    session::{
        conditions::{ConditionQuestion, Direction},
        job::{Job, Question, Slot},
        notice::{Notices, fault_words},
        opened::Opened,
        pieces::Pieces,
        timeline::FINEST_TICKS,
        view::grouped,
    },
    store::StoreResult,
    work::Work,
};

/// The first stretch of a history is short, so that something is seen soon.
const FIRST_STRETCH: usize = 4096;

/// Later ones are longer, and never so long that nothing is seen for many seconds.
const LONGEST_STRETCH: usize = 65_536;

/// How many events are looked at next, when so many were.
pub(crate) fn stretch_of(history: &History, done: usize) -> usize {
    match history.unresumable_at() {
        None => done.clamp(FIRST_STRETCH, LONGEST_STRETCH),
        // Each stretch is folded from the start: doubling makes that twice the work at most.
        Some(_) => done.max(FIRST_STRETCH),
    }
}

/// What is asked of one history.
pub enum HitsQuestion {
    /// Every hit of a stretch of it.
    List {
        /// Which history.
        history: Arc<History>,
        /// What is looked for.
        conditions: Arc<[Condition]>,
        /// The stretch.
        range: Range<usize>,
        /// Which list it is a part of.
        list: u64,
    },
    /// The nearest hit in one direction.
    Run {
        /// Which history.
        history: Arc<History>,
        /// What is looked for.
        conditions: Arc<[Condition]>,
        /// Which way, and from where.
        run: Run,
        /// For which list of conditions.
        list: u64,
    },
}

/// What was found.
pub enum HitsAnswer {
    /// The hits of a stretch.
    List(Listed),
    /// The nearest hit.
    Run(Findings, Run, u64),
}

/// The hits of a stretch of a history.
pub struct Listed {
    found: Findings,
    /// How many of them each condition has: there may be very many.
    totals: Vec<u64>,
    /// Those that the timeline can tell apart, by their counts.
    ticks: Vec<usize>,
    range: Range<usize>,
    /// Which list it is a part of.
    list: u64,
}

/// A run under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Which way.
    pub direction: Direction,
    /// Where it starts: forward, behind so many events; backward, before the event of this count.
    pub from: usize,
    /// Whether it went round the end of the history.
    pub is_round: bool,
}

impl HitsQuestion {
    /// Finds the answer.
    pub(crate) fn run(self, work: &Work) -> StoreResult<HitsAnswer> {
        match self {
            Self::List { history, conditions, range, list } => {
                work.expect_total(history.len() as u64);
                work.advance(range.start as u64)?;
                let found = hits(&history, &conditions, range.clone(), work)?;
                let of = |own: usize| found.hits.iter().filter(|hit| hit.which.has(own)).count() as u64;
                let totals = (0..conditions.len()).map(of).collect();
                let mut ticks: Vec<usize> = found.hits.iter().map(|hit| hit.count).collect();
                ticks.dedup_by_key(|count| end_of_part(*count, FINEST_TICKS, history.len()));
                Ok(HitsAnswer::List(Listed { found, totals, ticks, range, list }))
            }
            Self::Run { history, conditions, run, list } => {
                let found = match run.direction {
                    Direction::Forward => next_hit(&history, &conditions, run.from, work)?,
                    Direction::Backward => previous_hit(&history, &conditions, run.from, work)?,
                };
                Ok(HitsAnswer::Run(found, run, list))
            }
        }
    }
}

/// What was found in one history.
#[derive(Default)]
pub(crate) struct Hits {
    history: Option<Arc<History>>,
    stream: Option<u32>,
    conditions: Arc<[Condition]>,
    /// The places of the conditions in the whole list.
    places: Vec<usize>,
    found: Pieces<Hit>,
    /// Those that the timeline can tell apart, by their counts.
    ticks: Vec<usize>,
    /// How many of them each condition has: a view is made too often to count a million hits for it.
    totals: Vec<u64>,
    faults: Vec<(usize, Fault)>,
    /// Conditions at whose places something was found, whatever it was.
    present: Which,
    /// How many events were looked at from the first on.
    looked_at: usize,
    is_stopped: bool,
    is_running: bool,
    lists: u64,
    /// Where the last run found nothing: the same again goes round the end.
    ran_out: Option<(Direction, usize)>,
}

impl Hits {
    /// Where hits are: of very many only those that the timeline can tell apart.
    pub(crate) fn counts(&self) -> Vec<usize> {
        self.ticks.clone()
    }

    pub(crate) fn found(&self) -> Pieces<Hit> {
        self.found.clone()
    }

    /// Forgets the hits; gives them back if there are any.
    fn take_found(&mut self) -> Option<Pieces<Hit>> {
        self.ticks.clear();
        let found = std::mem::take(&mut self.found);
        (!found.is_empty()).then_some(found)
    }

    pub(crate) fn conditions(&self) -> Arc<[Condition]> {
        Arc::clone(&self.conditions)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// The row of the hit at this count.
    pub(crate) fn row_at(&self, count: usize) -> Option<usize> {
        let row = self.found.partition_point(|hit| hit.count < count);
        self.found.get(row).is_some_and(|hit| hit.count == count).then_some(row)
    }

    /// How many hits the condition at a place of the whole list has, as far as is known.
    pub(crate) fn count_of(&self, place: usize) -> Option<u64> {
        let own = self.places.iter().position(|other| *other == place)?;
        self.history.as_ref()?;
        self.totals.get(own).copied()
    }

    pub(crate) fn fault_of(&self, place: usize) -> Option<&Fault> {
        let own = self.places.iter().position(|other| *other == place)?;
        self.faults.iter().find(|(at, _)| *at == own).map(|(_, fault)| fault)
    }

    /// That nothing ever stands at the place which a condition names, once all of the history was looked at:
    /// the name may be misspelt.
    pub(crate) fn never_there(&self, place: usize) -> Option<String> {
        let own = self.places.iter().position(|other| *other == place)?;
        let length = self.history.as_ref()?.len();
        let is_known = length > 0 && self.looked_at >= length && !self.present.has(own);
        let probe = self.conditions.get(own).filter(|_| is_known)?.place()?;
        let what = if probe.reads_event() { "event" } else { "state" };
        Some(format!("No {what} of this stream has anything at {probe}"))
    }

    /// "3 hits in 231 events"; nothing while nothing is looked for.
    pub(crate) fn summary(&self) -> String {
        let Some(history) = self.history.as_ref().filter(|_| !self.conditions.is_empty()) else {
            return String::new();
        };
        let hits = self.found.len() as u64;
        let hits = format!("{} hit{}", grouped(hits), if hits == 1 { "" } else { "s" });
        let all = grouped(history.len() as u64);
        if self.looked_at < history.len() {
            return format!("{hits} in {} of {all} events", grouped(self.looked_at as u64));
        }
        format!("{hits} in {all} events")
    }

    pub(crate) fn stop(&mut self, slot: Slot) {
        match slot {
            Slot::Run => self.is_running = false,
            _ => self.is_stopped = self.stretch().is_some(),
        }
    }

    pub(crate) fn go_on(&mut self) -> Option<Job> {
        self.is_stopped = false;
        self.stretch()
    }

    /// Asks for the next stretch of the list; nothing when all was looked at.
    fn stretch(&self) -> Option<Job> {
        let history = Arc::clone(self.history.as_ref()?);
        let start = self.looked_at;
        if start >= history.len() || self.conditions.is_empty() {
            return None;
        }
        let range = start..history.len().min(start + stretch_of(&history, start));
        let conditions = Arc::clone(&self.conditions);
        let question = HitsQuestion::List { history, conditions, range, list: self.lists };
        Some(job(Slot::Hits, question))
    }

    /// The nearest hit, if the whole list is known.
    fn nearest(&self, run: Run) -> Option<Option<Hit>> {
        let is_whole = self.looked_at >= self.history.as_ref()?.len();
        let behind = |count: usize| self.found.partition_point(|hit| hit.count < count);
        let row = match run.direction {
            Direction::Forward => Some(behind(run.from + 1)),
            Direction::Backward => behind(run.from).checked_sub(1),
        };
        is_whole.then(|| self.found.get(row?).copied())
    }
}

fn job(slot: Slot, question: HitsQuestion) -> Job {
    Job { slot, question: Question::Conditions(ConditionQuestion::Hits(question)) }
}

impl Opened {
    /// The history or the conditions changed: lists the hits anew.
    pub(crate) fn follow_conditions(&mut self) -> Vec<Job> {
        let (places, conditions) = self.enabled_conditions();
        let history = self.states.history().cloned();
        let hits = &mut self.conditions.hits;
        // What an older history of the stream gave stays until the new one gives something.
        let is_same = hits.stream == self.browse.focus && hits.conditions == conditions;
        if !is_same || history.is_none() {
            self.discards.put_some(hits.take_found());
            hits.totals = vec![0; conditions.len()];
        }
        hits.stream = self.browse.focus;
        hits.places = places;
        hits.conditions = conditions;
        hits.history = history;
        hits.faults.clear();
        hits.present = Which::default();
        hits.looked_at = 0;
        hits.lists += 1;
        (hits.is_stopped, hits.is_running, hits.ran_out) = (false, false, None);
        let job = hits.stretch();
        self.place_ticks();
        job.into_iter().collect()
    }

    /// Goes to the next hit in a direction.
    pub(crate) fn run_to_hit(&mut self, direction: Direction, notices: &mut Notices) -> Vec<Job> {
        let here = self.cursor.count;
        let hits = &mut self.conditions.hits;
        let Some(history) = hits.history.clone() else { return Vec::new() };
        if hits.conditions.is_empty() {
            notices.warning(
                "There is no condition to run to",
                "",
                "Add one in the panel Conditions, or from the menu of a value in the state",
            );
            return Vec::new();
        }
        let is_round = hits.ran_out.take() == Some((direction, here));
        let from = match (direction, is_round) {
            (Direction::Forward, true) => 0,
            (Direction::Backward, true) => history.len() + 1,
            (_, false) => here,
        };
        let run = Run { direction, from, is_round };
        if let Some(hit) = hits.nearest(run) {
            return self.arrive(run, hit, notices);
        }
        hits.is_running = true;
        let conditions = Arc::clone(&hits.conditions);
        let question = HitsQuestion::Run { history, conditions, run, list: hits.lists };
        vec![job(Slot::Run, question)]
    }

    /// A run has ended.
    fn arrive(&mut self, run: Run, hit: Option<Hit>, notices: &mut Notices) -> Vec<Job> {
        let Some(hit) = hit else {
            let words = self.version_words(self.cursor.count);
            let name = self.focus_name().unwrap_or_default();
            let (side, end) = match run.direction {
                Direction::Forward => ("after", "start"),
                Direction::Backward => ("before", "end"),
            };
            if run.is_round {
                notices.info(format!("Nothing in {name} meets a condition"));
            } else {
                self.conditions.hits.ran_out = Some((run.direction, self.cursor.count));
                notices.info(format!("No hit {side} {words}; once more goes on from the {end}"));
            }
            return Vec::new();
        };
        if run.is_round {
            let end = if run.direction == Direction::Forward { "start" } else { "end" };
            notices.info(format!("Went on from the {end}"));
        }
        self.go_to_hit(hit.count)
    }

    /// Puts the cursor on an event of the chosen stream.
    fn go_to_hit(&mut self, count: usize) -> Vec<Job> {
        self.trail.leave(self.spot());
        self.stand_behind(count)
    }

    pub(crate) fn choose_hit(&mut self, row: usize) -> Vec<Job> {
        let hit = self.conditions.hits.found.get(row).copied();
        hit.map(|hit| self.go_to_hit(hit.count)).unwrap_or_default()
    }

    pub(crate) fn take_hits(&mut self, answer: HitsAnswer, notices: &mut Notices) -> Vec<Job> {
        let hits = &mut self.conditions.hits;
        match answer {
            HitsAnswer::List(Listed { found, totals, ticks, range, list }) if list == hits.lists => {
                if range.start == 0 {
                    self.discards.put_some(hits.take_found());
                    hits.totals.fill(0);
                }
                for (total, more) in hits.totals.iter_mut().zip(totals) {
                    *total += more;
                }
                hits.found.add(found.hits);
                hits.ticks.extend(ticks);
                hits.take_faults(found.faults, notices);
                hits.present = hits.present.or(found.present);
                hits.looked_at = range.end;
                let job = hits.stretch();
                self.place_ticks();
                job.into_iter().collect()
            }
            HitsAnswer::Run(found, run, list) if list == hits.lists && hits.is_running => {
                hits.is_running = false;
                // Every hit is one on the way forward, and the last one is the nearest backward.
                let hit = found.hits.last().copied();
                self.arrive(run, hit, notices)
            }
            HitsAnswer::List(_) | HitsAnswer::Run(..) => Vec::new(),
        }
    }
}

impl Hits {
    /// Says once of each condition that it could not be asked.
    fn take_faults(&mut self, faults: Vec<(usize, Fault)>, notices: &mut Notices) {
        for (place, fault) in &faults {
            let is_new = self.faults.iter().all(|(own, _)| own != place);
            if let Some(condition) = self.conditions.get(*place).filter(|_| is_new) {
                notices.warning(
                    format!("{condition} could not be asked everywhere"),
                    fault_words(fault),
                    "Where it fails it counts as not met",
                );
            }
        }
        merge_faults(&mut self.faults, faults);
    }
}
