//! The one way to standard output and standard error.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use crate::{cli::failure::Failure, jobs::ThreadLanes, model::Timestamp, store::cache::Cache, work::Work};

/// Where answers and remarks go: the streams of the process, or buffers in a test.
pub struct Output<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    is_quiet: bool,
    /// Whether somebody watches standard error as it is written.
    is_watched: bool,
    clock: fn() -> Timestamp,
    cache: Option<Cache>,
    stop: Stop,
}

/// Stops a command from outside, as Ctrl+C does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

/// In which form an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    /// Aligned text for people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// Comma-separated values with a head line (RFC 4180).
    Csv,
}

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Work on the caller's thread.
    pub(crate) fn work(&self) -> Work {
        Work::default().stopped_by(Arc::clone(&self.0))
    }

    /// Work on all processors.
    pub(crate) fn wide_work(&self) -> Work {
        Work::with_lanes(Arc::new(ThreadLanes)).stopped_by(Arc::clone(&self.0))
    }
}

impl<'a> Output<'a> {
    /// Writes answers to `out` and everything else to `err`.
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        let clock = || Timestamp::from_nanos(0, 0);
        Self { out, err, is_quiet: false, is_watched: false, clock, cache: None, stop: Stop::default() }
    }

    /// Shows progress if standard error is a terminal.
    #[must_use]
    pub fn with_progress(self, is_terminal: bool) -> Self {
        Self { is_watched: is_terminal, ..self }
    }

    /// Takes the time of day from here, for what is written down. Without it, it is always 1970.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> Timestamp) -> Self {
        Self { clock, ..self }
    }

    /// Keeps indexes between runs here. Without it, nothing is kept.
    #[must_use]
    pub fn with_cache(self, cache: Cache) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// Stops whatever the command does as soon as this is set: the command ends as one that was stopped.
    #[must_use]
    pub fn with_stop(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop: Stop(stop), ..self }
    }

    /// What stops the command.
    pub(crate) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Work on the caller's thread, until the command is stopped.
    pub(crate) fn work(&self) -> Work {
        self.stop.work()
    }

    /// Work on all processors, until the command is stopped.
    pub(crate) fn wide_work(&self) -> Work {
        self.stop.wide_work()
    }

    /// Where indexes are kept between runs.
    pub(crate) fn cache(&self) -> Option<Cache> {
        self.cache.clone()
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// From here on, answers and errors only.
    pub(crate) fn be_quiet(&mut self) {
        self.is_quiet = true;
    }

    /// One line of an answer. Fails quietly when nobody reads any more, so that the caller stops.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.text(text)?;
        self.text("\n")
    }

    /// A part of an answer.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(written)
    }

    /// Hands over what is still held back.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(written)
    }

    /// A remark beside the answer, on standard error; nothing with `--quiet`.
    pub(crate) fn remark(&mut self, text: &str) {
        if !self.is_quiet {
            self.complain(text);
        }
    }

    /// How far the work is, in place of what was said of that before; empty when it has ended.
    pub(crate) fn progress(&mut self, text: &str) {
        if self.is_watched && !self.is_quiet {
            write!(self.err, "\r\x1b[2K{text}").and_then(|()| self.err.flush()).ok();
        }
    }

    /// What went wrong, on standard error. If even that cannot be written there is nobody to tell.
    pub(crate) fn complain(&mut self, text: &str) {
        writeln!(self.err, "{text}").ok();
    }
}

impl std::fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("is_quiet", &self.is_quiet).finish_non_exhaustive()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to `map_err`")]
fn written(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::NobodyReads;
    }
    Failure::trouble(format!("the answer cannot be written: {error}"))
}
