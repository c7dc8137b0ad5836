//! Conditions: running forward and backward to where something holds.

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConditionsView {}
