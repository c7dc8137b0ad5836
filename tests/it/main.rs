//! All integration tests, as one binary: linking once is quicker than linking ten times.

mod architecture;
mod conformance;
mod index;
mod sample_data;
mod session;
mod support;
mod ui;
