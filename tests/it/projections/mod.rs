//! Read models: rebuilt, scrubbed, compared with what is stored.

mod coverage;
mod drift;
mod histories;
mod hostile_sql;
mod resume;
mod scripts;
mod scripts_cli;
mod sql;
mod stage;
