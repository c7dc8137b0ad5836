//! What publishing asks: what would be written, and writing it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{
    model::Timestamp,
    project::sections::ProjectionEntry,
    projection::{
        Definition, ReadModel,
        drift::{DriftError, pair_with},
        publication::{Material, publication},
    },
    publish::{BackupPlace, DryRun, Edits, Publication, PublishError, Published, Unlock, dry_run, publish},
    session::{
        job::Answer,
        notice::{Words, chain},
    },
    store::{EventStore, StoreError, StoreResult, index::Index, layout::Layout},
    work::{Cancelled, Work},
};

/// What a job is to find out or write.
pub enum PublishQuestion {
    /// What would be written.
    Plan {
        /// Which dialog asks.
        turn: u64,
        /// How often it has asked, since the store grew.
        tries: u32,
        /// The store.
        store: Arc<dyn EventStore>,
        /// What the edits are made of.
        planning: Planning,
    },
    /// Writes it.
    Write(Box<Writing>),
}

/// What edits are made of.
pub enum Planning {
    /// They are made already.
    Made(Arc<Edits>),
    /// A projection's drift.
    Drift(Box<Drifting>),
}

/// A projection whose drift becomes edits.
pub struct Drifting {
    /// What defines the read model.
    pub(super) definition: Definition,
    /// What the project file says of it.
    pub(super) entry: Option<ProjectionEntry>,
    /// What was rebuilt.
    pub(super) model: ReadModel,
    /// The index of the store.
    pub(super) index: Arc<Index>,
}

/// A publication to be made.
pub struct Writing {
    pub(super) path: PathBuf,
    pub(super) layout: Arc<Layout>,
    pub(super) edits: Arc<Edits>,
    pub(super) dry_run: Arc<DryRun>,
    pub(super) unlock: Unlock,
    pub(super) backup: BackupPlace,
    pub(super) at: Timestamp,
    /// Cancelled when the user stops it: the job's own work is not, since its answer is wanted in any case.
    pub(super) stop: Work,
}

/// What a job found out or wrote.
pub struct PublishAnswer(pub(super) Found);

pub(super) enum Found {
    /// What would be written.
    Plan { turn: u64, outcome: Result<(Arc<Edits>, Arc<DryRun>), PublishError> },
    /// The rebuild does not hold all events.
    Behind { turn: u64, tries: u32 },
    /// There can be no edits, in words.
    Refused(Words),
    /// What was written, or why nothing was.
    Written(Result<Published, PublishError>),
}

/// How long to wait for other programs that are writing.
const PATIENCE: Duration = Duration::from_secs(5);

impl PublishQuestion {
    /// Finds the answer. `Err` if the work was withdrawn or the store could not be asked.
    pub fn run(self, work: &Work) -> StoreResult<Answer> {
        let found = match self {
            Self::Plan { turn, tries, store, planning } => plan((turn, tries), &*store, planning, work)?,
            Self::Write(writing) => Found::Written(writing.run(work)),
        };
        Ok(Answer::Publish(PublishAnswer(found)))
    }
}

fn plan(
    (turn, tries): (u64, u32),
    store: &dyn EventStore,
    planning: Planning,
    work: &Work,
) -> StoreResult<Found> {
    // Before anything is compared: what comes after this is noticed when it is written.
    let head = store.events_head(work)?;
    let edits = match planning {
        Planning::Made(edits) => Ok(edits),
        Planning::Drift(drifting) => {
            let Drifting { definition, entry, model, index } = *drifting;
            let count = model.progress().count;
            if count != head.events() || count != index.len() as u64 {
                return Ok(Found::Behind { turn, tries });
            }
            let checkpoint = entry.as_ref().and_then(|entry| entry.checkpoint.clone());
            let checkpoint = checkpoint.unwrap_or_else(|| Arc::clone(&definition.name));
            pair_with(work, store, &definition, &model, entry.as_ref())
                .and_then(|pairing| {
                    let (definition, model) = (&definition, &model);
                    let (pairing, checkpoint) = (&pairing, &*checkpoint);
                    let material = Material { definition, model, pairing, checkpoint, index: &index };
                    publication(work, store, &material)
                })
                .map(Arc::new)
        }
    };
    let edits = match edits {
        Ok(edits) => edits,
        Err(DriftError::Store(err)) => return Err(err),
        Err(DriftError::Cancelled(cancelled)) => return Err(StoreError::Cancelled(cancelled)),
        Err(_) if work.is_cancelled() => return Err(StoreError::Cancelled(Cancelled)),
        Err(DriftError::NothingHandled(why)) => {
            let hint = "Correct the names in the definition: publishing would delete every row".to_owned();
            let title = "The definition handled no event".to_owned();
            return Ok(Found::Refused(Words { title, detail: why, hint }));
        }
        Err(err @ (DriftError::Scratch(_) | DriftError::NoPair(_))) => {
            let title = "The tables cannot be compared".to_owned();
            return Ok(Found::Refused(Words { title, detail: chain(&err), hint: String::new() }));
        }
    };
    let outcome = dry_run(work, store, &edits, head).map(|dry_run| (edits, Arc::new(dry_run)));
    match outcome {
        Err(PublishError::Store(err)) => Err(err),
        outcome => Ok(Found::Plan { turn, outcome }),
    }
}

impl Writing {
    fn run(&self, work: &Work) -> Result<Published, PublishError> {
        let publication = Publication {
            path: &self.path,
            layout: &self.layout,
            edits: &self.edits,
            expected: &self.dry_run.expected,
            backup: &self.backup,
            at: self.at,
            patience: PATIENCE,
        };
        publish(work, &publication, &self.unlock, &|_| self.stop.advance(0))
    }
}
