//! The real window, on a screen of its own.
//!
//! Driving it takes eframe's inspection port, which no release may have, and an X server, which not
//! every machine has; so these tests are built with `--features inspection` only. There they fail
//! without Xvfb: a test that did not run has not passed.

#[cfg(feature = "inspection")]
mod driver;
#[cfg(feature = "inspection")]
mod screen;
#[cfg(feature = "inspection")]
mod use_it;
mod without;

use std::{fs, io::Write as _, path::Path};

/// How the tests of this folder are run, here and in `.ci/run`.
const COMMAND: &str = "cargo test --features inspection --test it window";

#[test]
fn everything_that_runs_the_window_tests_runs_them_alike() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |name: &str| fs::read_to_string(root.join(name)).expect("a file of the project");
    assert!(text("CONTRIBUTING.md").contains(COMMAND));
    assert!(text(".ci/run").contains(&COMMAND.replace("cargo test", "cargo test --locked")));
    if cfg!(not(feature = "inspection")) {
        // Not `eprintln!`, which a passing test does not show.
        let note = format!("\nnote: tests of the real window are not in this build; with Xvfb: {COMMAND}\n");
        std::io::stderr().write_all(note.as_bytes()).expect("an open stderr");
    }
}

#[cfg(feature = "inspection")]
#[test]
fn there_is_a_screen_to_draw_on() {
    let (first, second) = (screen::Screen::start(), screen::Screen::start());
    assert!(first.display().starts_with(':'));
    assert_ne!(first.display(), second.display(), "each test has a screen of its own");
}
