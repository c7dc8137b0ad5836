//! All integration tests, as one binary: linking once is quicker than linking ten times.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod architecture;
mod cli;
mod conformance;
mod detection;
mod index;
mod sample_data;
mod session;
mod support;
