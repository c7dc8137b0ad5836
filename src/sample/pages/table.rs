//! A table, laid down row by row in the order of its numbers.

use std::io;

use super::{
    PAGE,
    entry::{Entry, push_varint},
    file::FilePages,
    page::{Kind, Page},
    tree::{Level, Root, place},
};

/// A longer row goes on in pages of its own.
const LONGEST: usize = PAGE - 35;
/// Of such a row at least so much stays.
const SHORTEST: usize = (PAGE - 12) * 32 / 255 - 23;
/// What a page of its own holds of it.
const OVERFLOW: usize = PAGE - 4;

/// A table being laid down.
pub(crate) struct TableRows {
    /// The page that SQLite gave it.
    root: u32,
    page: Page,
    leaves: Level,
    cell: Vec<u8>,
    payload: Vec<u8>,
    /// The number of the latest row.
    latest: u32,
}

impl TableRows {
    /// A table that SQLite made and that is empty.
    pub(crate) fn new(root: u32) -> Self {
        Self {
            root,
            page: Page::new(Kind::TableLeaf),
            leaves: Level::default(),
            cell: Vec::new(),
            payload: Vec::new(),
            latest: 0,
        }
    }

    /// Adds the next row.
    pub(crate) fn push(&mut self, row: &Entry, pages: &mut FilePages) -> io::Result<()> {
        let number = self.latest + 1;
        self.cell.clear();
        push_varint(&mut self.cell, row.len() as u64);
        push_varint(&mut self.cell, u64::from(number));
        if row.len() <= LONGEST {
            row.push(&mut self.cell);
        } else {
            self.payload.clear();
            row.push(&mut self.payload);
            let first = overflowing(&self.payload, &mut self.cell, pages)?;
            self.cell.extend(first.to_be_bytes());
        }
        if !self.page.has_room(self.cell.len()) {
            self.leaves.pages.push(pages.append(self.page.finished(None))?);
            let mut latest = Vec::new();
            push_varint(&mut latest, u64::from(self.latest));
            self.leaves.part(&latest);
            self.page.clear();
        }
        self.page.push(&self.cell);
        self.latest = number;
        Ok(())
    }

    /// Writes what is left of it.
    pub(crate) fn finish(mut self, pages: &mut FilePages) -> io::Result<()> {
        let (is_only, root) = (self.leaves.pages.is_empty(), Root::At(self.root));
        self.leaves.pages.push(place(&mut self.page, None, is_only, root, pages)?);
        self.leaves.lay_above(Kind::TableInterior, root, pages).map(drop)
    }
}

/// Writes the end of a long row to pages of its own and its beginning to the cell; returns the first page.
fn overflowing(payload: &[u8], cell: &mut Vec<u8>, pages: &mut FilePages) -> io::Result<u32> {
    let even = SHORTEST + (payload.len() - SHORTEST) % OVERFLOW;
    let kept = if even <= LONGEST { even } else { SHORTEST };
    let (beginning, end) = payload.split_at_checked(kept).unwrap_or_default();
    cell.extend_from_slice(beginning);
    let first = pages.next();
    let mut rest = end.chunks(OVERFLOW).peekable();
    while let Some(part) = rest.next() {
        let mut page = Vec::with_capacity(PAGE);
        let after = if rest.peek().is_some() { pages.after(pages.next()) } else { 0 };
        page.extend(after.to_be_bytes());
        page.extend_from_slice(part);
        page.resize(PAGE, 0);
        pages.append(&page)?;
    }
    Ok(first)
}
