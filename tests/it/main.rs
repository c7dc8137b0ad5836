//! All integration tests, as one binary: linking once is quicker than linking ten times.

mod big_tmp;
mod control_set;
mod detection;
mod support;
