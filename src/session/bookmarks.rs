//! Bookmarks with notes, and the places gone to.

use crate::session::{job::Job, notice::Notices, opened::Opened, view::BookmarksView};

/// Bookmarks and the places gone to.
#[derive(Debug, Clone, PartialEq)]
pub enum BookmarkAction {}

/// What is asked of jobs.
pub enum BookmarkQuestion {}

/// What they found.
pub enum BookmarkAnswer {}

/// What is known.
#[derive(Default)]
pub(crate) struct Bookmarks {}

impl Bookmarks {
    /// Which counts of a stream the timeline marks.
    pub(crate) fn ticks(&self, _: Option<u32>) -> Vec<usize> {
        Vec::new()
    }
}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_bookmarks(&mut self, action: BookmarkAction, _: &mut Notices) -> Vec<Job> {
        match action {}
    }

    /// Takes what a job found.
    pub(crate) fn take_bookmarks(&mut self, answer: BookmarkAnswer, _: &mut Notices) -> Vec<Job> {
        match answer {}
    }

    pub(crate) fn bookmarks_view(&self) -> BookmarksView {
        BookmarksView::default()
    }
}
