//! An index, laid down entry by entry in its own order.

use std::io;

use super::{
    PAGE,
    entry::{Entry, push_varint},
    file::FilePages,
    page::{Kind, Page},
    tree::{Level, Root, place},
};

/// An index being laid down. Its full pages wait until they are written, so that several indexes can be made
/// side by side and the file is the same each time: leaves name no other page.
pub(crate) struct IndexEntries {
    root: Root,
    page: Page,
    cell: Vec<u8>,
    /// An entry for which the page had no room; it goes up if another one follows it.
    waiting: Option<Vec<u8>>,
    /// Full pages, one behind the other.
    full: Vec<u8>,
    leaves: Level,
}

impl IndexEntries {
    /// An index whose root comes behind its other pages.
    pub(crate) fn new() -> Self {
        Self::rooted(Root::New)
    }

    /// An index that SQLite made and that is empty.
    pub(crate) fn at(root: u32) -> Self {
        Self::rooted(Root::At(root))
    }

    fn rooted(root: Root) -> Self {
        Self {
            root,
            page: Page::new(Kind::IndexLeaf),
            cell: Vec::new(),
            waiting: None,
            full: Vec::new(),
            leaves: Level::default(),
        }
    }

    /// Adds the next entry.
    pub(crate) fn push(&mut self, entry: &Entry) {
        if let Some(up) = self.waiting.take() {
            self.turn(&up);
        }
        self.cell.clear();
        push_varint(&mut self.cell, entry.len() as u64);
        entry.push(&mut self.cell);
        if self.page.has_room(self.cell.len()) {
            self.page.push(&self.cell);
        } else {
            self.waiting = Some(self.cell.clone());
        }
    }

    /// How many full pages wait to be written.
    pub(crate) fn full_pages(&self) -> usize {
        self.full.len() / PAGE
    }

    /// Writes the full pages.
    pub(crate) fn write(&mut self, pages: &mut FilePages) -> io::Result<()> {
        for page in self.full.chunks_exact(PAGE) {
            self.leaves.pages.push(pages.append(page)?);
        }
        self.full.clear();
        Ok(())
    }

    /// Writes what is left of it; returns its root.
    pub(crate) fn finish(mut self, pages: &mut FilePages) -> io::Result<u32> {
        if let Some(last) = self.waiting.take() {
            // The last entry stays on its page, and the one before it goes up.
            let up = self.page.pop();
            self.turn(&up);
            self.page.push(&last);
        }
        self.write(pages)?;
        let is_only = self.leaves.pages.is_empty();
        self.leaves.pages.push(place(&mut self.page, None, is_only, self.root, pages)?);
        self.leaves.lay_above(Kind::IndexInterior, self.root, pages)
    }

    /// Begins the next page, with an entry between it and the one before.
    fn turn(&mut self, between: &[u8]) {
        self.full.extend_from_slice(self.page.finished(None));
        self.leaves.part(between);
        self.page.clear();
    }
}
