//! All integration tests, as one binary: linking once is quicker than linking ten times.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod architecture;
mod branches;
mod cache;
mod checkpoints;
mod cli;
mod cli_answers;
mod cli_bench;
mod cli_drift;
mod cli_projections;
mod cli_stop;
mod cli_what_if;
mod conformance;
mod control_set;
mod damaged_tables;
mod detection;
mod detection_hostile;
mod genuine;
mod hostile;
mod index;
mod jobs;
mod live;
mod many_snapshots;
mod mapping;
mod opening;
mod pages;
mod probes;
mod project_file;
mod projections;
mod publish;
mod reading;
mod replay;
mod sample_data;
mod schema;
mod script;
mod searching;
mod session;
mod snapshot_tables;
mod sqlite_store;
mod support;
mod tables;
mod ui;
mod window;
