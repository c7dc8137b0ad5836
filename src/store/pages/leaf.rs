//! One page of a tree: its cells, each checked before anything in it is believed.

use crate::store::{
    decode::Value,
    pages::{
        Columns, Damage, PageFile, PageRow, Tree,
        number::{four, two, varint},
        record::{MOST_VALUES, Payload, Place, Values},
        shape::Shape,
    },
    read::Onward,
};

const INDEX_INTERIOR: u8 = 2;
const TABLE_INTERIOR: u8 = 5;
const INDEX_LEAF: u8 = 10;
const TABLE_LEAF: u8 = 13;

/// Whether a page is a leaf of a tree of this kind; damage if it belongs to no such tree.
pub(super) fn is_leaf(page: &[u8], number: u32, tree: Tree) -> Result<bool, Damage> {
    match (tree, page.get(start(number))) {
        (Tree::Table, Some(&TABLE_LEAF)) | (Tree::Index, Some(&INDEX_LEAF)) => Ok(true),
        (Tree::Table, Some(&TABLE_INTERIOR)) | (Tree::Index, Some(&INDEX_INTERIOR)) => Ok(false),
        _ => Err(Damage::at(number, "it is no page of this tree")),
    }
}

/// Where a page's own header begins: the first page begins with the file's.
fn start(number: u32) -> usize {
    if number == 1 { 100 } else { 0 }
}

/// The cells of a page, as its header lists them.
#[derive(Clone, Copy)]
pub(super) struct Cells<'p> {
    page: &'p [u8],
    number: u32,
    pointers: &'p [u8],
    /// Cells lie behind this place.
    least: usize,
}

impl<'p> Cells<'p> {
    /// Looks at the header; an empty page is damage, since only an empty tree has one.
    pub(super) fn of(page: &'p [u8], number: u32, usable: usize, header: usize) -> Result<Self, Damage> {
        let start = start(number);
        let page = page.get(..usable).ok_or_else(|| Damage::at(number, "it is too short"))?;
        let count = two(page, start + 3).unwrap_or_default();
        let least = start + header + 2 * count;
        let pointers =
            page.get(start + header..least).ok_or_else(|| Damage::at(number, "more cells than fit on it"))?;
        Ok(Self { page, number, pointers, least })
    }

    pub(super) fn len(&self) -> usize {
        self.pointers.len() / 2
    }

    /// The page from where a cell begins.
    #[inline]
    pub(super) fn cell(&self, at: usize) -> Result<&'p [u8], Damage> {
        let place = two(self.pointers, at * 2).unwrap_or_default();
        let cell = if place < self.least { None } else { self.page.get(place..) };
        cell.filter(|cell| cell.len() >= 4).ok_or_else(|| Damage::at(self.number, "a cell that lies outside"))
    }

    /// The rightmost child of an interior page.
    pub(super) fn right(&self) -> u32 {
        four(self.page, start(self.number) + 8).unwrap_or_default()
    }
}

/// A payload as a cell holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'p> {
    pub(super) local: &'p [u8],
    total: usize,
    /// The first page of what does not lie here; 0 if all does.
    next: u32,
}

/// Splits a payload of `total` bytes that begins here into what lies on the page and where it goes on.
#[inline]
pub(super) fn held(bytes: &[u8], total: u64, usable: usize, tree: Tree) -> Result<Held<'_>, &'static str> {
    const OUTSIDE: &str = "a cell that reaches beyond the page";
    let most = match tree {
        Tree::Table => usable - 35,
        Tree::Index => (usable - 12) * 64 / 255 - 23,
    };
    if total <= most as u64 {
        let local = bytes.get(..total as usize).ok_or(OUTSIDE)?;
        return Ok(Held { local, total: total as usize, next: 0 });
    }
    let total = u32::try_from(total).map_err(|_large| "a payload of impossible length")? as usize;
    let least = (usable - 12) * 32 / 255 - 23;
    let even = least + (total - least) % (usable - 4);
    let kept = if even <= most { even } else { least };
    let (local, rest) = bytes.split_at_checked(kept).ok_or(OUTSIDE)?;
    Ok(Held { local, total, next: four(rest, 0).ok_or(OUTSIDE)? })
}

/// A leaf page of a table, whole and checked: every cell lies within it and row numbers rise.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeafPage<'p> {
    file: &'p PageFile,
    number: u32,
    bytes: &'p [u8],
    cells: &'p [RowCell],
}

/// A row's cell, checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowCell {
    pub(super) rowid: i64,
    /// Where the payload begins on the page, and how much of it lies there.
    start: u32,
    local: u32,
    total: u32,
    next: u32,
}

/// Reads and checks the cells of a table's leaf. Row numbers must rise within `low..=high`, `low` excluded.
pub(super) fn row_cells(
    (page, number): (&[u8], u32),
    usable: usize,
    (low, high): (Option<i64>, i64),
    into: &mut Vec<RowCell>,
) -> Result<(), Damage> {
    into.clear();
    let cells = Cells::of(page, number, usable, 8)?;
    let mut last = low;
    for at in 0..cells.len() {
        let cell = cells.cell(at)?;
        let wrong = |what| Damage::at(number, what);
        let read = || {
            let (total, rest) = varint(cell)?;
            let (rowid, rest) = varint(rest)?;
            Some((total, rowid as i64, rest))
        };
        let (total, rowid, rest) = read().ok_or_else(|| wrong("a cell that is cut off"))?;
        if last.is_some_and(|last| rowid <= last) || rowid > high {
            return Err(wrong("row numbers out of order"));
        }
        last = Some(rowid);
        let held = held(rest, total, usable, Tree::Table).map_err(wrong)?;
        into.push(RowCell {
            rowid,
            start: (usable - rest.len()) as u32,
            local: held.local.len() as u32,
            total: held.total as u32,
            next: held.next,
        });
    }
    Ok(())
}

impl<'p> LeafPage<'p> {
    pub(super) fn new(file: &'p PageFile, number: u32, bytes: &'p [u8], cells: &'p [RowCell]) -> Self {
        Self { file, number, bytes, cells }
    }

    pub(super) fn cells(&self) -> &'p [RowCell] {
        self.cells
    }

    #[inline]
    pub(super) fn row(
        &self,
        cell: RowCell,
        columns: &Columns,
        room: &mut Room<'p>,
        visit: &mut impl FnMut(&PageRow<'_>) -> Onward,
    ) -> Result<Onward, Damage> {
        let start = cell.start as usize;
        let local = self.bytes.get(start..start + cell.local as usize).unwrap_or_default();
        let held = Held { local, total: cell.total as usize, next: cell.next };
        held.visit((self.file, self.number), cell.rowid, (columns, None), room, visit)
    }
}

/// Room for the values of a row, used again for each.
#[derive(Debug)]
pub(super) struct Room<'p> {
    values: Values<'p>,
    places: Vec<Place>,
}

impl Default for Room<'_> {
    fn default() -> Self {
        Self { values: [Value::Null; MOST_VALUES], places: Vec::new() }
    }
}

impl<'p> Held<'p> {
    /// Decodes the payload and has it visited; an entry of an index comes with the shape of the one before, and is
    /// read quicker where it looks like that.
    #[inline]
    pub(super) fn visit(
        self,
        (file, page): (&PageFile, u32),
        rowid: i64,
        (columns, mut shape): (&Columns, Option<&mut Shape>),
        room: &mut Room<'p>,
        visit: &mut impl FnMut(&PageRow<'_>) -> Onward,
    ) -> Result<Onward, Damage> {
        if self.next == 0 {
            if let Some(shape) = shape.as_deref().filter(|shape| shape.fits(self.local)) {
                return Ok(visit(&PageRow::shaped(self.local, shape)));
            }
            if columns.decode(self.local, rowid, &mut room.values).is_some() {
                if let Some(shape) = &mut shape {
                    shape.learn(columns, self.local);
                }
                return Ok(visit(&PageRow::decoded(rowid, &room.values)));
            }
        }
        let payload = Payload::new(file, page, (self.local, self.total), self.next);
        payload.locate(columns, &mut room.places)?;
        let onward = visit(&PageRow::located(rowid, &payload, columns, &room.places));
        payload.damage().map_or(Ok(onward), Err)
    }
}
