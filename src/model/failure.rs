//! What a user's own code or data did wrong.

use std::{fmt, sync::Arc};

/// Why the user's code could not do its part: shown as it is, beside the event it happened at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub message: Arc<str>,
    /// The file of the source, as the user named it, if there is one.
    pub file: Option<Arc<str>>,
    /// The line of the source, from 1, if it is known.
    pub line: Option<u32>,
    /// The column in that line, from 1.
    pub column: Option<u32>,
}

impl Failure {
    /// A failure without a place in a source.
    #[must_use]
    pub fn new(message: impl Into<Arc<str>>) -> Self {
        Self { message: message.into(), file: None, line: None, column: None }
    }
}

/// `order.js:4:7: total is not defined`, as far as the place is known.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}:")?;
        }
        if self.file.is_some() || self.line.is_some() {
            f.write_str(" ")?;
        }
        f.write_str(&self.message)
    }
}
