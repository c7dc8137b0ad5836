//! Conditions: running forward and backward to where something holds.
//!
//! The list itself is a part of the project file; what was found in the history of the chosen
//! stream is in [`crate::session::hits`], what was found in many streams in
//! [`crate::session::across`].

use std::sync::Arc;

use crate::{
    model::{Json, Pointer},
    project::sections::ConditionEntry,
    replay::{Condition, Which},
    session::{
        across::Search,
        action::Action,
        estimates::event_words,
        hits::Hits,
        job::{Answer, Job, Slot},
        notice::{Notices, fault_words},
        opened::Opened,
        view::{ConditionView, ConditionsView},
        watches::is_for,
    },
    store::{StoreResult, index::CategoryInfo},
    work::{Work, estimate::Task},
};

pub use crate::session::{
    across::{AcrossAnswer, AcrossQuestion},
    hits::{HitsAnswer, HitsQuestion},
};

/// Running to the next or previous hit of a condition. Places are those of [`ConditionView::place`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionAction {
    /// Looks for this.
    Add(Condition),
    /// Takes the condition at this place away.
    Remove(usize),
    /// Brings back what was taken away last.
    Restore,
    /// Leaves the condition at this place out, or looks for it again.
    Toggle(usize),
    /// Goes to the next hit, or the one before.
    Run(Direction),
    /// Goes to the hit in this row of the list.
    ChooseHit(usize),
    /// Goes on with the list that was stopped.
    GoOn,
    /// Looks for the conditions of this category while no stream is chosen.
    ChooseCategory(Option<Arc<str>>),
    /// Looks for the conditions in many streams.
    Search(Reach),
    /// Goes on with the search that was stopped.
    SearchOn,
    /// Goes to the hit in this row of what the search found.
    ChooseFound(usize),
    /// Puts away what the search found.
    CloseSearch,
}

/// Which way a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To later events.
    Forward,
    /// To earlier ones.
    Backward,
}

/// Which streams a search looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those of the category.
    Category,
    /// All of the store.
    Store,
}

/// What is asked of jobs.
pub enum ConditionQuestion {
    /// Of one history.
    Hits(HitsQuestion),
    /// Of many streams.
    Across(AcrossQuestion),
}

/// What they found.
pub enum ConditionAnswer {
    /// In one history.
    Hits(HitsAnswer),
    /// In many streams.
    Across(AcrossAnswer),
}

impl ConditionQuestion {
    /// Finds the answer.
    pub(crate) fn run(self, work: &Work) -> StoreResult<Answer> {
        let answer = match self {
            Self::Hits(question) => ConditionAnswer::Hits(question.run(work)?),
            Self::Across(question) => ConditionAnswer::Across(question.run(work)?),
        };
        Ok(Answer::Conditions(answer))
    }
}

/// What is known.
#[derive(Default)]
pub(crate) struct Conditions {
    pub(crate) hits: Hits,
    pub(crate) search: Option<Search>,
    /// The category that is meant while no stream is chosen.
    category: Option<Option<Arc<str>>>,
    removed: Option<(usize, ConditionEntry)>,
}

impl Conditions {
    /// Which counts the timeline marks.
    pub(crate) fn ticks(&self) -> Vec<usize> {
        self.hits.counts()
    }

    /// A job was stopped, or broke off: what was found stays.
    pub(crate) fn stop(&mut self, slot: Slot) {
        if slot == Slot::Across {
            self.search.iter_mut().for_each(Search::stop);
        } else {
            self.hits.stop(slot);
        }
    }
}

/// What an entry looks for; nothing if it cannot be read.
pub(crate) fn condition_of(entry: &ConditionEntry) -> Option<Condition> {
    let value = |text: &Option<Arc<str>>| text.as_ref().map(|text| Json::typed(text));
    match entry {
        ConditionEntry { event_type: Some(name), .. } => Some(Condition::Type(Arc::clone(name))),
        ConditionEntry { event: Some(text), .. } => Some(Condition::Event(Arc::clone(text))),
        ConditionEntry { state: Some(text), .. } => Some(Condition::State(Arc::clone(text))),
        ConditionEntry { becomes: Some(text), .. } => Some(Condition::Becomes(Arc::clone(text))),
        ConditionEntry { changes: Some(path), from, to, .. } => {
            let path = Pointer::parse(path)?;
            Some(Condition::Changes { path, from: value(from), to: value(to) })
        }
        _ => None,
    }
}

fn entry_of(condition: &Condition, category: Option<Arc<str>>) -> ConditionEntry {
    let entry = ConditionEntry { category, ..ConditionEntry::default() };
    let text = |text: &Arc<str>| Some(Arc::clone(text));
    let json = |value: &Option<Json>| value.as_ref().map(|value| value.to_compact().into());
    match condition {
        Condition::Type(name) => ConditionEntry { event_type: text(name), ..entry },
        Condition::Event(expression) => ConditionEntry { event: text(expression), ..entry },
        Condition::State(expression) => ConditionEntry { state: text(expression), ..entry },
        Condition::Becomes(expression) => ConditionEntry { becomes: text(expression), ..entry },
        Condition::Changes { path, from, to } => {
            ConditionEntry { changes: Some(path.to_string().into()), from: json(from), to: json(to), ..entry }
        }
    }
}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_conditions(&mut self, action: ConditionAction, notices: &mut Notices) -> Vec<Job> {
        let mut jobs = match action {
            ConditionAction::Add(condition) => self.add_condition(&condition, notices),
            ConditionAction::Remove(place) => self.remove_condition(place, notices),
            ConditionAction::Restore => self.restore_condition(),
            ConditionAction::Toggle(place) => {
                if let Some(entry) = self.kept.now.conditions.get_mut(place) {
                    entry.off = !entry.off;
                }
                self.follow_conditions()
            }
            ConditionAction::Run(direction) => self.run_to_hit(direction, notices),
            ConditionAction::ChooseHit(row) => self.choose_hit(row),
            ConditionAction::GoOn => self.conditions.hits.go_on().into_iter().collect(),
            ConditionAction::ChooseCategory(category) => {
                self.conditions.category = Some(category);
                Vec::new()
            }
            ConditionAction::Search(reach) => self.search_streams(reach, notices),
            ConditionAction::SearchOn => self.search_on().into_iter().collect(),
            ConditionAction::ChooseFound(row) => self.choose_found(row),
            ConditionAction::CloseSearch => {
                let before = self.conditions.search.take();
                self.discards.put_some(before);
                Vec::new()
            }
        };
        jobs.extend(self.keep_job());
        jobs
    }

    fn add_condition(&mut self, condition: &Condition, notices: &mut Notices) -> Vec<Job> {
        if let Some((_, entry)) =
            self.condition_entries().find(|(_, entry)| condition_of(entry).as_ref() == Some(condition))
        {
            if entry.off {
                notices.info(format!("{condition} is there already, and left out for now"));
            }
            return Vec::new();
        }
        if let Err(failure) = condition.check() {
            notices.warning(
                format!("{condition} cannot be read"),
                failure.to_string(),
                "Write a path, or JavaScript over state and event, such as state.total < 0",
            );
            return Vec::new();
        }
        if self.condition_entries().count() >= Which::MOST {
            notices.warning(
                format!("No more than {} conditions are looked for at once", Which::MOST),
                "",
                "Take one away first",
            );
            return Vec::new();
        }
        if self.has_stream() {
            notices.info(format!("F9 runs to where this is met next: {condition}"));
        }
        let category = self.condition_category().map(Option::unwrap_or_default);
        self.kept.now.conditions.push(entry_of(condition, category));
        self.follow_conditions()
    }

    fn remove_condition(&mut self, place: usize, notices: &mut Notices) -> Vec<Job> {
        if place >= self.kept.now.conditions.len() {
            return Vec::new();
        }
        let entry = self.kept.now.conditions.remove(place);
        let words = condition_of(&entry).map(|condition| condition.to_string()).unwrap_or_default();
        notices
            .undoable(format!("Condition taken away: {words}"), Action::Conditions(ConditionAction::Restore));
        self.conditions.removed = Some((place, entry));
        self.follow_conditions()
    }

    fn restore_condition(&mut self) -> Vec<Job> {
        let Some((place, entry)) = self.conditions.removed.take() else { return Vec::new() };
        let place = place.min(self.kept.now.conditions.len());
        self.kept.now.conditions.insert(place, entry);
        self.follow_conditions()
    }

    /// Takes what a job found.
    pub(crate) fn take_conditions(&mut self, answer: ConditionAnswer, notices: &mut Notices) -> Vec<Job> {
        match answer {
            ConditionAnswer::Hits(answer) => self.take_hits(answer, notices),
            ConditionAnswer::Across(answer) => self.take_found(answer).into_iter().collect(),
        }
    }

    /// The category whose conditions are meant: that of the chosen stream, else the one that was
    /// chosen for them, else the one with the most events.
    pub(crate) fn condition_category(&self) -> Option<Option<Arc<str>>> {
        let largest = || {
            let categories = self.index.as_ref()?.categories().iter();
            Some(categories.max_by_key(|info| info.events)?.name.clone())
        };
        self.focus_category().or_else(|| self.conditions.category.clone()).or_else(largest)
    }

    /// The conditions for that category, each with its place in the whole list.
    pub(crate) fn condition_entries(&self) -> impl Iterator<Item = (usize, &ConditionEntry)> {
        let category = self.condition_category();
        let entries = self.kept.now.conditions.iter().enumerate();
        entries.filter(move |(_, entry)| is_for(entry.category.as_deref(), category.as_ref()))
    }

    /// Those that are not left out, with their places.
    pub(crate) fn enabled_conditions(&self) -> (Vec<usize>, Arc<[Condition]>) {
        let enabled = self.condition_entries().filter(|(_, entry)| !entry.off);
        let read = enabled.filter_map(|(place, entry)| Some((place, condition_of(entry)?)));
        let (places, conditions): (Vec<usize>, Vec<Condition>) = read.take(Which::MOST).unzip();
        (places, conditions.into())
    }

    pub(crate) fn conditions_view(&self) -> ConditionsView {
        let Some(index) = &self.index else { return ConditionsView::default() };
        let hits = &self.conditions.hits;
        let categories = index.categories().iter().map(|info| info.name.clone());
        let rows = self.condition_entries().map(|(place, entry)| {
            let condition = condition_of(entry);
            ConditionView {
                place,
                text: condition
                    .as_ref()
                    .map_or_else(|| "this condition cannot be read".to_owned(), ToString::to_string),
                is_on: !entry.off,
                hits: hits.count_of(place),
                fault: hits.fault_of(place).map(fault_words).or_else(|| hits.never_there(place)),
            }
        });
        let of_category = |info: &&CategoryInfo| Some(&info.name) == self.condition_category().as_ref();
        let category_events = index.categories().iter().find(of_category).map(|info| info.events);
        let stream_events = self.browse.focus.map(|stream| index.stream_events(stream).len() as u64);
        ConditionsView {
            stream: self.browse.focus,
            category: self.condition_category(),
            categories: categories.collect(),
            rows: rows.collect(),
            summary: hits.summary(),
            is_stopped: hits.is_stopped(),
            hits: hits.found(),
            conditions: hits.conditions(),
            here: hits.row_at(self.cursor.count),
            search: self.conditions.search.as_ref().map(|search| search.view(self.browse.focus)),
            types: index.types().iter().map(|info| Arc::clone(&info.name)).collect(),
            index: Some(Arc::clone(index)),
            zone: self.zone,
            of_category: category_events.and_then(|events| event_words(self.estimate(Task::Across, events))),
            of_store: event_words(self.estimate_of_all(Task::Across)),
            of_stream: stream_events.and_then(|events| event_words(self.estimate(Task::Find, events))),
        }
    }
}
