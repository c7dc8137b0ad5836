//! Projections in JavaScript: run into the scratch database, their states at any time, and what they wrote
//! beside them.

mod delta;
mod envelopes;
mod history;
mod ledger;
mod outputs;
mod run;
mod states;
mod tables;

pub use outputs::{Output, OutputCounts, OutputFailure, OutputItem, OutputKind, OutputQuery, Outputs};

pub(crate) use history::{States, columns};
pub(crate) use run::run;
