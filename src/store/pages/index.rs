//! Entries of an index, in its order.

use std::sync::Arc;

use crate::store::{
    pages::{
        Columns, Damage, PageFile, PageRange, PageRow, Tree,
        leaf::{Cells, Room, held},
        number::varint,
        shape::Shape,
        tree::{Descent, Step},
    },
    read::Onward,
};

/// A walk along the entries of an index. The columns of an entry are those of the index, and the row number
/// behind them.
#[derive(Debug)]
pub struct IndexWalk {
    file: Arc<PageFile>,
    descent: Descent,
    shape: Shape,
}

impl IndexWalk {
    /// Along the entries of a range that [`PageFile::cut`] made.
    pub fn new(file: &Arc<PageFile>, range: &PageRange) -> Result<Self, Damage> {
        let descent = Descent::new(Arc::clone(file), Tree::Index, range)?;
        Ok(Self { file: Arc::clone(file), descent, shape: Shape::default() })
    }

    /// Visits what comes next, the entries of a leaf or the one between two leaves, until the visitor has
    /// enough; says whether there was something.
    pub fn entries(
        &mut self,
        columns: &Columns,
        visit: &mut impl FnMut(&PageRow<'_>) -> Onward,
    ) -> Result<bool, Damage> {
        let (file, shape) = (&*self.file, &mut self.shape);
        let mut room = Room::default();
        match self.descent.step()? {
            Step::End => return Ok(false),
            Step::Between(cell, number) => {
                entry((file, number), cell, (columns, &mut *shape), &mut room, visit)?;
            }
            Step::Leaf(page, number, _) => {
                let cells = Cells::of(page, number, file.usable(), 8)?;
                for at in 0..cells.len() {
                    let cell = cells.cell(at)?;
                    if entry((file, number), cell, (columns, &mut *shape), &mut room, visit)?
                        == Onward::Enough
                    {
                        break;
                    }
                }
            }
        }
        Ok(true)
    }
}

#[inline]
fn entry<'p>(
    (file, number): (&PageFile, u32),
    cell: &'p [u8],
    (columns, shape): (&Columns, &mut Shape),
    room: &mut Room<'p>,
    visit: &mut impl FnMut(&PageRow<'_>) -> Onward,
) -> Result<Onward, Damage> {
    let wrong = |what| Damage::at(number, what);
    let (total, rest) = varint(cell).ok_or_else(|| wrong("a cell that is cut off"))?;
    let held = held(rest, total, file.usable(), Tree::Index).map_err(wrong)?;
    held.visit((file, number), 0, (columns, Some(shape)), room, visit)
}
