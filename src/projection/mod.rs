//! Read models rebuilt from the events: scrubbed, blamed, compared with what is stored, never written there.
//!
//! A [`Definition`] (SQL or JavaScript) is run over the events of a store by [`rebuild`] into a [`Scratch`]
//! database of ours, which keeps every state of every row. A [`ReadModel`] answers what the table looked like
//! after any number of events; [`drift`] says where the stored table is another.
//!
//! Places in time are *counts* everywhere: how many events of the store lie behind, in global order.

mod clock;
mod compile;
pub mod coverage;
mod definition;
pub mod drift;
pub mod export;
mod guard;
mod guess;
mod history;
mod journal;
mod load;
mod often;
mod overview;
pub mod publication;
mod read_model;
mod rebuild;
mod record;
mod recorder;
mod resume;
mod row_states;
mod scratch;
mod scripted;
mod sql_event;
mod sql_file;
mod sql_run;
mod sql_text;
mod standing;
mod table_facts;

pub use definition::{Definition, DefinitionError, Handler, Kind, SqlSource, Statement};
pub use guess::Guess;
pub use load::{LoadError, Loaded, find_loaded, load_definitions, of_entry};
pub use overview::{Defined, Entry, Joined, Overview, StoredTable, overview};
use read_model::Histories;
pub use read_model::{Column, ReadModel, RowAt, RowChange, RowKey, RowsQuery};
pub use rebuild::{EventFailure, OnFailure, Progress, RebuildError, RebuildOptions, rebuild};
pub use resume::still_holds;
pub use scratch::{Scratch, ScratchError};
pub use scripted::{Output, OutputCounts, OutputFailure, OutputItem, OutputKind, OutputQuery, Outputs};
pub use standing::{CheckpointAt, Handled, Lag, Marks, Standing, stand};
