//! Ctrl+C: a command ends soon, says so, and leaves nothing half done behind.

use std::sync::{Arc, atomic::AtomicBool};

use timeglass::{
    cli::{self, Exit, Output},
    work::Cancelled,
};

use crate::support::fixture;

#[test]
fn every_command_ends_that_is_stopped() {
    let fixture = fixture("seed-003");
    let store = fixture.path.to_str().expect("a path of ours");
    let new = fixture.folder.path().join("new.sqlite");
    let commands: [&[&str]; 12] = [
        &["info", store],
        &["streams", store],
        &["events", store],
        &["state", store, "--stream", "any"],
        &["diff", store, "--stream", "any", "--from", "1", "--to", "2"],
        &["find", store, "--type", "any"],
        &["search", store, "any"],
        &["blame", store, "--stream", "any", "--path", "/a"],
        &["snapshots", store, "--verify"],
        &["projections", store],
        &["drift", store],
        &["sample", new.to_str().expect("a path of ours")],
    ];
    for command in commands {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut output = Output::new(&mut out, &mut err).with_stop(Arc::new(AtomicBool::new(true)));
        let arguments = ["timeglass"].iter().chain(command).copied();
        let exit = cli::run(arguments, &mut output, |_| panic!("no window was asked for"));
        let said = String::from_utf8(err).expect("text");
        assert_eq!((exit, out.as_slice()), (Exit::Stopped, [].as_slice()), "{command:?}: {said}");
        assert_eq!(said, "error: the work was stopped\n", "{command:?}");
    }
    assert!(!new.exists(), "what was begun is removed");
    assert_eq!(Exit::Stopped.code(), 130);
    // Wherever it is told of, as by a rebuild in the midst of it, it is told in the same words.
    assert_eq!(Cancelled.to_string(), "the work was stopped");
}

/// The signal itself, sent to the program while it writes a sample that takes far longer than the test waits.
#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "a file of another process grows without telling anybody")]
fn the_signal_stops_the_program_and_removes_what_was_begun() {
    use std::{
        process::{Command, Stdio},
        thread::sleep,
        time::Duration,
    };

    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("large.sqlite");
    let mut child = Command::new(env!("CARGO_BIN_EXE_timeglass"))
        .args(["sample", "--shape", "mixed", "--events", "2000000"])
        .arg(&path)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    // Some megabytes say that it is in the midst of it.
    while path.metadata().map_or(0, |file| file.len()) < 4 << 20 {
        assert_eq!(child.try_wait().expect("a child"), None, "it ended by itself");
        sleep(Duration::from_millis(10));
    }
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).expect("a signal sent");
    let output = child.wait_with_output().expect("an end");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("the work was stopped"), "{said}");
    assert!(!path.exists(), "a sample that was not finished is removed");
}
