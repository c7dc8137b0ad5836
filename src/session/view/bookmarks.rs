//! Bookmarks with notes, and the places gone to.

use std::sync::Arc;

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BookmarksView {
    /// The bookmarks, by stream and place.
    pub rows: Arc<[PlaceRow]>,
    /// The places gone to, the last first.
    pub trail: Arc<[PlaceRow]>,
    /// Whether the cursor stands on a bookmark, by its place in the list.
    pub here: Option<usize>,
    /// Whether there is a place to keep.
    pub can_add: bool,
    /// What can be brought back: the note or place of the bookmark removed last.
    pub undo: Option<String>,
}

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceRow {
    /// The stream; empty for the whole store.
    pub stream: Arc<str>,
    /// Where in it: "v3".
    pub place: String,
    /// When that was.
    pub time: String,
    /// What the user wrote.
    pub note: Arc<str>,
    /// Why nobody can go there any more.
    pub trouble: Option<String>,
}
