//! A page being filled.

use super::{PAGE, put};

/// What a page is, by the number that SQLite gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Of an index, with pages below it.
    IndexInterior = 2,
    /// Of a table, with pages below it.
    TableInterior = 5,
    /// Of an index, without.
    IndexLeaf = 10,
    /// Of a table, without.
    TableLeaf = 13,
}

/// The first cell stands at the page's end, the others before it, as SQLite fills a page.
pub(super) struct Page {
    kind: Kind,
    bytes: Vec<u8>,
    cells: usize,
    /// Where the last cell begins.
    content: usize,
}

impl Page {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, bytes: vec![0; PAGE], cells: 0, content: PAGE }
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        self.bytes.fill(0);
        (self.cells, self.content) = (0, PAGE);
    }

    fn head(&self) -> usize {
        match self.kind {
            Kind::IndexInterior | Kind::TableInterior => 12,
            Kind::IndexLeaf | Kind::TableLeaf => 8,
        }
    }

    pub(super) fn has_room(&self, len: usize) -> bool {
        self.head() + (self.cells + 1) * 2 + len <= self.content
    }

    /// Adds a cell for which there is room.
    pub(super) fn push(&mut self, cell: &[u8]) {
        self.content -= cell.len();
        let pointer = self.head() + self.cells * 2;
        put(&mut self.bytes, self.content, cell);
        put(&mut self.bytes, pointer, &(self.content as u16).to_be_bytes());
        self.cells += 1;
    }

    /// Takes the last cell away again.
    pub(super) fn pop(&mut self) -> Vec<u8> {
        let end = self.cells.checked_sub(2).map_or(PAGE, |before| {
            let place = self.head() + before * 2;
            let pointer = self.bytes.get(place..place + 2).and_then(|bytes| bytes.try_into().ok());
            usize::from(u16::from_be_bytes(pointer.unwrap_or_default()))
        });
        let cell = self.bytes.get_mut(self.content..end).unwrap_or_default();
        let popped = cell.to_vec();
        cell.fill(0);
        self.content = end;
        self.cells = self.cells.saturating_sub(1);
        let pointer = self.head() + self.cells * 2;
        put(&mut self.bytes, pointer, &[0, 0]);
        popped
    }

    /// The whole page, with the number of the page to the right of its last cell if it has pages below it.
    pub(super) fn finished(&mut self, rightmost: Option<u32>) -> &[u8] {
        let ([cells_high, cells_low], [content_high, content_low]) =
            ((self.cells as u16).to_be_bytes(), (self.content as u16).to_be_bytes());
        let head = [self.kind as u8, 0, 0, cells_high, cells_low, content_high, content_low, 0];
        put(&mut self.bytes, 0, &head);
        if let Some(number) = rightmost {
            put(&mut self.bytes, head.len(), &number.to_be_bytes());
        }
        &self.bytes
    }
}
