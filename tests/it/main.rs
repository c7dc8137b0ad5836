//! All integration tests, as one binary: linking once is quicker than linking ten times.

mod control_set;
mod detection;
mod detection_hostile;
mod hostile;
mod live;
mod sqlite_store;
mod support;
