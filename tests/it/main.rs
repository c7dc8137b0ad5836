//! All integration tests, as one binary: linking once is quicker than linking ten times.

mod control_set;
mod detection;
mod project_file;
mod sample_data;
mod support;
mod window;
