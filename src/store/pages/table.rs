//! Rows of a table, one after the other or one by its number.

use std::{collections::BTreeMap, sync::Arc};

use crate::store::{
    pages::{
        Columns, Damage, LeafPage, PageFile, PageRange, PageRow, Tree,
        leaf::{Cells, Room, RowCell, is_leaf, row_cells},
        number::{four, varint},
        tree::{Descent, Step},
    },
    read::Onward,
};

/// A walk along the rows of a table, a leaf page at a time.
#[derive(Debug)]
pub struct TableWalk {
    file: Arc<PageFile>,
    descent: Descent,
    /// Rows up to this number are left out.
    behind: Option<i64>,
    cells: Vec<RowCell>,
}

impl TableWalk {
    /// Along the rows of a range that [`PageFile::cut`] made.
    pub fn new(file: &Arc<PageFile>, range: &PageRange) -> Result<Self, Damage> {
        let descent = Descent::new(Arc::clone(file), Tree::Table, range)?;
        Ok(Self::of(file, descent, None))
    }

    /// Along all rows of the table with this root whose numbers are greater than `behind`.
    pub fn behind(file: &Arc<PageFile>, root: u32, behind: Option<i64>) -> Result<Self, Damage> {
        let descent = Descent::behind(Arc::clone(file), root, behind)?;
        Ok(Self::of(file, descent, behind))
    }

    fn of(file: &Arc<PageFile>, descent: Descent, behind: Option<i64>) -> Self {
        Self { file: Arc::clone(file), descent, behind, cells: Vec::new() }
    }

    /// The next leaf page; nothing behind the last.
    pub fn leaf(&mut self) -> Result<Option<LeafPage<'_>>, Damage> {
        match self.descent.step()? {
            Step::Leaf(page, number, bounds) => {
                row_cells((page, number), self.file.usable(), bounds, &mut self.cells)?;
                if let Some(behind) = self.behind.take() {
                    // Only the first leaf can hold rows that were met before.
                    self.cells.retain(|cell| cell.rowid > behind);
                }
                Ok(Some(LeafPage::new(&self.file, number, page, &self.cells)))
            }
            Step::Between(_, number) => Err(Damage::at(number, "an entry of an index")),
            Step::End => Ok(None),
        }
    }

    /// Visits the rows of the next leaf page until the visitor has enough; says whether there was one.
    pub fn rows(
        &mut self,
        columns: &Columns,
        visit: &mut impl FnMut(&PageRow<'_>) -> Onward,
    ) -> Result<bool, Damage> {
        let Some(leaf) = self.leaf()? else { return Ok(false) };
        let mut room = Room::default();
        for cell in leaf.cells() {
            if leaf.row(*cell, columns, &mut room, visit)? == Onward::Enough {
                break;
            }
        }
        Ok(true)
    }
}

/// Finds single rows by their numbers, and keeps the inner pages on the way to them.
#[derive(Debug)]
pub struct RowFinder {
    file: Arc<PageFile>,
    root: u32,
    inner: BTreeMap<u32, Inner>,
    page: Vec<u8>,
    /// Which page that is.
    number: u32,
}

/// An inner page of a table: its children, and the greatest row number below each but the last.
#[derive(Debug)]
pub(super) struct Inner {
    keys: Vec<i64>,
    children: Vec<u32>,
}

/// So many inner pages are kept: of a table of 10 million rows all of them.
const MOST_INNER: usize = 8192;

impl RowFinder {
    /// Looks into the table with this root.
    #[must_use]
    pub fn new(file: &Arc<PageFile>, root: u32) -> Self {
        let (inner, page) = (BTreeMap::new(), Vec::new());
        Self { file: Arc::clone(file), root, inner, page, number: 0 }
    }

    /// Visits the row of this number; says whether there is one.
    pub fn row(
        &mut self,
        rowid: i64,
        columns: &Columns,
        mut visit: impl FnMut(&PageRow<'_>),
    ) -> Result<bool, Damage> {
        let mut number = self.root;
        // No tree of SQLite is deeper; a ring of pages ends here.
        for _ in 0..=20 {
            if let Some(inner) = self.inner.get(&number) {
                number = inner.child(rowid);
                continue;
            }
            if self.number != number {
                self.number = 0;
                self.file.read(number, 1, &mut self.page)?;
                self.number = number;
            }
            if is_leaf(&self.page, number, Tree::Table)? {
                return self.find(rowid, columns, &mut visit);
            }
            let inner = Inner::of(&self.page, number, self.file.usable())?;
            let child = inner.child(rowid);
            if self.inner.len() < MOST_INNER {
                self.inner.insert(number, inner);
            }
            number = child;
        }
        Err(Damage::at(self.root, "a tree without leaves"))
    }

    /// Looks for the row on the leaf that was read last.
    fn find(
        &self,
        rowid: i64,
        columns: &Columns,
        visit: &mut impl FnMut(&PageRow<'_>),
    ) -> Result<bool, Damage> {
        let mut cells = Vec::new();
        row_cells((&self.page, self.number), self.file.usable(), (None, i64::MAX), &mut cells)?;
        let Ok(at) = cells.binary_search_by_key(&rowid, |cell| cell.rowid) else { return Ok(false) };
        let leaf = LeafPage::new(&self.file, self.number, &self.page, &cells);
        if let Some(cell) = cells.get(at) {
            let mut once = |row: &PageRow<'_>| {
                visit(row);
                Onward::On
            };
            leaf.row(*cell, columns, &mut Room::default(), &mut once)?;
        }
        Ok(true)
    }
}

impl Inner {
    pub(super) fn of(page: &[u8], number: u32, usable: usize) -> Result<Self, Damage> {
        let cells = Cells::of(page, number, usable, 12)?;
        let mut inner = Self { keys: Vec::new(), children: Vec::new() };
        for at in 0..cells.len() {
            let cell = cells.cell(at)?;
            let key = cell.get(4..).and_then(varint).map(|(key, _)| key as i64);
            let key = key.filter(|key| inner.keys.last().is_none_or(|last| key > last));
            inner.keys.push(key.ok_or_else(|| Damage::at(number, "row numbers out of order"))?);
            inner.children.push(four(cell, 0).unwrap_or_default());
        }
        inner.children.push(cells.right());
        Ok(inner)
    }

    fn child(&self, rowid: i64) -> u32 {
        let at = self.keys.partition_point(|key| *key < rowid);
        self.children.get(at).copied().unwrap_or_default()
    }
    /// The child below which a row must lie if it is there, and between which numbers those of its rows lie, as
    /// far as this page tells; the low end excluded.
    pub(super) fn child_of(&self, rowid: i64) -> (u32, Option<i64>, Option<i64>) {
        let at = self.keys.partition_point(|key| *key < rowid);
        let low = at.checked_sub(1).and_then(|before| self.keys.get(before)).copied();
        (self.children.get(at).copied().unwrap_or_default(), low, self.keys.get(at).copied())
    }
}
