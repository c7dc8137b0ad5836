//! The pages above the leaves of a b-tree.

use std::io;

use super::{
    file::FilePages,
    page::{Kind, Page},
};

/// A level of a tree: its pages from left to right, and what stands between them.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) pages: Vec<u32>,
    between: Vec<u8>,
    ends: Vec<usize>,
}

/// Where the root of a tree goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// Behind all other pages.
    New,
    /// To a page that is there already, in its place.
    At(u32),
}

impl Level {
    /// Adds what stands between the last page and the next.
    pub(super) fn part(&mut self, cell: &[u8]) {
        self.between.extend_from_slice(cell);
        self.ends.push(self.between.len());
    }

    /// The pages with what stands to the right of each; not the last, which has nothing there.
    fn cells(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let between = starts.zip(&self.ends).map(|(start, end)| self.between.get(start..*end));
        self.pages.iter().copied().zip(between.map(Option::unwrap_or_default))
    }

    /// Lays the levels above this one, until one has a single page; returns the root.
    ///
    /// A level of a single page is the root already and must have been put in its place.
    pub(super) fn lay_above(mut self, kind: Kind, root: Root, pages: &mut FilePages) -> io::Result<u32> {
        while self.pages.len() > 1 {
            self = self.above(kind, root, pages)?;
        }
        Ok(self.pages.first().copied().unwrap_or_default())
    }

    /// Lays the pages of the level above. Where a page is full, the next cell goes up and stands between it
    /// and the next page; no page is left without one.
    fn above(&self, kind: Kind, root: Root, pages: &mut FilePages) -> io::Result<Self> {
        let (mut level, mut page, mut cell) = (Self::default(), Page::new(kind), Vec::new());
        let last = self.ends.len().saturating_sub(1);
        for (at, (number, between)) in self.cells().enumerate() {
            cell.clear();
            cell.extend(number.to_be_bytes());
            cell.extend_from_slice(between);
            if page.has_room(cell.len()) {
                page.push(&cell);
                continue;
            }
            // The last cell stays on its page, and the one before it goes up.
            let up = if at == last { page.pop() } else { cell.clone() };
            let (rightmost, between) = up.split_first_chunk().unwrap_or((&[0; 4], &[]));
            level.pages.push(pages.append(page.finished(Some(u32::from_be_bytes(*rightmost))))?);
            level.part(between);
            page.clear();
            if at == last {
                page.push(&cell);
            }
        }
        level.pages.push(place(&mut page, self.pages.last().copied(), level.pages.is_empty(), root, pages)?);
        Ok(level)
    }
}

/// Writes the last page of a level: to where the root belongs, if it is the only one.
pub(super) fn place(
    page: &mut Page,
    rightmost: Option<u32>,
    is_only: bool,
    root: Root,
    pages: &mut FilePages,
) -> io::Result<u32> {
    match root {
        Root::At(number) if is_only => {
            pages.replace(number, page.finished(rightmost));
            Ok(number)
        }
        Root::At(_) | Root::New => pages.append(page.finished(rightmost)),
    }
}
