//! Read models: rebuilt, scrubbed, compared with what is stored.

mod scripts;
mod sql;
