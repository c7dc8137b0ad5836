//! What watches found along the history of the chosen stream.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    replay::{
        History, Probe, Prober, Reading, Series, Sketch, Step,
        watch::{extend, values},
    },
    session::{
        hits::stretch_of,
        job::{Answer, Job, Question, Slot},
        notice::Notices,
        opened::Opened,
        states::is_same_history,
        view::{WatchCells, grouped},
        watches::probe_of,
    },
    store::StoreResult,
    work::Work,
};

/// As many columns as a plot has pixels, or nearly.
const COLUMNS: usize = 480;

/// Events fetched for columns that lie no further apart are walked to; others are sought.
const NEAR: usize = 64;

/// What is asked of jobs.
pub enum WatchQuestion {
    /// Carry series on.
    Series {
        /// Of which history.
        history: Arc<History>,
        /// What is followed.
        probes: Arc<[Probe]>,
        /// What was found so far.
        series: Vec<Arc<Series>>,
        /// Up to and including so many events.
        until: usize,
        /// Which walk this is a part of.
        walk: u64,
    },
    /// The values on either side of a step.
    Values(Box<Step>, Arc<[Probe]>),
    /// The values after these events of the table: their ordinals and counts.
    Cells(Arc<History>, Arc<[Probe]>, Vec<(usize, u32)>),
}

/// What they found.
pub enum WatchAnswer {
    /// Series as far as they came, and how they are drawn.
    Series(Vec<(Arc<Series>, Arc<Sketch>)>, u64),
    /// The values on either side of a step.
    Values(Vec<(Probe, Value)>),
    /// The values for the columns of the event table.
    Cells(WatchCells),
}

/// The value of a watch at the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Value {
    /// Before the step, if the step changed it.
    pub before: Option<Arc<str>>,
    /// After it; `—` where there is none.
    pub after: Arc<str>,
    /// Why there is none.
    pub reason: Option<Arc<str>>,
}

impl WatchQuestion {
    /// Finds the answer.
    pub(crate) fn run(self, work: &Work) -> StoreResult<Answer> {
        let answer = match self {
            Self::Series { history, probes, series, until, walk } => {
                work.expect_total(history.len() as u64);
                work.advance(series.first().map_or(0, |series| series.len()) as u64)?;
                let mut series: Vec<Series> = series.into_iter().map(Arc::unwrap_or_clone).collect();
                extend(&history, &probes, &mut series, until, work)?;
                let drawn = series.into_iter().map(|series| {
                    let sketch = Sketch::of(&series, history.len() + 1, COLUMNS);
                    (Arc::new(series), Arc::new(sketch))
                });
                WatchAnswer::Series(drawn.collect(), walk)
            }
            Self::Values(step, probes) => WatchAnswer::Values(values_at(&step, &probes, work)),
            Self::Cells(history, probes, places) => {
                WatchAnswer::Cells(cells(&history, &probes, &places, work)?)
            }
        };
        Ok(Answer::Watches(answer))
    }
}

fn values_at(step: &Step, probes: &Arc<[Probe]>, work: &Work) -> Vec<(Probe, Value)> {
    let mut prober = Prober::start(probes, work);
    let value = |(which, probe): (usize, &Probe)| {
        let found = prober.read(which, &step.after, step.event.as_ref());
        let after = Reading::of(&found).words();
        let reason = found.as_ref().err().map(|failure| failure.to_string().into());
        // The event before is another one: only what comes of the state has a value before.
        let has_before = step.count > 0 && !probe.reads_event();
        let before = has_before.then(|| prober.read(which, &step.before, None)).and_then(Result::ok);
        let before = before.filter(|before| found.as_ref().ok() != Some(before));
        let before = before.map(|before| Reading::of(&Ok(before)).words());
        (probe.clone(), Value { before, after, reason })
    };
    probes.iter().enumerate().map(value).collect()
}

fn cells(
    history: &History,
    probes: &Arc<[Probe]>,
    places: &[(usize, u32)],
    work: &Work,
) -> StoreResult<WatchCells> {
    let mut found = WatchCells::new();
    let mut rest = places;
    while let Some((first, _)) = rest.first() {
        let mut last = *first;
        let near = rest.iter().take_while(|(count, _)| {
            let is_near = *count <= last + NEAR;
            last = last.max(*count);
            is_near
        });
        let (group, others) = rest.split_at(near.count());
        let last = group.last().map_or(*first, |(count, _)| *count);
        let read: BTreeMap<usize, Vec<Reading>> =
            values(history, probes, first.saturating_sub(1)..last, work)?.into_iter().collect();
        for (count, ordinal) in group {
            let texts = read.get(count).into_iter().flatten().map(Reading::words);
            let named = probes.iter().map(ToString::to_string).zip(texts);
            found.insert(*ordinal, named.collect());
        }
        rest = others;
    }
    Ok(found)
}

/// What was found along one history.
#[derive(Default)]
pub(crate) struct Watched {
    history: Option<Arc<History>>,
    stream: Option<u32>,
    known: BTreeMap<Probe, Known>,
    /// What is followed right now, and how far it came.
    walking: Option<Walking>,
    is_stopped: bool,
    walks: u64,
    values: BTreeMap<Probe, Value>,
    pub(crate) cells: Arc<WatchCells>,
}

struct Known {
    series: Arc<Series>,
    sketch: Arc<Sketch>,
    /// Whether it is of a history that is being made anew.
    is_old: bool,
}

struct Walking {
    probes: Arc<[Probe]>,
    series: Vec<Arc<Series>>,
}

impl Watched {
    /// How many events the history has.
    pub(crate) fn events(&self) -> usize {
        self.history.as_ref().map_or(0, |history| history.len())
    }

    pub(crate) fn value(&self, probe: &Probe) -> Option<&Value> {
        self.values.get(probe)
    }

    /// Series and drawing, and whether they are of a history that is being made anew.
    pub(crate) fn series(&self, probe: &Probe) -> Option<(&Arc<Series>, &Arc<Sketch>, bool)> {
        self.known.get(probe).map(|known| (&known.series, &known.sketch, known.is_old))
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// "12 000 of 1 000 000 events", while not all were looked at.
    pub(crate) fn progress_words(&self) -> Option<String> {
        let walking = self.walking.as_ref()?;
        let done = walking.series.first().map_or(0, |series| series.len().saturating_sub(1));
        Some(format!("{} of {} events", grouped(done as u64), grouped(self.events() as u64)))
    }

    /// The walk was stopped, or broke off: what was found stays.
    pub(crate) fn stop(&mut self) {
        self.is_stopped = self.walking.is_some();
    }

    /// Takes which history is shown; keeps what was found in an older one of the same stream.
    fn take_history(&mut self, history: Option<&Arc<History>>, stream: Option<u32>) {
        if is_same_history(self.history.as_ref(), history) {
            return;
        }
        if self.stream == stream {
            self.known.values_mut().for_each(|known| known.is_old = true);
        } else {
            self.known.clear();
            self.values.clear();
            self.cells = Arc::default();
        }
        self.history = history.cloned();
        self.stream = stream;
    }

    fn is_complete(&self, probe: &Probe) -> bool {
        let is_whole = |known: &Known| !known.is_old && known.series.len() > self.events();
        self.known.get(probe).is_some_and(is_whole)
    }

    /// Asks for the next stretch of the walk.
    fn stretch(&self) -> Option<Job> {
        let history = Arc::clone(self.history.as_ref()?);
        let walking = self.walking.as_ref()?;
        let done = walking.series.first().map_or(0, |series| series.len());
        let until = done + stretch_of(&history, done);
        let question = WatchQuestion::Series {
            history,
            probes: Arc::clone(&walking.probes),
            series: walking.series.clone(),
            until,
            walk: self.walks,
        };
        Some(Job { slot: Slot::WatchSeries, question: Question::Watches(question) })
    }

    fn take_series(&mut self, found: Vec<(Arc<Series>, Arc<Sketch>)>, walk: u64) -> Option<Job> {
        if walk != self.walks {
            return None;
        }
        let events = self.events();
        let walking = self.walking.as_mut()?;
        let is_whole = found.iter().all(|(series, _)| series.len() > events);
        walking.series = found.iter().map(|(series, _)| Arc::clone(series)).collect();
        for (probe, (series, sketch)) in walking.probes.iter().zip(found) {
            // What an older history gave is better than the beginning of the new.
            if is_whole || self.known.get(probe).is_none_or(|known| !known.is_old) {
                self.known.insert(probe.clone(), Known { series, sketch, is_old: false });
            }
        }
        if is_whole {
            self.walking = None;
            return None;
        }
        self.stretch()
    }
}

impl Opened {
    /// The history or the list of watches changed: follows what is not followed yet.
    pub(crate) fn follow_watches(&mut self) -> Vec<Job> {
        let probes = self.watch_probes(false);
        let watched = &mut self.watches.watched;
        watched.take_history(self.states.history(), self.browse.focus);
        watched.known.retain(|probe, _| probes.contains(probe));
        watched.values.retain(|probe, _| probes.contains(probe));
        watched.walks += 1;
        watched.is_stopped = false;
        let missing: Arc<[Probe]> = probes.into_iter().filter(|probe| !watched.is_complete(probe)).collect();
        let series = vec![Arc::default(); missing.len()];
        let is_wanted = !missing.is_empty() && watched.history.is_some();
        watched.walking = is_wanted.then_some(Walking { probes: missing, series });
        let stretch = watched.stretch();
        [stretch, self.watch_values_job(), self.watch_cells_job()].into_iter().flatten().collect()
    }

    pub(crate) fn go_on_watching(&mut self) -> Vec<Job> {
        self.watches.watched.is_stopped = false;
        self.watches.watched.stretch().into_iter().collect()
    }

    fn watch_probes(&self, only_columns: bool) -> Vec<Probe> {
        let wanted = self.watched_entries().filter(|(_, entry)| entry.column || !only_columns);
        wanted.filter_map(|(_, entry)| probe_of(entry)).collect()
    }

    /// Asks for the values on either side of the step at the cursor.
    pub(crate) fn watch_values_job(&self) -> Option<Job> {
        let probes = self.watch_probes(false);
        let step = self.states.step().filter(|_| !probes.is_empty())?;
        let question = WatchQuestion::Values(Box::new(step.clone()), probes.into());
        Some(Job { slot: Slot::WatchValues, question: Question::Watches(question) })
    }

    /// Asks for the values that the columns of the event table show.
    pub(crate) fn watch_cells_job(&self) -> Option<Job> {
        let history = Arc::clone(self.states.history()?);
        let probes = self.watch_probes(true);
        let (index, stream) = (self.index.as_ref()?, self.browse.focus?);
        let listing = self.listing().filter(|_| !probes.is_empty())?;
        let events = index.stream_events(stream);
        let of_stream = self.browse.rows.loaded_rows().filter_map(|row| {
            let ordinal = listing.ordinal(row)?;
            (index.row(ordinal)?.stream == stream).then_some(ordinal)
        });
        let mut places: Vec<(usize, u32)> = of_stream
            .filter_map(|ordinal| Some((self.what_if.shown_count(events.place_of(ordinal)? + 1), ordinal)))
            .collect();
        places.sort_unstable();
        let question = WatchQuestion::Cells(history, probes.into(), places);
        Some(Job { slot: Slot::WatchCells, question: Question::Watches(question) })
    }

    /// Takes what a job found.
    pub(crate) fn take_watches(&mut self, answer: WatchAnswer, _: &mut Notices) -> Vec<Job> {
        let watched = &mut self.watches.watched;
        match answer {
            WatchAnswer::Series(found, walk) => watched.take_series(found, walk).into_iter().collect(),
            WatchAnswer::Values(values) => {
                watched.values = values.into_iter().collect();
                Vec::new()
            }
            WatchAnswer::Cells(cells) => {
                watched.cells = Arc::new(cells);
                Vec::new()
            }
        }
    }
}
