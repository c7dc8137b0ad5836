//! The one way to standard output and standard error.

use std::io::{self, Write};

use crate::{cli::failure::Failure, model::Timestamp, store::cache::Cache};

/// Where answers and remarks go: the streams of the process, or buffers in a test.
pub struct Output<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    is_quiet: bool,
    /// Whether somebody watches standard error as it is written.
    is_watched: bool,
    clock: fn() -> Timestamp,
    cache: Option<Cache>,
}

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

impl<'a> Output<'a> {
    /// Writes answers to `out` and everything else to `err`.
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        let clock = || Timestamp::from_nanos(0, 0);
        Self { out, err, is_quiet: false, is_watched: false, clock, cache: None }
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
