//! Running a definition over the events of a store.

use std::sync::Arc;

use crate::{
    model::StreamName,
    projection::{Definition, Kind, Scratch, ScratchError, scripted, sql_run},
    store::{EventStore, StoreError},
    work::{Cancelled, Work},
};

/// What a rebuild takes in, and what it does about trouble.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RebuildOptions {
    /// Events before this count are passed over; 0 takes all.
    pub from: u64,
    /// The last count to reach; `None` means the end of the store.
    pub until: Option<u64>,
    /// Only events of this stream; for a projection in JavaScript, of this partition too.
    pub only: Option<Arc<StreamName>>,
    /// What happens at an event that a handler cannot handle.
    pub on_failure: OnFailure,
    /// Leaves out the history of rows: the table at the end is all that is wanted.
    pub without_history: bool,
}

/// What happens to the rest when an event cannot be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// The rebuild ends before that event.
    #[default]
    Stop,
    /// The event changes nothing, and the next one is taken.
    Skip,
}

/// How far a rebuild came; kept in the scratch database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// How many events of the store lie behind.
    pub count: u64,
    /// How many of them a handler took.
    pub handled: u64,
    /// Events that could not be handled, the first ones up to a bound.
    pub failures: Vec<EventFailure>,
    /// How many there were in all.
    pub failed: u64,
    /// Whether it came to the end of what was asked for.
    pub is_complete: bool,
}

/// An event that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFailure {
    /// How many events lay behind before it: the event is number `count` from 0.
    pub count: u64,
    /// What it is: `OrderPlaced 1@order-17`.
    pub event: Arc<str>,
    /// The directive whose statement failed, or the handler: `@on OrderPlaced`.
    pub directive: Arc<str>,
    /// Line in the definition's file, from 1, if known.
    pub line: Option<u32>,
    /// What went wrong, in words.
    pub message: Arc<str>,
}

/// Why a rebuild could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The work was withdrawn; what whole batches made is kept, and the next call goes on from there.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Our own database failed.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// The definition does not run at all: its tables cannot be made, a statement is wrong.
    #[error(transparent)]
    Definition(#[from] crate::projection::DefinitionError),
}

/// Runs a definition over the events of a store into a scratch database, and goes on where an earlier run of
/// the same definition with the same options stopped. `work` counts the events that lie behind.
pub fn rebuild(
    work: &Work,
    store: &dyn EventStore,
    definition: &Definition,
    scratch: &Scratch,
    options: &RebuildOptions,
) -> Result<Progress, RebuildError> {
    match &definition.kind {
        Kind::Sql(source) => sql_run::run(work, store, definition, source, (scratch, options)),
        Kind::Script(script) => scripted::run(work, store, definition, script, scratch, options),
    }
}
