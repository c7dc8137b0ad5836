//! How each question is answered: a plain function, which a worker runs, or a test.

use std::{path::PathBuf, sync::Arc};

use crate::{
    model::{EventKey, diff},
    project::open::{OpenError, open_to_keep, preview, save_mapping},
    replay::{History, Step},
    sample::{SampleOptions, write},
    session::{
        bars::bars,
        event_rows::{event_rows, first_rows, passing_events},
        job::{Answer, Question},
        snapshots::SnapshotList,
    },
    store::{EventStore, StoreError, index::Index},
    work::{Cancelled, Work},
};

impl Question {
    /// Finds the answer. `Err` only if the work was withdrawn.
    pub fn run(self, work: &Work) -> Result<Answer, Cancelled> {
        self.run_in_parts(work, &|_| ())
    }

    /// The same, and hands on what there is of the answer meanwhile.
    pub fn run_in_parts(self, work: &Work, report: &(dyn Fn(Answer) + Sync)) -> Result<Answer, Cancelled> {
        let answer = match self {
            Self::Open { path, project } => {
                let opening = open_to_keep(&path, project.as_deref(), work);
                of_opening(path, opening.map(|opening| Answer::Opened(Box::new(opening))))
            }
            Self::Save { path, project, table, roles } => {
                let opening = save_mapping(&path, project.as_deref(), &table, &roles, work);
                of_opening(path, opening.map(|opening| Answer::Opened(Box::new(opening))))
            }
            Self::Preview(path, table) => {
                let preview = preview(&path, table.as_deref(), work);
                of_opening(path, preview.map(|preview| Answer::Preview(Box::new(preview))))
            }
            Self::Sample(path) => Ok(make_sample(path, work)),
            Self::FirstRows(store, shape) => first_rows(&*store, &shape, work).map(Answer::FirstRows),
            Self::Index(store) => indexed(&Index::default(), &*store, work, report),
            Self::GoOn(store, index) => {
                if_unchanged(&index, &*store, work, || indexed(&index, &*store, work, report))
            }
            Self::Extend(store, index) => {
                if_unchanged(&index, &*store, work, || extended(&index, &*store, work))
            }
            Self::Rows { store, first, keys, shape } => {
                event_rows(&*store, &keys, &shape, work).map(|rows| Answer::Rows(first, rows))
            }
            Self::Streams(lines) => {
                Ok(lines.make(work).map(|(lines, passing)| Answer::Streams(lines, passing))?)
            }
            Self::Listing { index, query, order } => {
                Ok(Answer::Listing(passing_events(&index, &query, order, work)?))
            }
            Self::AsOf(index, ordinal, is_at_end) => Ok(as_of(&index, ordinal, is_at_end)),
            Self::Bars(question) => Ok(Answer::Bars(bars(&question, work)?)),
            Self::Fold(history) => history.fold_all(work).map(|()| Answer::Folded),
            Self::Step { history, count, is_folding: true } => history.step_ready(count, work).map(of_step),
            Self::Step { history, count, is_folding: false } => history.step_at(count, work).map(of_step),
            Self::Event(store, key) => event(&*store, key, work),
            Self::EventOfId(store, id, total) => event_of_id(&*store, id, total, work),
            Self::Pins([left, right]) => pins(&left, &right, work),
            Self::Snapshots { store, index, stream, zone } => {
                SnapshotList::read((&*store, stream.as_deref()), &index, zone, work)
                    .map(|list| Answer::Snapshots(list, stream))
            }
            Self::Snapshot(question) => {
                question.answer(work).map(|snapshot| Answer::Snapshot(snapshot.map(Box::new)))
            }
            Self::Tables(store) => store.table_counts(work).map(Answer::Tables),
            Self::Keep(question) => Ok(question.run()),
            Self::LetGo(discarded) => Ok(discarded.run()),
            Self::Settle(settling) => Ok(settling.run()),
            Self::Watch(store) => store.head().map(Answer::Head),
            Self::Scripts(question) => return question.run(work),
            Self::Blame(question) => question.run(work),
            Self::Watches(question) => question.run(work),
            Self::Conditions(question) => question.run(work),
            Self::Payloads(question) => question.run(work),
            Self::Compare(question) => question.run(work),
            Self::WhatIf(question) => question.run(work),
            Self::Projections(question) => question.run(work),
            Self::Drift(question) => question.run(work),
            Self::Publish(question) => question.run(work),
            Self::Verify(question) => question.run(work),
            Self::Cache(question) => question.run(work),
            Self::Trial(question) => question.run(work),
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(StoreError::Cancelled(cancelled)) => Err(cancelled),
            Err(err) => Ok(Answer::Failed(err)),
        }
    }
}

/// One event, if it is still there.
fn event(store: &dyn EventStore, key: EventKey, work: &Work) -> Result<Answer, StoreError> {
    let events = store.fetch(work, &[key])?;
    Ok(Answer::Event(events.into_iter().next().flatten().map(Box::new)))
}

/// The event with this id, in a store of so many events.
fn event_of_id(store: &dyn EventStore, id: Arc<str>, total: u64, work: &Work) -> Result<Answer, StoreError> {
    work.expect_total(total);
    let key = store.event_of_id(work, &id)?;
    Ok(Answer::EventOfId(id, key))
}

/// An index with what came since.
fn extended(index: &Index, store: &dyn EventStore, work: &Work) -> Result<Answer, StoreError> {
    index.extended(store, work).map(|index| Answer::Indexed(Arc::new(index)))
}

/// What goes on from an index, unless the store has other events by now than were indexed.
fn if_unchanged(
    index: &Index,
    store: &dyn EventStore,
    work: &Work,
    go_on: impl FnOnce() -> Result<Answer, StoreError>,
) -> Result<Answer, StoreError> {
    index.first_changed(store, work)?.map_or_else(go_on, |ordinal| Ok(Answer::PastChanged(ordinal)))
}

/// The events of each stream up to an ordinal; none before the first, and nothing to say at the end.
fn as_of(index: &Index, ordinal: Option<u32>, is_at_end: bool) -> Answer {
    Answer::AsOf((!is_at_end).then(|| match ordinal {
        Some(ordinal) => index.counts_until(ordinal),
        None => vec![0; index.streams().len()],
    }))
}

/// A whole index, and its beginnings while it grows.
fn indexed(
    start: &Index,
    store: &dyn EventStore,
    work: &Work,
    report: &(dyn Fn(Answer) + Sync),
) -> Result<Answer, StoreError> {
    let so_far = |index| report(Answer::IndexedSoFar(Arc::new(index)));
    start.growing(store, work, Some(&so_far)).map(|index| Answer::Indexed(Arc::new(index)))
}

/// The difference between two pinned states.
fn pins(
    (left, left_count): &(Arc<History>, usize),
    (right, right_count): &(Arc<History>, usize),
    work: &Work,
) -> Result<Answer, StoreError> {
    let left = left.step_at(*left_count, work)?;
    let right = right.step_at(*right_count, work)?;
    Ok(Answer::Pins(diff(&left.after, &right.after)))
}

/// A file that cannot be opened is an answer; only withdrawn work is none.
fn of_opening(path: PathBuf, answer: Result<Answer, OpenError>) -> Result<Answer, StoreError> {
    match answer {
        Err(OpenError::Store(StoreError::Cancelled(cancelled))) => Err(StoreError::Cancelled(cancelled)),
        Err(err) => Ok(Answer::OpenFailed(path, err)),
        Ok(answer) => Ok(answer),
    }
}

fn of_step(step: Step) -> Answer {
    let changes = diff(&step.before, &step.after);
    Answer::Step(Box::new(step), changes)
}

/// Makes the sample store, unless it is there already.
fn make_sample(path: PathBuf, work: &Work) -> Answer {
    if path.exists() {
        return Answer::SampleMade(path);
    }
    if let Some(Err(err)) = path.parent().map(std::fs::create_dir_all) {
        return Answer::SampleFailed(format!("{} cannot be made: {err}", path.display()));
    }
    let options = SampleOptions { seed: 7, events: 1400, ..SampleOptions::default() };
    match write(&path, &options, work) {
        Ok(_) => Answer::SampleMade(path),
        Err(err) => Answer::SampleFailed(err.to_string()),
    }
}
