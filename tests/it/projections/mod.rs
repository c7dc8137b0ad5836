//! Read models: rebuilt, scrubbed, compared with what is stored.

mod hostile_sql;
mod resume;
mod scripts;
mod drift;
mod sql;
mod stage;
