//! All integration tests, as one binary: linking once is quicker than linking ten times.

mod sqlite_store;
mod control_set;
mod detection;
mod support;
