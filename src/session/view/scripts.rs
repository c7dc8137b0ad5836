//! Reducers in JavaScript: which make the state, their source, what is wrong with it.

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScriptsView {}
