//! The user's JavaScript: loaded, checked and called under limits. The only room that names the engine.
//!
//! Sources are written in the dialect of `KurrentDB`'s projections ([`Script`], [`Runner`]); what the
//! dialect leaves open is as its local runtime does it.
//!
//! Scripts are strangers' code: no files, no network, no modules, no code made of texts; memory, each
//! call and loading are limited, and every loop stops when the work is cancelled. Projections see the real
//! clock and real chance, as they do where they come from. Reducers see neither, since the same events must
//! make the same state whenever they are replayed, unless a seed is given: then chance follows the seed
//! and the clock is the event's own time ([`World`]).
//!
//! The machine's clock is read here for the limits only.

mod build;
mod build_text;
mod carry;
mod case;
mod definition;
mod depth_watch;
mod dotnet_text;
mod encode;
mod engine;
mod engine_memory;
mod engines;
mod envelope;
mod event_members;
mod event_object;
mod excerpt;
mod expression;
#[cfg(test)]
mod fuzz;
mod host;
mod image;
mod json_scan;
mod loaded;
mod loading;
mod meter;
mod names;
mod number_text;
mod options;
mod output;
mod plain_data;
mod repaired_text;
mod rounding;
mod run;
mod runner;
mod shapes;
mod source_scan;
mod spread;
mod step;
mod tokens;

pub use case::Case;
pub use definition::Definition;
pub use engines::{EngineFigures, are_engines_too_large, bound_idle_engines};
pub use envelope::Envelope;
pub use excerpt::excerpt;
pub use expression::{Evaluator, Expression, reads_event};
pub use json_scan::is_plain_json;
pub use loaded::{LoadError, LoadErrorKind, Script};
pub use options::{EngineVersion, Limits, Options, World, parse_quirks};
pub use rounding::Rounding;
pub use runner::Runner;
pub use step::{Emitted, Fault, Faulted, Metadata, Processed, Skip, Step};
pub use tokens::{Token, TokenKind, text_of, tokens};
