//! Two points or two streams side by side.

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CompareView {}
