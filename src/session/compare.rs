//! Two histories side by side: two streams, one stream under two reducers, a branch and the truth.

use std::sync::Arc;

use crate::{
    model::Timestamp,
    replay::{Alignment, Beside, Comparison, History, Merge, Pair, Reducer, StreamEvents},
    session::{
        job::{Answer, Job, Question, Slot},
        notice::Notices,
        opened::Opened,
        view::{CompareSideView, CompareView, grouped},
    },
    store::{StoreError, index::Index},
    work::Work,
};

/// Two histories side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompareAction {
    /// Takes the history that is shown as the left side, 0, or the right one, 1.
    Take(usize),
    /// Takes a stream by its name, as typed.
    TakeStream(usize, String),
    /// Takes the same stream as the other side, under the built-in merge.
    TakeMerged(usize),
    /// Takes the recorded history left and the chosen branch right.
    TakeBranch,
    /// Takes a side away.
    Clear(usize),
    /// Left becomes right.
    Swap,
    /// Aligns by version or by time.
    Align(CompareAlign),
    /// Goes so many steps on, or back.
    Step(i64),
    /// Goes to a step.
    GoTo(usize),
    /// Goes to the first difference.
    First,
    /// Goes to the next step at which other places differ.
    Next,
    /// Goes to the one before.
    Previous,
}

/// Which points stand side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CompareAlign {
    /// As many events behind each.
    #[default]
    ByVersion,
    /// What happened until the same moment.
    ByTime,
}

/// What is asked of jobs.
pub enum CompareQuestion {
    /// Where the two differ.
    All(Box<Asked>),
    /// Both states after so many steps.
    Beside(Pair, usize),
}

/// Two histories, and how their points are to be aligned.
pub struct Asked {
    sides: [Arc<History>; 2],
    alignment: AlignmentAsked,
    shared: usize,
}

enum AlignmentAsked {
    Known(Arc<Alignment>),
    ByTime(Arc<Index>, [u32; 2]),
}

/// What they found.
pub enum CompareAnswer {
    /// Where the two differ.
    All(Box<(Pair, Comparison)>),
    /// Both states at a step.
    Beside(Box<Beside>),
}

impl CompareQuestion {
    /// Finds the answer.
    pub(crate) fn run(self, work: &Work) -> Result<Answer, StoreError> {
        let answer = match self {
            Self::All(asked) => {
                let Asked { sides, alignment, shared } = *asked;
                let alignment = match alignment {
                    AlignmentAsked::Known(alignment) => alignment,
                    AlignmentAsked::ByTime(index, streams) => {
                        let [left, right] = streams.map(|stream| times(&index, stream));
                        Arc::new(Alignment::by_time(left, right))
                    }
                };
                let pair = Pair { sides, alignment, shared };
                let comparison = pair.compare(work)?;
                CompareAnswer::All(Box::new((pair, comparison)))
            }
            Self::Beside(pair, step) => CompareAnswer::Beside(Box::new(pair.beside(step, work)?)),
        };
        Ok(Answer::Compare(answer))
    }
}

fn times(index: &Index, stream: u32) -> Vec<Option<i64>> {
    let time = |ordinal: &u32| index.row(*ordinal)?.time.map(Timestamp::nanos);
    index.stream_events(stream).iter().map(time).collect()
}

/// What is known.
#[derive(Default)]
pub(crate) struct Compare {
    sides: [Option<Side>; 2],
    align: CompareAlign,
    pair: Option<Pair>,
    comparison: Option<Arc<Comparison>>,
    step: usize,
    beside: Option<Arc<Beside>>,
    is_comparing: bool,
    /// Whether what is being compared was compared before, so that the user stays where he stands.
    is_renewal: bool,
}

/// One of the two.
#[derive(Clone)]
struct Side {
    stream: u32,
    /// The branch it is, by its name; `None` is the recorded history.
    branch: Option<Arc<str>>,
    /// Whether the merge makes its states instead of the stream's own reducer.
    is_merged: bool,
    /// Which reducer the stream had, by a number that changes with every reducer.
    generation: u64,
    history: Arc<History>,
}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_compare(&mut self, action: CompareAction, notices: &mut Notices) -> Vec<Job> {
        match action {
            CompareAction::Take(which) => {
                let side = self.shown_side();
                self.take_side(which, side)
            }
            CompareAction::TakeStream(which, name) => self.take_stream(which, &name, notices),
            CompareAction::TakeMerged(which) => self.take_merged(which),
            CompareAction::TakeBranch => self.take_branch(),
            CompareAction::Clear(which) => self.take_side(which, None),
            CompareAction::Swap => {
                self.compare.sides.reverse();
                self.compare_all()
            }
            CompareAction::Align(align) => {
                self.compare.align = align;
                self.compare_all()
            }
            CompareAction::Step(by) => {
                let step = self.compare.step.saturating_add_signed(isize::try_from(by).unwrap_or_default());
                self.go_to_compared(step)
            }
            CompareAction::GoTo(step) => self.jump_to_compared(Some(step)),
            CompareAction::First => {
                let first = self.compare.comparison.as_ref().and_then(|found| found.parts_at);
                self.jump_to_compared(first)
            }
            CompareAction::Next => {
                let turns = self.compare.turns();
                let next = turns.partition_point(|turn| *turn <= self.compare.step);
                let step = turns.get(next).copied();
                self.jump_to_compared(step)
            }
            CompareAction::Previous => {
                let turns = self.compare.turns();
                let before = turns.partition_point(|turn| *turn < self.compare.step);
                let step = before.checked_sub(1).and_then(|before| turns.get(before)).copied();
                self.jump_to_compared(step)
            }
        }
    }

    /// Takes what a job found.
    pub(crate) fn take_compare(&mut self, answer: CompareAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {
            // What is compared became another meanwhile, or a side is not there any more.
            CompareAnswer::All(_) if !self.compare.is_comparing => Vec::new(),
            CompareAnswer::Beside(_) if self.compare.pair.is_none() => Vec::new(),
            CompareAnswer::All(found) => {
                let (pair, comparison) = *found;
                self.compare.is_comparing = false;
                let length = pair.alignment.len();
                self.compare.step = if std::mem::take(&mut self.compare.is_renewal) {
                    self.compare.step.min(length)
                } else {
                    comparison.parts_at.unwrap_or(length)
                };
                self.compare.pair = Some(pair);
                self.compare.comparison = Some(Arc::new(comparison));
                self.beside_job().into_iter().collect()
            }
            CompareAnswer::Beside(beside) => {
                self.compare.beside = Some(Arc::new(*beside));
                Vec::new()
            }
        }
    }

    /// The comparison was stopped.
    pub(crate) fn compare_failed(&mut self) {
        self.compare.is_comparing = false;
    }

    /// The histories that are compared.
    pub(crate) fn compared_histories(&self) -> impl Iterator<Item = &Arc<History>> {
        self.compare.sides.iter().flatten().map(|side| &side.history)
    }

    /// The history that the window shows.
    fn shown_side(&self) -> Option<Side> {
        let history = Arc::clone(self.states.history()?);
        let stream = self.browse.focus?;
        let (_, generation) = self.reducer_of(stream)?;
        Some(Side { stream, branch: self.what_if.standing_name(), is_merged: false, generation, history })
    }

    /// The recorded history of a stream.
    fn truth_side(&self, stream: u32) -> Option<Side> {
        let own = self.truth_history().filter(|_| self.browse.focus == Some(stream));
        let (reducer, generation) = self.reducer_of(stream)?;
        let history = match own {
            Some(history) => history,
            None => self.history_of(stream, &reducer)?,
        };
        Some(Side { stream, branch: None, is_merged: false, generation, history })
    }

    /// A history of a stream's events, under a reducer.
    fn history_of(&self, stream: u32, reducer: &Arc<dyn Reducer>) -> Option<Arc<History>> {
        let index = Arc::clone(self.index.as_ref()?);
        let events = StreamEvents::new(Arc::clone(&self.store), index, stream);
        let reducer = Arc::clone(reducer);
        let budget = self.histories.share();
        Some(Arc::new(History::new(Arc::new(events), reducer, self.on_failure(), budget)))
    }

    /// What makes the states of a stream, and its number.
    fn reducer_of(&self, stream: u32) -> Option<(Arc<dyn Reducer>, u64)> {
        let category = self.index.as_ref()?.stream(stream)?.name.category.clone();
        Some(self.reducer_for(category.as_deref()))
    }

    fn take_stream(&mut self, which: usize, name: &str, notices: &mut Notices) -> Vec<Job> {
        match self.stream_called(name.trim()) {
            Some(stream) => {
                let side = self.truth_side(stream);
                self.take_side(which, side)
            }
            None => {
                notices.warning(
                    format!("No stream is called “{}”", name.trim()),
                    "",
                    "Type a stream's whole name, or choose it on the left and take it from there",
                );
                Vec::new()
            }
        }
    }

    /// The stream of the other side, or the one that is shown, under the merge.
    fn take_merged(&mut self, which: usize) -> Vec<Job> {
        let other = self.compare.sides.get(1 - which.min(1)).and_then(Option::as_ref);
        let stream = other.map(|side| side.stream).or(self.browse.focus);
        let merged: Arc<dyn Reducer> = Arc::new(Merge::for_category(None));
        let side = stream.and_then(|stream| {
            let history = self.history_of(stream, &merged)?;
            Some(Side { stream, branch: None, is_merged: true, generation: 0, history })
        });
        self.take_side(which, side)
    }

    fn take_branch(&mut self) -> Vec<Job> {
        let Some(pair) = self.what_if.pair() else { return Vec::new() };
        let (Some(stream), Some(name)) = (self.browse.focus, self.what_if.chosen_name()) else {
            return Vec::new();
        };
        let generation = self.reducer_of(stream).map(|(_, generation)| generation).unwrap_or_default();
        let [truth, branch] = pair.sides;
        let side = |history, branch| Some(Side { stream, branch, is_merged: false, generation, history });
        self.compare.sides = [side(truth, None), side(branch, Some(name))];
        self.compare_all()
    }

    fn take_side(&mut self, which: usize, side: Option<Side>) -> Vec<Job> {
        if let Some(place) = self.compare.sides.get_mut(which) {
            *place = side;
        }
        self.compare_all()
    }

    fn compare_all(&mut self) -> Vec<Job> {
        let compare = &mut self.compare;
        compare.is_renewal = false;
        let before = (compare.pair.take(), compare.comparison.take(), compare.beside.take());
        if before.0.is_some() {
            self.discards.put(before);
        }
        let asked = self.asked();
        self.compare.is_comparing = asked.is_some();
        let job = |asked| Job {
            slot: Slot::Compare,
            question: Question::Compare(CompareQuestion::All(Box::new(asked))),
        };
        asked.map(job).into_iter().collect()
    }

    fn asked(&self) -> Option<Asked> {
        let [Some(left), Some(right)] = &self.compare.sides else { return None };
        // A branch and its own truth know which of their events belong together.
        if let Some(pair) = self.what_if.pair().filter(|_| self.is_own_truth(left, right)) {
            let alignment = AlignmentAsked::Known(pair.alignment);
            return Some(Asked { sides: pair.sides, alignment, shared: pair.shared });
        }
        if let Some(pair) = self.what_if.pair().filter(|_| self.is_own_truth(right, left)) {
            let [truth, branch] = pair.sides;
            let alignment = AlignmentAsked::Known(Arc::new(pair.alignment.flipped()));
            return Some(Asked { sides: [branch, truth], alignment, shared: pair.shared });
        }
        let sides = [Arc::clone(&left.history), Arc::clone(&right.history)];
        let has_branch = left.branch.is_some() || right.branch.is_some();
        let alignment = match (self.compare.align, &self.index) {
            (CompareAlign::ByTime, Some(index)) if !has_branch => {
                AlignmentAsked::ByTime(Arc::clone(index), [left.stream, right.stream])
            }
            _ => {
                AlignmentAsked::Known(Arc::new(Alignment::by_count(left.history.len(), right.history.len())))
            }
        };
        Some(Asked { sides, alignment, shared: 0 })
    }

    /// Whether one is the chosen branch and the other what it departs from.
    fn is_own_truth(&self, truth: &Side, branch: &Side) -> bool {
        let is_chosen = branch.branch.is_some() && branch.branch == self.what_if.chosen_name();
        let is_shown = self.browse.focus == Some(truth.stream) && truth.stream == branch.stream;
        is_chosen && is_shown && truth.branch.is_none() && !truth.is_merged
    }

    fn jump_to_compared(&mut self, step: Option<usize>) -> Vec<Job> {
        let Some(step) = step else { return Vec::new() };
        self.trail.leave(self.spot());
        self.go_to_compared(step)
    }

    /// Stands at a step; the cursor goes along where it is on one of the two.
    fn go_to_compared(&mut self, step: usize) -> Vec<Job> {
        let Some(pair) = &self.compare.pair else { return Vec::new() };
        let step = step.min(pair.alignment.len());
        let (left, right) = pair.alignment.at(step);
        self.compare.step = step;
        let shown = self.shown_of_compared();
        let count = match shown {
            Some(0) => left,
            Some(_) => right,
            None => return self.beside_job().into_iter().collect(),
        };
        if count == self.cursor.count {
            return self.beside_job().into_iter().collect();
        }
        self.go_to_shown(count)
    }

    /// Which of the two the window shows.
    fn shown_of_compared(&self) -> Option<usize> {
        self.compare.pair.as_ref()?;
        let (stream, branch) = (self.browse.focus?, self.what_if.standing_name());
        let is_shown = |side: &Side| side.stream == stream && side.branch == branch && !side.is_merged;
        self.compare.sides.iter().position(|side| side.as_ref().is_some_and(is_shown))
    }

    /// The cursor stands elsewhere: so do both sides, if it is on one of them.
    pub(crate) fn compare_follows(&mut self) -> Option<Job> {
        let shown = self.shown_of_compared()?;
        let alignment = &self.compare.pair.as_ref()?.alignment;
        let (left, right) = alignment.at(self.compare.step);
        let count = self.cursor.count;
        if shown == 0 && left != count {
            self.compare.step = alignment.step_of_left(count);
        } else if shown == 1 && right != count {
            self.compare.step = alignment.step_of_right(count);
        }
        self.beside_job()
    }

    fn beside_job(&self) -> Option<Job> {
        let pair = self.compare.pair.clone()?;
        let question = Question::Compare(CompareQuestion::Beside(pair, self.compare.step));
        Some(Job { slot: Slot::CompareBeside, question })
    }

    /// The store has grown, or a reducer or branch became another: what is compared is made anew.
    pub(crate) fn renew_compared(&mut self) -> Vec<Job> {
        let sides = self.compare.sides.clone();
        let renewed = sides.each_ref().map(|side| side.as_ref().and_then(|side| self.renewed(side)));
        let is_same = sides.iter().zip(&renewed).all(|(before, now)| match (before, now) {
            (Some(before), Some(now)) => Arc::ptr_eq(&before.history, &now.history),
            (None, None) => true,
            _ => false,
        });
        if is_same {
            return Vec::new();
        }
        self.compare.sides = renewed;
        let jobs = self.compare_all();
        self.compare.is_renewal = true;
        jobs
    }

    fn renewed(&self, side: &Side) -> Option<Side> {
        if let Some(name) = &side.branch {
            let pair = self.what_if.pair().filter(|_| self.what_if.chosen_name().as_ref() == Some(name));
            // Of a branch that is not at hand the last known history stays.
            let history = pair.map_or_else(|| Arc::clone(&side.history), |pair| Arc::clone(pair.branch()));
            return Some(Side { history, ..side.clone() });
        }
        let length = self.index.as_ref()?.stream_events(side.stream).len();
        let (_, generation) = self.reducer_of(side.stream)?;
        let is_same_reducer = side.is_merged || side.generation == generation;
        if length == side.history.len() && is_same_reducer && side.history.on_failure() == self.on_failure() {
            return Some(side.clone());
        }
        if side.is_merged {
            let history = self.history_of(side.stream, side.history.reducer())?;
            return Some(Side { history, ..side.clone() });
        }
        self.truth_side(side.stream)
    }

    pub(crate) fn compare_view(&self) -> CompareView {
        let compare = &self.compare;
        let index = self.index.as_ref();
        let has_branch = compare.sides.iter().flatten().any(|side| side.branch.is_some());
        let beside = compare.beside.as_deref();
        let side_view = |which: usize| {
            let side = compare.sides.get(which)?.as_ref()?;
            let name = index?.stream(side.stream)?.name.full();
            let event = beside.and_then(|beside| beside.events.get(which)?.as_ref());
            Some(CompareSideView {
                title: match &side.branch {
                    Some(branch) => format!("{name}, what-if: {branch}"),
                    None => name.to_string(),
                },
                reducer: side.history.reducer().name(),
                place: self.compared_place(which).unwrap_or_default(),
                event: event.map(|event| event.label()).unwrap_or_default(),
                state: beside.and_then(|beside| beside.states.get(which)).cloned(),
            })
        };
        CompareView {
            sides: [side_view(0), side_view(1)],
            align: compare.align,
            can_align: !has_branch,
            is_comparing: compare.is_comparing,
            summary: self.compared_words(),
            step: compare.step,
            steps: compare.pair.as_ref().map(|pair| pair.alignment.len()),
            changes: beside.map(|beside| Arc::new(beside.changes.clone())),
            has_parted: compare.comparison.as_ref().is_some_and(|found| found.parts_at.is_some()),
            turns: compare.around(),
            has_stream: self.has_stream(),
            has_branch: self.what_if.pair().is_some(),
        }
    }

    /// "v3 of 12", of one of the two.
    fn compared_place(&self, which: usize) -> Option<String> {
        let side = self.compare.sides.get(which)?.as_ref()?;
        let pair = self.compare.pair.as_ref()?;
        let (left, right) = pair.alignment.at(self.compare.step);
        let count = if which == 0 { left } else { right };
        let total = grouped(side.history.len() as u64);
        Some(match side.branch {
            Some(_) => format!("{} of {total}", grouped(count as u64)),
            None => format!("{} of {total}", self.truth_words(side.stream, count)),
        })
    }

    fn compared_words(&self) -> String {
        let Some(found) = &self.compare.comparison else { return String::new() };
        let all = grouped(found.alignment.len() as u64);
        match found.parts_at {
            None => format!("The states are the same at all {all} steps"),
            Some(0) => format!(
                "They differ from the start; {} of {all} steps differ",
                grouped(found.differing as u64)
            ),
            Some(step) => {
                let differing = grouped(found.differing as u64);
                format!(
                    "First difference at step {}; {differing} of {all} steps differ",
                    grouped(step as u64)
                )
            }
        }
    }
}

impl Compare {
    fn turns(&self) -> &[usize] {
        self.comparison.as_ref().map(|found| found.turns.as_slice()).unwrap_or_default()
    }

    /// Whether there is a difference before and after this step.
    fn around(&self) -> (bool, bool) {
        let turns = self.turns();
        let is_before = turns.first().is_some_and(|first| *first < self.step);
        (is_before, turns.last().is_some_and(|last| *last > self.step))
    }
}
