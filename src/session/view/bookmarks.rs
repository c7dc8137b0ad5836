//! Bookmarks with notes, and the places gone to.

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BookmarksView {}
