//! Blame: which events wrote a value.
//!
//! A path stays pinned while the cursor moves and while other streams are chosen. What wrote it is
//! known as soon as the history is folded; what each event wrote is fetched for the rows on screen.

use std::{ops::ControlFlow, sync::Arc};

use crate::{
    model::{Json, Pointer, Timestamp, Zone},
    replay::{Experiment, History, Step, Write},
    session::{
        action::CursorAction,
        estimates::event_words,
        job::{Answer, Job, Question, Slot},
        notice::Notices,
        opened::Opened,
        states::is_same_history,
        timeline::FINEST_TICKS,
        view::{BlameView, LastWrite, WriteRow},
    },
    store::StoreResult,
    work::{Work, estimate::Task},
};

/// Asking why a value is as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlameAction {
    /// Pins a path and asks which events wrote it.
    Ask(Pointer),
    /// Unpins the path.
    Forget,
    /// Goes to the event with this count.
    GoTo(usize),
    /// Goes to the write before the cursor.
    Previous,
    /// Goes to the write after the cursor.
    Next,
    /// The rows on screen, the newest write being row 0, so that they are fetched.
    ShowRows {
        /// The first row.
        first: usize,
        /// How many.
        count: usize,
    },
    /// Makes a JSON text of all writes, to be copied.
    Copy,
}

/// What is asked of jobs: of which history, which path, and in which turn.
pub struct BlameQuestion {
    history: Arc<History>,
    path: Pointer,
    turn: u64,
    zone: Zone,
    asks: Asks,
}

enum Asks {
    /// Which events wrote the path; those found so far if the history is still being folded.
    Writes { is_folding: bool },
    /// What these events wrote, for rows from one on.
    Rows { counts: Vec<usize>, first: usize },
    /// What this event wrote, and where it took it from.
    Last(usize),
    /// All of it as JSON.
    Copy,
}

/// What they found, and in which turn it was asked.
pub struct BlameAnswer {
    turn: u64,
    found: Found,
}

enum Found {
    Writes(Writes),
    Rows(usize, Vec<WriteRow>),
    Last(Option<LastWrite>),
    Copied(String),
}

/// Which events wrote the path.
struct Writes {
    counts: Arc<Vec<usize>>,
    /// Those that the timeline can tell apart.
    ticks: Vec<usize>,
    /// Whether all events of the history were looked at.
    is_whole: bool,
    /// Whether the path exists before the first event.
    is_from_start: bool,
}

/// Rows fetched at most at once: two screens of a large window.
const MOST_ROWS: usize = 200;

/// What is known.
#[derive(Default)]
pub(crate) struct Blame {
    path: Option<Pointer>,
    /// Raised with each path and history; answers of earlier turns are not taken.
    turn: u64,
    /// What is asked: the stream as it is, as it was before it grew, or a branch of it.
    history: Option<Arc<History>>,
    writes: Option<Writes>,
    rows: Arc<Vec<WriteRow>>,
    rows_from: usize,
    /// Whether the rows are those of another history, shown until there are new ones.
    are_rows_old: bool,
    /// The rows that are being fetched: from one up to before another.
    asked: Option<(usize, usize)>,
    /// The rows on screen: the first, and how many.
    wanted: (usize, usize),
    last: Option<LastWrite>,
    /// The event that `last` was asked about.
    last_asked: Option<usize>,
    is_asking: bool,
    copied: Option<(u64, Arc<str>)>,
}

impl Blame {
    /// Which counts the timeline marks.
    pub(crate) fn ticks(&self) -> Vec<usize> {
        self.writes.as_ref().map(|writes| writes.ticks.clone()).unwrap_or_default()
    }

    /// Whether there are writes to go to.
    pub(crate) fn has_writes(&self) -> bool {
        self.writes.as_ref().is_some_and(|writes| !writes.counts.is_empty())
    }

    /// A job ended without an answer.
    pub(crate) fn stop_waiting(&mut self) {
        self.is_asking = false;
        self.asked = None;
        self.last_asked = None;
    }

    /// How many writes lie at or before the event with this count.
    fn writes_until(&self, count: usize) -> usize {
        self.writes.as_ref().map_or(0, |writes| writes.counts.partition_point(|write| *write <= count))
    }

    fn count_of(&self, number: usize) -> Option<usize> {
        self.writes.as_ref()?.counts.get(number).copied()
    }

    fn total(&self) -> usize {
        self.writes.as_ref().map_or(0, |writes| writes.counts.len())
    }

    fn has_or_awaits(&self, first: usize, end: usize) -> bool {
        let covers = |(from, to): (usize, usize)| from <= first && end <= to;
        let is_here = !self.are_rows_old && covers((self.rows_from, self.rows_from + self.rows.len()));
        is_here || self.asked.is_some_and(covers)
    }

    /// What is on screen stays wanted: the same rows of other writes.
    fn forget_rows(&mut self) {
        self.turn += 1;
        self.writes = None;
        self.rows = Arc::default();
        self.asked = None;
        self.last = None;
        self.last_asked = None;
    }
}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_blame(&mut self, action: BlameAction, _: &mut Notices) -> Vec<Job> {
        match action {
            BlameAction::Ask(path) => {
                self.blame.path = Some(path);
                self.blame_anew()
            }
            BlameAction::Forget => {
                self.blame.path = None;
                self.blame.forget_rows();
                self.place_ticks();
                Vec::new()
            }
            BlameAction::GoTo(count) => self.go_to_write(Some(count)),
            BlameAction::Previous => {
                let before = self.cursor.count.checked_sub(1).map(|count| self.blame.writes_until(count));
                let number = before.and_then(|number| number.checked_sub(1));
                self.go_to_write(number.and_then(|number| self.blame.count_of(number)))
            }
            BlameAction::Next => {
                let next = self.blame.count_of(self.blame.writes_until(self.cursor.count));
                self.go_to_write(next)
            }
            BlameAction::ShowRows { first, count } => {
                self.blame.wanted = (first, count.min(MOST_ROWS / 2));
                self.write_rows_job().into_iter().collect()
            }
            BlameAction::Copy => self.blame_job(Slot::BlameCopy, Asks::Copy).into_iter().collect(),
        }
    }

    /// Takes what a job found.
    pub(crate) fn take_blame(&mut self, answer: BlameAnswer, _: &mut Notices) -> Vec<Job> {
        if answer.turn != self.blame.turn {
            return Vec::new();
        }
        match answer.found {
            Found::Writes(writes) => return self.take_writes(writes),
            Found::Rows(first, rows) => {
                self.blame.rows_from = first;
                self.blame.rows = Arc::new(rows);
                self.blame.are_rows_old = false;
                self.blame.asked = None;
            }
            Found::Last(last) => self.blame.last = last,
            Found::Copied(text) => {
                let number = self.blame.copied.as_ref().map_or(0, |(number, _)| *number);
                self.blame.copied = Some((number + 1, text.into()));
            }
        }
        Vec::new()
    }

    /// Another path, or another history of it: asks from the beginning.
    pub(crate) fn blame_anew(&mut self) -> Vec<Job> {
        self.blame.forget_rows();
        self.blame.history = self.states.history().cloned();
        self.place_ticks();
        self.writes_job().into_iter().collect()
    }

    /// The history has grown, was folded further, or is a branch now: what is shown stays until
    /// there is an answer.
    pub(crate) fn blame_on(&mut self) -> Vec<Job> {
        let history = self.states.history().cloned();
        let is_same = is_same_history(self.blame.history.as_ref(), history.as_ref());
        let blame = &mut self.blame;
        if !is_same {
            blame.history = history;
            blame.turn += 1;
            blame.asked = None;
            blame.are_rows_old = true;
        } else if blame.writes.as_ref().is_some_and(|writes| writes.is_whole) {
            return Vec::new();
        }
        self.writes_job().into_iter().collect()
    }

    /// The cursor moved: another event may be the last that wrote the path.
    pub(crate) fn blame_at_cursor(&mut self) -> Option<Job> {
        let number = self.blame.writes_until(self.cursor.count).checked_sub(1);
        let count = number.and_then(|number| self.blame.count_of(number));
        if count == self.blame.last_asked {
            return None;
        }
        self.blame.last_asked = count;
        let Some(count) = count else {
            self.blame.last = None;
            return None;
        };
        self.blame_job(Slot::BlameLast, Asks::Last(count))
    }

    fn take_writes(&mut self, writes: Writes) -> Vec<Job> {
        let blame = &mut self.blame;
        blame.is_asking = false;
        // Newest first: with more writes every row is another one.
        blame.are_rows_old |=
            blame.writes.as_ref().is_none_or(|before| before.counts.len() != writes.counts.len());
        if blame.are_rows_old {
            blame.asked = None;
            blame.last_asked = None;
        }
        if writes.counts.is_empty() {
            blame.rows = Arc::default();
        }
        let before = blame.writes.replace(writes);
        self.discards.put_some(before);
        self.place_ticks();
        let mut jobs = Vec::new();
        jobs.extend(self.blame_at_cursor());
        jobs.extend(self.write_rows_job());
        jobs
    }

    fn go_to_write(&mut self, count: Option<usize>) -> Vec<Job> {
        let Some(count) = count else { return Vec::new() };
        self.trail.leave(self.spot());
        if self.is_on_stream() {
            return self.move_cursor(&CursorAction::ToCount(count));
        }
        self.stand_behind(count)
    }

    fn writes_job(&mut self) -> Option<Job> {
        let is_folding = self.states.is_folding();
        let job = self.blame_job(Slot::BlameWrites, Asks::Writes { is_folding });
        self.blame.is_asking = job.is_some();
        job
    }

    /// Fetches the rows on screen, and as many more on either side, unless they are there.
    fn write_rows_job(&mut self) -> Option<Job> {
        let total = self.blame.total();
        let (first, count) = self.blame.wanted;
        let end = (first + count).min(total);
        if first >= end || self.blame.has_or_awaits(first, end) {
            return None;
        }
        let (first, end) = (first.saturating_sub(count / 2), (end + count / 2).min(total));
        let counts = (first..end).filter_map(|row| self.blame.count_of(total - 1 - row)).collect();
        self.blame.asked = Some((first, end));
        self.blame_job(Slot::BlameRows, Asks::Rows { counts, first })
    }

    fn blame_job(&self, slot: Slot, asks: Asks) -> Option<Job> {
        let (history, path) = (Arc::clone(self.states.history()?), self.blame.path.clone()?);
        let question = BlameQuestion { history, path, turn: self.blame.turn, zone: self.zone, asks };
        Some(Job { slot, question: Question::Blame(question) })
    }

    pub(crate) fn blame_view(&self) -> BlameView {
        let blame = &self.blame;
        let total = blame.total();
        let until = blame.writes_until(self.cursor.count);
        let is_last_asked =
            blame.last_asked.is_some() && blame.last.as_ref().map(|last| last.row.count) != blame.last_asked;
        let state = self.states.state();
        BlameView {
            path: blame.path.clone(),
            stream: self.focus_name().unwrap_or_default(),
            value: blame.path.as_ref().zip(state).and_then(|(path, state)| path.resolve(state)).cloned(),
            last: blame.last.clone(),
            total,
            rows: Arc::clone(&blame.rows),
            rows_from: blame.rows_from,
            current: (until > 0).then(|| total - until),
            is_busy: blame.is_asking || is_last_asked,
            is_partial: blame.writes.as_ref().is_some_and(|writes| !writes.is_whole),
            empty: self.blame_empty(),
            copy_estimate: event_words(self.estimate(Task::Copy, total as u64)),
            copied: blame.copied.clone(),
        }
    }

    /// Why there is nothing to show.
    fn blame_empty(&self) -> String {
        let blame = &self.blame;
        let Some(path) = &blame.path else {
            return "Choose a value of the state and press Ctrl+B, or choose “Why is this value so?” in its menu"
                .to_owned();
        };
        let Some(name) = self.focus_name() else {
            return "Choose a stream: the path stays, and is looked for there".to_owned();
        };
        let shown = if path.segments().is_empty() { "The state".to_owned() } else { path.to_string() };
        match &blame.writes {
            None => "Looking for the events that wrote it…".to_owned(),
            Some(writes) if !writes.is_whole => "None so far; the history is still being folded".to_owned(),
            Some(writes) if writes.is_from_start => {
                format!("{shown} is as the reducer starts with it: no event of {name} changed it")
            }
            Some(_) => format!("{shown} does not exist at any point of {name}"),
        }
    }
}

impl BlameQuestion {
    /// Finds the answer.
    pub(crate) fn run(self, work: &Work) -> StoreResult<Answer> {
        let Self { history, path, turn, zone, asks } = self;
        let found = match asks {
            Asks::Writes { is_folding } => Found::Writes(writes(&history, &path, is_folding, work)?),
            Asks::Rows { counts, first } => {
                let mut rows: Vec<WriteRow> =
                    history.steps_at(&counts, work)?.iter().map(|step| row(step, &path, zone)).collect();
                rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.count));
                Found::Rows(first, rows)
            }
            Asks::Last(count) => {
                let step = history.step_at(count, work)?;
                let origins = Experiment::start(&**history.reducer(), work).origins(&step, &path)?;
                Found::Last(Some(LastWrite { row: row(&step, &path, zone), origin: origins.to_string() }))
            }
            Asks::Copy => Found::Copied(copied(&history, &path, work)?),
        };
        Ok(Answer::Blame(BlameAnswer { turn, found }))
    }
}

fn writes(history: &History, path: &Pointer, is_folding: bool, work: &Work) -> StoreResult<Writes> {
    let (counts, known_to) =
        if is_folding { history.writes_so_far(path) } else { (history.writes(path, work)?, history.len()) };
    let total = history.len();
    let place = |count: &usize| *count * FINEST_TICKS / total.max(1);
    let mut ticks = counts.clone();
    ticks.dedup_by_key(|count| place(count));
    Ok(Writes {
        counts: Arc::new(counts),
        ticks,
        is_whole: known_to == total,
        is_from_start: path.resolve(&history.step_at(0, work)?.after).is_some(),
    })
}

fn row(step: &Step, path: &Pointer, zone: Zone) -> WriteRow {
    let event = step.event.as_ref();
    WriteRow {
        count: step.count,
        version: match event.and_then(|event| event.version) {
            Some(version) => format!("v{version}"),
            None => format!("event {}", step.count),
        },
        time: event
            .and_then(|event| event.time)
            .map(|time: Timestamp| time.to_display(zone))
            .unwrap_or_default(),
        event_type: event.map(|event| Arc::clone(&event.event_type)).unwrap_or_default(),
        actor: event.and_then(|event| event.actor.clone()),
        old: path.resolve(&step.before).cloned(),
        new: path.resolve(&step.after).cloned(),
    }
}

/// All writes as JSON, the oldest first.
fn copied(history: &History, path: &Pointer, work: &Work) -> StoreResult<String> {
    let mut all = Vec::new();
    work.expect_total(history.len() as u64);
    history.each_write(0..history.len(), path, work, &mut |step, write: Write| {
        all.push(write.to_json(step, path));
        ControlFlow::Continue(())
    })?;
    Ok(Json::array(all).to_pretty())
}
