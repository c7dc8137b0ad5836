//! Rows of a table, one after the other.

use std::sync::Arc;

use crate::store::{
    pages::{
        Columns, Damage, PageFile, PageRange, PageRow, Tree,
        leaf::{LeafPage, Room, RowCell, row_cells},
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
    fn leaf(&mut self) -> Result<Option<LeafPage<'_>>, Damage> {
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
