//! What is asked of jobs about snapshots, and how it is answered.

use std::sync::Arc;

use crate::{
    model::{StoredSnapshot, StreamName},
    publish::Edits,
    session::job::{Answer, Job, Question, Slot},
    snapshot::{
        Bounds, Check, Cost, Mapping, NewSnapshot, Parting, SnapshotKey, Standard, Standards, Verification,
        cost, creation::creation_in, parting, verify,
    },
    store::{EventStore, StoreResult, index::Index},
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
        found: Vec<(SnapshotKey, Option<u32>, Check)>,
        /// What is still to be compared.
        rest: Option<Box<Verification>>,
        total: usize,
    },
    Parting(SnapshotKey, Box<Parting>),
    Cost(Box<Cost>),
    Creation(Result<Box<Edits>, String>),
}

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
                let mut snapshots = start.store.snapshots(work, start.of.as_deref())?;
                if let Some(only) = &start.only {
                    snapshots.retain(|snapshot| SnapshotKey::of(snapshot) == *only);
                }
                let (verification, known) = Verification::plan(
                    start.store,
                    Arc::clone(&start.index),
                    snapshots.into(),
                    start.standards,
                );
                let total = verification.remaining();
                portion(turn, Box::new(verification), total, known, work)?
            }
            Asks::More(turn, verification, total) => portion(turn, verification, total, Vec::new(), work)?,
            Asks::Parting { store, index, stream, standard, check, bounds, key } => {
                let history = verify::history(&store, &index, stream, &standard);
                Found::Parting(key, Box::new(parting(&history, &check.changes, bounds, work)?))
            }
            Asks::Cost(store, index) => {
                let snapshots = store.snapshots(work, None)?;
                Found::Cost(Box::new(cost(&*store, &index, &snapshots, work)?))
            }
            Asks::Creation(store, mapping, new) => {
                Found::Creation(creation_in(&*store, &mapping, &new, work)?.map(Box::new))
            }
        };
        Ok(Answer::Verify(VerifyAnswer(found)))
    }
}

fn portion(
    turn: u64,
    mut verification: Box<Verification>,
    total: usize,
    mut found: Vec<(usize, Check)>,
    work: &Work,
) -> StoreResult<Found> {
    verification.tell(work);
    found.extend(verification.portion(PORTION, PORTION_EVENTS, work)?);
    let snapshots: Arc<[StoredSnapshot]> = Arc::clone(verification.snapshots());
    let owners = verification.index().snapshot_owners();
    let told = |(place, check): (usize, Check)| {
        let snapshot = snapshots.get(place)?;
        let stream = snapshot.stream.as_ref().and_then(|name| owners.of(name));
        Some((SnapshotKey::of(snapshot), stream, check))
    };
    let found = found.into_iter().filter_map(told).collect();
    drop(owners);
    let rest = (verification.remaining() > 0).then_some(verification);
    Ok(Found::Portion { turn, found, rest, total })
}
