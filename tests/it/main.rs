//! All integration tests, as one binary: linking once is quicker than linking ten times.

mod sqlite_store;
mod support;
