//! Blame: which events wrote a value.

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BlameView {}
