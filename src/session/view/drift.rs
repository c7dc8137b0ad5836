//! Where stored read models no longer agree with the events.

/// What the panel shows of the chosen projection.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DriftView {}
