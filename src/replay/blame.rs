//! Blame: which events wrote a value.
//!
//! A write is a step after which a path holds another value than before, or begins or ceases to
//! exist. A container is written by whatever changes anything in it. Items of an array are places:
//! when an item before them is removed, what follows moves up, and every place from there on is
//! written. A step that failed leaves the state as it was and writes nothing.

use std::{
    collections::BTreeSet,
    ops::{ControlFlow, Range},
    sync::Arc,
};

use crate::{
    model::{Json, Pointer, Timestamp},
    replay::{changes::Noted, history::History, step::Step},
    store::StoreResult,
    work::Work,
};

/// What a step did to one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// How many events lie behind, the one that wrote included.
    pub count: usize,
    /// What the path held before; `None` if it did not exist.
    pub old: Option<Json>,
    /// What it holds after; `None` if it does not exist any more.
    pub new: Option<Json>,
}

impl Write {
    /// What a step did to a path; nothing if it left it as it was.
    #[must_use]
    pub fn of(step: &Step, path: &Pointer) -> Option<Self> {
        let (old, new) = (path.resolve(&step.before), path.resolve(&step.after));
        let is_same = match (old, new) {
            (Some(old), Some(new)) => old.is_same_node(new) || old == new,
            (None, None) => true,
            _ => false,
        };
        (!is_same).then(|| Self { count: step.count, old: old.cloned(), new: new.cloned() })
    }

    /// In the shape of `timeglass blame --json`, without where the value came from. What did not
    /// exist is null; `op` tells it from a null that did.
    #[must_use]
    pub fn to_json(&self, step: &Step, path: &Pointer) -> Json {
        let event = step.event.as_ref();
        Json::object([
            ("version", Json::from(event.and_then(|event| event.version).map(|version| version.0))),
            ("position", Json::from(event.and_then(|event| event.position.clone()))),
            ("time", Json::from(event.and_then(|event| event.time).map(Timestamp::to_rfc3339))),
            ("type", Json::from(event.map(|event| Arc::clone(&event.event_type)))),
            ("actor", Json::from(event.and_then(|event| event.actor.clone()))),
            ("path", Json::from(path.to_string())),
            ("op", Json::from(self.op())),
            ("old", Json::from(self.old.clone())),
            ("new", Json::from(self.new.clone())),
        ])
    }

    /// `add`, `remove` or `change`, as in `timeglass diff --json`.
    #[must_use]
    pub fn op(&self) -> &'static str {
        match (&self.old, &self.new) {
            (None, _) => "add",
            (Some(_), None) => "remove",
            (Some(_), Some(_)) => "change",
        }
    }
}

impl History {
    /// The counts of all events that wrote a path, in order.
    ///
    /// After the fold the answer is known without reading an event. What the fold has not reached
    /// yet, or no longer knows because its memory was spent, is found out by walking the history.
    pub fn writes(&self, path: &Pointer, work: &Work) -> StoreResult<Vec<usize>> {
        let (noted, known_to) = self.noted(path);
        let mut counts = match noted {
            Noted::Exactly(counts) => counts,
            Noted::Among(counts) => self.writes_among(&counts, path, work)?,
            Noted::Unknown => self.writes_within(0..known_to, path, work)?,
        };
        if known_to < self.len() {
            counts.extend(self.writes_within(known_to..self.len(), path, work)?);
        }
        Ok(counts)
    }

    /// Those of the writes that the fold has noted so far, and how many events it has passed; no
    /// writes if finding them takes a walk. For the time while another job folds the history.
    #[must_use]
    pub fn writes_so_far(&self, path: &Pointer) -> (Vec<usize>, usize) {
        match self.noted(path) {
            (Noted::Exactly(counts), known_to) => (counts, known_to),
            (Noted::Among(_) | Noted::Unknown, _) => (Vec::new(), 0),
        }
    }

    /// Hands every step within the range that wrote the path to `each`, with what it wrote.
    pub fn each_write(
        &self,
        range: Range<usize>,
        path: &Pointer,
        work: &Work,
        each: &mut dyn FnMut(&Step, Write) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        self.walk(range, work, &mut |step| match Write::of(&step, path) {
            Some(write) => each(&step, write),
            None => ControlFlow::Continue(()),
        })
    }

    /// These steps, in order, none of them before the first event: each by itself where they lie far
    /// apart, else in one walk.
    pub fn steps_at(&self, counts: &[usize], work: &Work) -> StoreResult<Vec<Step>> {
        let (Some(first), Some(last)) = (counts.iter().min(), counts.iter().max()) else {
            return Ok(Vec::new());
        };
        let each_alone = counts.len().saturating_mul(self.figures().distance / 2);
        if last.saturating_sub(*first) > each_alone || *first == 0 {
            let mut steps = Vec::with_capacity(counts.len());
            self.visit_steps(counts, work, &mut |step| steps.push(step))?;
            return Ok(steps);
        }
        let wanted: BTreeSet<usize> = counts.iter().copied().collect();
        let mut steps = Vec::new();
        self.walk(first - 1..*last, work, &mut |step| {
            if wanted.contains(&step.count) {
                steps.push(step);
            }
            ControlFlow::Continue(())
        })?;
        Ok(steps)
    }

    fn writes_within(&self, range: Range<usize>, path: &Pointer, work: &Work) -> StoreResult<Vec<usize>> {
        let mut counts = Vec::new();
        work.expect_total((range.end - range.start) as u64);
        self.each_write(range, path, work, &mut |step, _| {
            counts.push(step.count);
            ControlFlow::Continue(())
        })?;
        Ok(counts)
    }

    /// Those of the candidates that did write the path.
    fn writes_among(&self, candidates: &[usize], path: &Pointer, work: &Work) -> StoreResult<Vec<usize>> {
        let (Some(first), Some(last)) = (candidates.first(), candidates.last()) else {
            return Ok(Vec::new());
        };
        let each_alone = candidates.len().saturating_mul(self.figures().distance / 2);
        if last - first > each_alone {
            let mut counts = Vec::new();
            self.visit_steps(candidates, work, &mut |step| {
                counts.extend(Write::of(&step, path).map(|write| write.count));
            })?;
            return Ok(counts);
        }
        self.writes_within(first - 1..*last, path, work)
    }
}
