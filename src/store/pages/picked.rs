//! Rows of a table by their numbers, many at a time.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use crate::store::{
    pages::{
        Columns, Damage, PageFile, PageRow, Tree,
        leaf::{Cells, LeafPage, Room, RowCell, is_leaf, row_cells},
        number::{four, varint},
        tree::{MOST_LEVELS, neighbours},
    },
    read::Onward,
};

/// Finds rows by their numbers. It keeps the inner pages on the way to them, and reads leaves that lie close
/// together at once.
#[derive(Debug)]
pub struct RowPicker {
    file: Arc<PageFile>,
    root: u32,
    inner: BTreeMap<u32, Inner>,
    /// Inner pages between the root and the leaves; unknown before the first row.
    depth: Option<usize>,
    /// Leaves on which the rows of one call are looked for, and how many of them on each.
    leaves: Vec<(Leaf, usize)>,
    /// The neighbouring pages that were read last.
    run: Range<u32>,
    bytes: Vec<u8>,
    cells: Vec<RowCell>,
}

/// A leaf, and between which numbers those of its rows lie; the low end excluded.
#[derive(Debug, Clone, Copy)]
struct Leaf {
    number: u32,
    low: Option<i64>,
    high: i64,
}

/// An inner page of a table: its children, and the greatest row number below each but the last.
#[derive(Debug)]
struct Inner {
    keys: Vec<i64>,
    children: Vec<u32>,
}

/// So many inner pages are kept; a table of millions of rows has fewer.
const MOST_INNER: usize = 1024;

impl RowPicker {
    /// Looks into the table with this root.
    #[must_use]
    pub fn new(file: &Arc<PageFile>, root: u32) -> Self {
        Self {
            file: Arc::clone(file),
            root,
            inner: BTreeMap::new(),
            depth: None,
            leaves: Vec::new(),
            run: 0..0,
            bytes: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// Visits the rows of these numbers, in the order in which they are asked for; nothing for one that is not
    /// there. After a damage what was visited must be thrown away.
    pub fn rows(
        &mut self,
        rowids: &[i64],
        columns: &Columns,
        visit: &mut impl FnMut(Option<&PageRow<'_>>),
    ) -> Result<(), Damage> {
        let mut leaves = std::mem::take(&mut self.leaves);
        leaves.clear();
        for rowid in rowids {
            match leaves.last_mut() {
                Some((leaf, count)) if leaf.holds(*rowid) => *count += 1,
                _ => leaves.push((self.leaf_of(*rowid)?, 1)),
            }
        }
        let mut rest = rowids;
        for (at, (leaf, count)) in leaves.iter().enumerate() {
            let (own, others) = rest.split_at_checked(*count).unwrap_or_default();
            rest = others;
            if !self.run.contains(&leaf.number) {
                self.load(leaves.get(at..).unwrap_or_default())?;
            }
            self.rows_of(*leaf, own, columns, visit)?;
        }
        self.leaves = leaves;
        Ok(())
    }

    /// On which leaf a row must lie if it is there.
    fn leaf_of(&mut self, rowid: i64) -> Result<Leaf, Damage> {
        let depth = match self.depth {
            Some(depth) => depth,
            None => self.find_depth()?,
        };
        let mut leaf = Leaf { number: self.root, low: None, high: i64::MAX };
        for _ in 0..depth {
            let inner = match self.inner.get(&leaf.number) {
                Some(inner) => inner,
                None => self.read_inner(leaf.number)?,
            };
            let (number, low, high) = inner.child_of(rowid);
            leaf = Leaf { number, low: low.or(leaf.low), high: high.unwrap_or(leaf.high) };
        }
        Ok(leaf)
    }

    /// How many inner pages lead to a leaf: as many to each.
    fn find_depth(&mut self) -> Result<usize, Damage> {
        let (mut number, mut page) = (self.root, Vec::new());
        for depth in 0..=MOST_LEVELS {
            self.file.read(number, 1, &mut page)?;
            if is_leaf(&page, number, Tree::Table)? {
                self.depth = Some(depth);
                return Ok(depth);
            }
            number = Inner::of(&page, number, self.file.usable())?.child_of(i64::MIN).0;
        }
        Err(Damage::at(self.root, "a tree without leaves"))
    }

    fn read_inner(&mut self, number: u32) -> Result<&Inner, Damage> {
        let mut page = Vec::new();
        self.file.read(number, 1, &mut page)?;
        if is_leaf(&page, number, Tree::Table)? {
            return Err(Damage::at(number, "a leaf among inner pages"));
        }
        let inner = Inner::of(&page, number, self.file.usable())?;
        if self.inner.len() >= MOST_INNER {
            self.inner.clear();
        }
        Ok(self.inner.entry(number).or_insert(inner))
    }

    /// Reads the first of these leaves, and with it those that follow it closely in the file.
    fn load(&mut self, leaves: &[(Leaf, usize)]) -> Result<(), Damage> {
        let Some((first, _)) = leaves.first() else { return Ok(()) };
        let first = first.number;
        let following = leaves.iter().skip(1).map(|(leaf, _)| leaf.number);
        let pages = neighbours(first, following, self.file.page_size());
        self.run = 0..0;
        self.file.read(first, pages as usize, &mut self.bytes)?;
        self.run = first..first + pages;
        Ok(())
    }

    /// Visits rows of a leaf that was read.
    fn rows_of(
        &mut self,
        leaf: Leaf,
        rowids: &[i64],
        columns: &Columns,
        visit: &mut impl FnMut(Option<&PageRow<'_>>),
    ) -> Result<(), Damage> {
        let (number, size) = (leaf.number, self.file.page_size());
        let start = number.saturating_sub(self.run.start) as usize * size;
        let page = self.bytes.get(start..start + size).unwrap_or_default();
        if !is_leaf(page, number, Tree::Table)? {
            return Err(Damage::at(number, "an inner page among leaves"));
        }
        row_cells((page, number), self.file.usable(), (leaf.low, leaf.high), &mut self.cells)?;
        let leaf = LeafPage::new(&self.file, number, page, &self.cells);
        let mut room = Room::default();
        // Rows that are asked for one after the other mostly lie one after the other.
        let mut next = 0;
        for rowid in rowids {
            let hinted = self.cells.get(next).is_some_and(|cell| cell.rowid == *rowid).then_some(next);
            let found = hinted.or_else(|| self.cells.binary_search_by_key(rowid, |cell| cell.rowid).ok());
            let Some(cell) = found.and_then(|at| self.cells.get(at)) else {
                visit(None);
                continue;
            };
            next = found.map_or(0, |at| at + 1);
            let mut once = |row: &PageRow<'_>| {
                visit(Some(row));
                Onward::On
            };
            leaf.row(*cell, columns, &mut room, &mut once)?;
        }
        Ok(())
    }
}

impl Leaf {
    fn holds(&self, rowid: i64) -> bool {
        self.low.is_none_or(|low| low < rowid) && rowid <= self.high
    }
}

impl Inner {
    fn of(page: &[u8], number: u32, usable: usize) -> Result<Self, Damage> {
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

    /// The child below which a row must lie if it is there, and between which numbers those of its rows lie, as
    /// far as this page tells; the low end excluded.
    fn child_of(&self, rowid: i64) -> (u32, Option<i64>, Option<i64>) {
        let at = self.keys.partition_point(|key| *key < rowid);
        let low = at.checked_sub(1).and_then(|before| self.keys.get(before)).copied();
        (self.children.get(at).copied().unwrap_or_default(), low, self.keys.get(at).copied())
    }
}
