//! The publishing dialog.

use std::sync::Arc;

use crate::{
    publish::{DryRun, Published},
    session::notice::Words,
};

/// What the dialog shows.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishView {
    /// The store's name, which has to be typed.
    pub store: String,
    /// What is published.
    pub subject: Arc<str>,
    /// How far it is.
    pub stage: PublishStage,
    /// What was typed as the store's name.
    pub typed: String,
    /// Whether that is its name.
    pub is_confirmed: bool,
    /// Whether the store is unlocked for writing.
    pub is_unlocked: bool,
    /// Whether nothing is asked about deleting most of a table, or the user means it.
    pub is_sweep_meant: bool,
    /// Where the backup goes; nothing means beside the store.
    pub backup: String,
}

/// How far a publication is.
#[derive(Debug, Clone, PartialEq)]
pub enum PublishStage {
    /// The rebuild takes in what is new.
    CatchingUp,
    /// What would be written is being listed.
    Planning,
    /// It is listed.
    Planned(Arc<DryRun>),
    /// It is being written.
    Writing(Arc<DryRun>),
    /// It is written.
    Written {
        /// What.
        published: Published,
        /// How to go back.
        restore: String,
    },
    /// It cannot be listed, or was not written.
    Refused {
        /// Why, and what to do.
        words: Words,
        /// Whether it may be tried again.
        can_try: bool,
    },
}
