//! Watches: paths and expressions followed over the whole history.

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WatchesView {}
