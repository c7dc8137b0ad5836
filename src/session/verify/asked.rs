//! What is asked of jobs about snapshots, and how it is answered.

use std::sync::Arc;

use crate::{
    model::StreamName,
    publish::Edits,
    session::job::{Answer, Job, Question, Slot},
    snapshot::{
        Bounds, Check, Cost, Mapping, NewSnapshot, Parting, SnapshotKey, Standard, Standards, Verification,
        Waiting, cost, creation_in, parting, verify,
    },
    store::{EventStore, StoreResult, index::Index, read::Onward, unless_damaged},
    work::Work,
};

/// What a job is to find out.
pub struct VerifyQuestion(Asks);

pub(super) enum Asks {
    /// Read the snapshots and compare the first of them.
    Start(u64, Box<Start>),
    /// Compare more; of so many in all.
    More(u64, Box<Verification>, usize),
    /// Where a snapshot parts from the replay.
    Parting {
        store: Arc<dyn EventStore>,
        index: Arc<Index>,
        stream: u32,
        standard: Box<Standard>,
        check: Arc<Check>,
        bounds: Bounds,
        key: SnapshotKey,
    },
    /// What loading costs.
    Cost(Arc<dyn EventStore>, Arc<Index>),
    /// How a snapshot would be stored.
    Creation(Arc<dyn EventStore>, Box<Mapping>, Box<NewSnapshot>),
}

/// What is to be compared.
pub(super) struct Start {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) index: Arc<Index>,
    /// Whose snapshots; `None` for all.
    pub(super) of: Option<Arc<StreamName>>,
    /// Only this one of them.
    pub(super) only: Option<SnapshotKey>,
    pub(super) standards: Arc<Standards>,
}

/// What a job found out.
pub struct VerifyAnswer(pub(super) Found);

pub(super) enum Found {
    Portion {
        turn: u64,
        found: Vec<Told>,
        /// What is still to be compared.
        rest: Option<Box<Verification>>,
        total: usize,
    },
    Parting(SnapshotKey, Box<Parting>),
    Cost(Box<Cost>),
    Creation(Result<Box<Edits>, String>),
}

/// What is said of a snapshot, and the stream that it is a state of.
pub(super) type Told = (SnapshotKey, Option<u32>, Check);

/// So many snapshots are compared before what was found is shown, fewer of long streams.
const PORTION: usize = 200;

/// The events of so many streams are replayed in one portion that together have so many.
const PORTION_EVENTS: usize = 20_000;

pub(super) fn job(slot: Slot, asks: Asks) -> Job {
    Job { slot, question: Question::Verify(VerifyQuestion(asks)) }
}

pub(super) fn start(turn: u64, start: Start) -> Job {
    job(Slot::Verify, Asks::Start(turn, Box::new(start)))
}

pub(super) fn more(turn: u64, rest: Box<Verification>, total: usize) -> Job {
    job(Slot::Verify, Asks::More(turn, rest, total))
}

impl VerifyQuestion {
    /// Finds the answer. `Err` if the work was withdrawn or the store could not be asked.
    pub fn run(self, work: &Work) -> StoreResult<Answer> {
        let found = match self.0 {
            Asks::Start(turn, start) => {
                let (waiting, known) = survey(&start, work)?;
                let Start { store, index, standards, .. } = *start;
                let verification = Verification::plan(store, index, waiting, standards);
                let total = verification.remaining();
                portion(turn, Box::new(verification), total, known, work)?
            }
            Asks::More(turn, verification, total) => portion(turn, verification, total, Vec::new(), work)?,
            Asks::Parting { store, index, stream, standard, check, bounds, key } => {
                let history = verify::history(&store, &index, stream, &standard);
                Found::Parting(key, Box::new(parting(&history, &check.changes, bounds, work)?))
            }
            Asks::Cost(store, index) => Found::Cost(Box::new(cost(&*store, &index, work)?)),
            Asks::Creation(store, mapping, new) => {
                Found::Creation(creation_in(&*store, &mapping, &new, work)?.map(Box::new))
            }
        };
        Ok(Answer::Verify(VerifyAnswer(found)))
    }
}

/// What is to be compared, and what can be said of the others at once.
fn survey(start: &Start, work: &Work) -> StoreResult<(Vec<Waiting>, Vec<Told>)> {
    let owners = start.index.snapshot_owners();
    let (mut waiting, mut known) = (Vec::new(), Vec::new());
    let read = start.store.visit_snapshots(work, start.of.as_deref(), &mut |visited| {
        let key = SnapshotKey::of_visited(visited);
        if start.only.as_ref().is_some_and(|only| *only != key) {
            return Onward::On;
        }
        match Waiting::of(visited, waiting.len(), &start.index, &owners) {
            Ok(one) => waiting.push(one),
            Err(check) => {
                let stream = visited.head.stream.as_ref().and_then(|name| owners.of(name));
                known.push((key, stream, check));
            }
        }
        if start.only.is_some() { Onward::Enough } else { Onward::On }
    });
    // The list tells of damage, and each verdict is about one row of it.
    unless_damaged(read, |_| ())?;
    Ok((waiting, known))
}

fn portion(
    turn: u64,
    mut verification: Box<Verification>,
    total: usize,
    mut found: Vec<Told>,
    work: &Work,
) -> StoreResult<Found> {
    verification.tell(work);
    let compared = verification.portion(PORTION, PORTION_EVENTS, work)?;
    found.extend(compared.into_iter().filter_map(|one| Some((one.key?, Some(one.stream), one.check))));
    let rest = (verification.remaining() > 0).then_some(verification);
    Ok(Found::Portion { turn, found, rest, total })
}
