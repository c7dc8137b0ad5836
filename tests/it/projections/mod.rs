//! Read models: rebuilt, scrubbed, compared with what is stored.

mod sql;
