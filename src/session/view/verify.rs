//! Stored snapshots held against the events.

/// What the snapshots panel shows beside the list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VerifyView {}
