//! An X server without a monitor, for one test.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

/// A running Xvfb; it ends when this is dropped.
pub(crate) struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    /// Starts a server on a display of its own choice, and waits until it takes connections.
    pub(crate) fn start() -> Self {
        // The server writes the number of its display when it is ready, so nobody has to guess or poll.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("tests of the real window need Xvfb: apt-get install xvfb libgl1 libgl1-mesa-dri");
        let mut number = String::new();
        let answer = server.stdout.take().expect("its output was asked for");
        BufReader::new(answer).read_line(&mut number).expect("a server that starts says its display");
        let display = format!(":{}", number.trim());
        assert!(display.len() > 1, "Xvfb ended without a display");
        Self { server, display }
    }

    /// What `DISPLAY` must be for a program to draw here.
    pub(crate) fn display(&self) -> &str {
        &self.display
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left.
        self.server.kill().ok();
        self.server.wait().ok();
    }
}
