//! Read models: rebuilt, scrubbed, compared with what is stored.

mod drift;
mod sql;
