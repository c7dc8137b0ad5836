//! Widgets and panels, driven and looked at without a window.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also where it is prepared"
)]

mod app_stage;
mod renderer;
mod stage;

mod app;
mod app_pictures;
mod app_readme;
mod at_rest;
mod branches;
mod dragging;
mod drift;
mod json_tree;
mod outputs;
mod probes;
mod projections;
mod publish;
mod reducer;
mod searching;
mod settings;
mod small_widgets;
mod snapshots;
mod table;
mod timeline;
mod why;
