//! Timeglass: an explorer and time-travel debugger for event stores.
//!
//! The modules in reading order; each may name only those above it (`tests/it/architecture.rs`).

pub mod model;
pub mod work;

pub mod script;
pub mod store;

pub mod publish;
pub mod replay;

pub mod project;
pub mod sample;
pub mod schema;

pub mod projection;
pub mod snapshot;

pub mod jobs;

pub mod session;

pub mod cli;
pub mod ui;
