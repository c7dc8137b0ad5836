//! What projections ask of jobs.

use std::{path::PathBuf, sync::Arc};

use crate::{
    project::{SavedScript, new_file::Existing},
    projection::{
        Definition, Loaded, OutputQuery, Outputs, Overview, ReadModel, RowChange, RowKey, RowsQuery,
        ScratchError, export::Shape, overview,
    },
    script::Options,
    session::{
        job::Answer,
        notice::chain,
        projections::{
            copies::{copied, exported},
            definitions::{Known, Looked, looked, saved},
            history::{actors, found_history},
            list::{Wanted, scaffolded},
            output::{FoundOutput, found_output},
            rows::{FoundRows, found_rows},
            runs::{Rebuilding, Rebuilt},
            states::found_state,
        },
        view::PartitionState,
    },
    store::{EventStore, StoreError, StoreResult, index::Index},
    work::{Cancelled, Work},
};

/// What a job is to find out.
pub enum ProjectionQuestion {
    /// Whether the files of definitions changed, and what they define.
    Look(Vec<Known>, Box<Options>),
    /// What the store has of projections, joined with what is defined.
    Overview {
        /// The store.
        store: Arc<dyn EventStore>,
        /// Its index.
        index: Arc<Index>,
        /// What the project file defines.
        loaded: Vec<Loaded>,
    },
    /// Rebuild a projection, or only open what a rebuild left.
    Rebuild(Box<Rebuilding>),
    /// Rows of a read model.
    Rows(ReadModel, RowsQuery),
    /// What happened to a row; whether it is a partition of a script; where its events say who did it.
    History(ReadModel, RowKey, bool, Option<(Arc<dyn EventStore>, Arc<Index>)>),
    /// What a projection wrote beside its read model.
    Output(Outputs, OutputQuery),
    /// The state of a partition after so many events, and the shared one.
    State(ReadModel, Option<RowKey>, u64),
    /// Write a definition for a stored table.
    Scaffold(Box<Wanted>),
    /// Write a definition's file.
    Save {
        /// Where it lies.
        path: PathBuf,
        /// What it is to hold.
        text: Arc<str>,
        /// What it held.
        known: Arc<str>,
    },
    /// The rows at a count as text.
    Copy(ReadModel, u64, Shape),
    /// The rows at a count, into a file.
    Export(ReadModel, u64, Shape, (PathBuf, Existing)),
}

/// What a job found out.
pub enum ProjectionAnswer {
    /// Files that changed.
    Looked(Vec<Looked>),
    /// What the store has of projections.
    Overview(Overview),
    /// What a rebuild came to.
    Rebuilt(Box<Rebuilt>),
    /// Rows of a read model.
    Rows(FoundRows),
    /// What happened to a row.
    History(FoundHistory),
    /// The state of a partition.
    State(PartitionState),
    /// What a projection wrote beside its read model.
    Output(FoundOutput),
    /// A file with a definition for a stored table, or why there is none.
    Scaffolded(Result<PathBuf, Arc<str>>),
    /// What became of a definition's file.
    Saved(Result<(PathBuf, SavedScript), Arc<str>>),
    /// Rows as text.
    Copied(Arc<str>),
    /// What was written where, or what went wrong.
    Exported(Result<String, (String, String)>),
    /// Our own database did not serve: a title, and what happened.
    Trouble(String, String),
}

/// What happened to a row.
pub struct FoundHistory {
    /// The row.
    pub key: RowKey,
    /// Its changes, oldest first.
    pub changes: Vec<RowChange>,
    /// What each did to the state of a partition, in words; empty where the row is no partition.
    pub words: Vec<String>,
    /// Who did each; empty where nothing says so.
    pub actors: Vec<Option<Arc<str>>>,
}

/// Why a question about a read model has no answer.
pub(super) enum ModelTrouble {
    /// The work was withdrawn.
    Cancelled(Cancelled),
    /// The scratch database did not serve.
    Scratch(ScratchError),
}

impl ProjectionQuestion {
    /// Finds the answer. `Err` if the work was withdrawn or the store could not be asked.
    pub fn run(self, work: &Work) -> StoreResult<Answer> {
        let found = match self {
            Self::Look(known, options) => Ok(ProjectionAnswer::Looked(looked(known, &options, work)?)),
            Self::Overview { store, index, loaded } => {
                Ok(ProjectionAnswer::Overview(overview(work, &*store, &index, &loaded)?))
            }
            Self::Rebuild(rebuilding) => Ok(ProjectionAnswer::Rebuilt(Box::new(rebuilding.run(work)?))),
            Self::Rows(model, query) => found_rows(work, &model, &query).map(ProjectionAnswer::Rows),
            Self::History(model, key, is_script, events) => {
                let mut found = found_history(work, &model, key, is_script);
                if let (Ok(found), Some((store, index))) = (&mut found, events) {
                    found.actors = actors(work, &*store, &index, &found.changes)?;
                }
                found.map(ProjectionAnswer::History)
            }
            Self::Output(outputs, query) => {
                found_output(work, &outputs, &query).map(ProjectionAnswer::Output)
            }
            Self::State(model, key, count) => {
                found_state(work, &model, key.as_ref(), count).map(ProjectionAnswer::State)
            }
            Self::Scaffold(wanted) => Ok(ProjectionAnswer::Scaffolded(scaffolded(&wanted, work)?)),
            Self::Save { path, text, known } => Ok(ProjectionAnswer::Saved(saved(path, &text, &known))),
            Self::Copy(model, count, shape) => copied(work, &model, count, &shape),
            Self::Export(model, count, shape, file) => exported(work, &model, count, &shape, &file),
        };
        match found {
            Ok(answer) => Ok(Answer::Projections(answer)),
            Err(ModelTrouble::Cancelled(cancelled)) => Err(StoreError::Cancelled(cancelled)),
            // A withdrawn question may come back as SQLite's word for an interruption.
            Err(ModelTrouble::Scratch(_)) if work.is_cancelled() => Err(StoreError::Cancelled(Cancelled)),
            Err(ModelTrouble::Scratch(err)) => Ok(Answer::Projections(ProjectionAnswer::Trouble(
                "The rebuilt table cannot be read".to_owned(),
                chain(&err),
            ))),
        }
    }
}

impl From<ScratchError> for ModelTrouble {
    fn from(err: ScratchError) -> Self {
        Self::Scratch(err)
    }
}

impl From<Cancelled> for ModelTrouble {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

/// What a definition is written in, as people read it.
pub(super) fn is_script(definition: &Definition) -> bool {
    matches!(definition.kind, crate::projection::Kind::Script(_))
}
