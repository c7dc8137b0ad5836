//! Read models: rebuilt, scrubbed, compared with what is stored.

mod drift;
mod hostile_sql;
mod resume;
mod scripts;
mod sql;
mod stage;
