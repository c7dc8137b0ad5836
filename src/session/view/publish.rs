//! The publishing dialog.

/// What the dialog shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PublishView {}
