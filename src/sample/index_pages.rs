//! Writes the pages of indexes straight into a database file.
//!
//! `CREATE INDEX` reads the whole table again and sorts what it finds, for each index; of a store of ten
//! million events that takes twice as long as writing it. The story knows the order already, so the b-tree
//! is laid down from left to right, full page by full page. SQLite's own check of the file is what the tests
//! hold it against.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

/// Bytes of a page, as the samples have them.
const PAGE: usize = 4096;
/// SQLite locks bytes in this page and never uses it.
const LOCK_PAGE: u32 = (1 << 30) / PAGE as u32 + 1;
/// Where the file's header says how many pages there are.
const PAGE_COUNT_AT: u64 = 28;
/// What SQLite calls an index page with pages below it.
const INTERIOR: u8 = 2;
/// What SQLite calls an index page without.
const LEAF: u8 = 10;

/// One entry of an index, as SQLite stores it: its values and the number of its row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    header: Vec<u8>,
    body: Vec<u8>,
}

/// A database file that grows by whole indexes.
pub(crate) struct IndexPages {
    out: BufWriter<File>,
    next: u32,
    /// [`LOCK_PAGE`], or a nearer one in a test.
    left_out: u32,
}

/// A page being filled.
struct Page {
    kind: u8,
    /// The cells one behind the other, and where each ends.
    cells: Vec<u8>,
    ends: Vec<usize>,
}

/// A level of the tree that is complete: its pages from left to right, and the entries between them.
#[derive(Default)]
struct Level {
    pages: Vec<u32>,
    between: Vec<Vec<u8>>,
}

impl Entry {
    /// Starts anew.
    pub(crate) fn clear(&mut self) {
        self.header.clear();
        self.body.clear();
    }

    /// Adds a text.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        push_varint(&mut self.header, text.len() as u64 * 2 + 13);
        self.body.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a number that is not negative.
    pub(crate) fn number(&mut self, number: u32) -> &mut Self {
        let bytes = i64::from(number).to_be_bytes();
        let (kind, len) = match number {
            0 => (8, 0),
            1 => (9, 0),
            2..0x80 => (1, 1),
            0x80..0x8000 => (2, 2),
            0x8000..0x80_0000 => (3, 3),
            0x80_0000..0x8000_0000 => (4, 4),
            0x8000_0000.. => (5, 6),
        };
        self.header.push(kind);
        self.body.extend(bytes.iter().skip(bytes.len() - len));
        self
    }

    /// The entry as a cell has it, behind the number of the page to its left.
    fn push_payload(&self, out: &mut Vec<u8>) {
        // Headers here are shorter than 127 bytes, so their length takes one.
        push_varint(out, (1 + self.header.len() + self.body.len()) as u64);
        out.push(1 + self.header.len() as u8);
        out.extend_from_slice(&self.header);
        out.extend_from_slice(&self.body);
    }
}

impl IndexPages {
    /// Opens a database that nobody else has open.
    pub(crate) fn append_to(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut count = [0; 4];
        file.seek(SeekFrom::Start(PAGE_COUNT_AT))?;
        file.read_exact(&mut count)?;
        let next = u32::from_be_bytes(count) + 1;
        file.seek(SeekFrom::Start(u64::from(next - 1) * PAGE as u64))?;
        Ok(Self { out: BufWriter::with_capacity(1 << 20, file), next, left_out: LOCK_PAGE })
    }

    /// Writes an index of `count` entries, at least one, which `fill` makes in order; returns its root.
    pub(crate) fn write(&mut self, count: usize, mut fill: impl FnMut(usize, &mut Entry)) -> io::Result<u32> {
        let mut entry = Entry::default();
        let mut next = |at: usize, cell: &mut Vec<u8>| {
            entry.clear();
            fill(at, &mut entry);
            entry.push_payload(cell);
        };
        let mut level = self.level(LEAF, count, &[], &mut next)?;
        while let Some(dividers) = level.pages.len().checked_sub(1).filter(|dividers| *dividers > 0) {
            let Level { pages, between } = level;
            let mut next = |at: usize, cell: &mut Vec<u8>| {
                cell.extend(pages.get(at).copied().unwrap_or_default().to_be_bytes());
                cell.extend(between.get(at).into_iter().flatten());
            };
            level = self.level(INTERIOR, dividers, &pages, &mut next)?;
        }
        Ok(level.pages.first().copied().unwrap_or_default())
    }

    /// Says in the file's header how many pages there are now.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.out.seek(SeekFrom::Start(PAGE_COUNT_AT))?;
        self.out.write_all(&(self.next - 1).to_be_bytes())?;
        self.out.flush()
    }

    /// Lays the cells of one level into pages. Where a page is full, the next entry goes up and stands
    /// between it and the next page; no page is left without one.
    fn level(
        &mut self,
        kind: u8,
        count: usize,
        below: &[u32],
        next: &mut dyn FnMut(usize, &mut Vec<u8>),
    ) -> io::Result<Level> {
        let left = if kind == LEAF { 0 } else { 4 };
        let (mut level, mut page, mut cell) = (Level::default(), Page::new(kind), Vec::new());
        for at in 0..count {
            cell.clear();
            next(at, &mut cell);
            if page.has_room(cell.len()) {
                page.push(&cell);
                continue;
            }
            let is_last = at + 1 == count;
            // The last entry stays on its page, and the one before it goes up.
            let up = if is_last { page.pop() } else { cell.clone() };
            level.pages.push(self.page(&page, up.get(..left).unwrap_or_default())?);
            level.between.push(up.get(left..).unwrap_or_default().to_vec());
            page = Page::new(kind);
            if is_last {
                page.push(&cell);
            }
        }
        let rightmost = below.last().map(|page| page.to_be_bytes()).unwrap_or_default();
        level.pages.push(self.page(&page, rightmost.get(..left).unwrap_or_default())?);
        Ok(level)
    }

    /// Writes a page with the number of the page to the right of its last cell, if it has such.
    fn page(&mut self, page: &Page, rightmost: &[u8]) -> io::Result<u32> {
        if self.next == self.left_out {
            self.out.write_all(&[0; PAGE])?;
            self.next += 1;
        }
        let number = self.next;
        self.out.write_all(&page.to_bytes(rightmost))?;
        self.next += 1;
        Ok(number)
    }
}

impl Page {
    fn new(kind: u8) -> Self {
        Self { kind, cells: Vec::with_capacity(PAGE), ends: Vec::new() }
    }

    fn has_room(&self, len: usize) -> bool {
        let head = if self.kind == LEAF { 8 } else { 12 };
        head + (self.ends.len() + 1) * 2 + self.cells.len() + len <= PAGE
    }

    fn push(&mut self, cell: &[u8]) {
        self.cells.extend_from_slice(cell);
        self.ends.push(self.cells.len());
    }

    fn pop(&mut self) -> Vec<u8> {
        self.ends.pop();
        self.cells.split_off(self.ends.last().copied().unwrap_or_default())
    }

    /// The first cell stands at the page's end, the others before it, as SQLite fills a page.
    fn to_bytes(&self, rightmost: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PAGE);
        let content = PAGE - self.cells.len();
        bytes.extend([self.kind, 0, 0]);
        bytes.extend((self.ends.len() as u16).to_be_bytes());
        bytes.extend((content as u16).to_be_bytes());
        bytes.push(0);
        bytes.extend_from_slice(rightmost);
        for end in &self.ends {
            bytes.extend(((PAGE - end) as u16).to_be_bytes());
        }
        bytes.resize(content, 0);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let cells: Vec<_> = starts.zip(self.ends.iter().copied()).collect();
        for (start, end) in cells.into_iter().rev() {
            bytes.extend_from_slice(self.cells.get(start..end).unwrap_or_default());
        }
        bytes
    }
}

/// SQLite's numbers of one to nine bytes, for those below 2 to the 56th.
fn push_varint(out: &mut Vec<u8>, number: u64) {
    let groups = (64 - number.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let bits = (number >> (group * 7) & 0x7f) as u8;
        out.push(if group == 0 { bits } else { bits | 0x80 });
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{Entry, IndexPages};

    /// An index of so many rows, by pages of ours, checked by SQLite.
    fn check(rows: u32) {
        assert_eq!(checked(rows, None), "ok", "{rows} rows");
    }

    /// What SQLite says of an index of so many rows that leaves out a page.
    fn checked(rows: u32, left_out: Option<u32>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("indexed.sqlite");
        let store = Connection::open(&path).unwrap();
        store
            .execute_batch(&format!(
                "PRAGMA page_size = 4096; CREATE TABLE t (name TEXT, number INTEGER);
                 WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows})
                 INSERT INTO t SELECT printf('name %08d ', n) || hex(zeroblob(n % 90)), n - 1 FROM n;"
            ))
            .unwrap();
        drop(store);
        let mut pages = IndexPages::append_to(&path).unwrap();
        pages.left_out = left_out.unwrap_or(pages.left_out);
        let fill = |at: usize, entry: &mut Entry| {
            let number = at as u32 + 1;
            let name = format!("name {number:08} {}", "0".repeat(number as usize % 90 * 2));
            entry.text(&name).number(number - 1).number(number);
        };
        let root = pages.write(rows as usize, fill).unwrap();
        pages.finish().unwrap();
        let store = Connection::open(&path).unwrap();
        store
            .execute_batch(&format!(
                "PRAGMA writable_schema = ON;
                 INSERT INTO sqlite_schema VALUES
                   ('index', 'i', 't', {root}, 'CREATE INDEX i ON t (name, number)');
                 PRAGMA writable_schema = RESET;"
            ))
            .unwrap();
        let sql = "SELECT count(*) FROM t INDEXED BY i WHERE name >= 'name 00000003'";
        let found: u32 = store.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(found, rows.saturating_sub(2));
        store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn sqlite_finds_nothing_wrong_with_an_index_of_any_size() {
        // Around where a page and a level fill up, and where a page of a middle level does.
        (1..140).for_each(check);
        [1_000, 1_001, 1_002, 40_000, 70_000].into_iter().for_each(check);
    }

    #[test]
    fn the_page_in_which_sqlite_locks_is_left_out() {
        let said = checked(40_000, Some(1_500));
        assert!(said.contains("Page 1500") && said.contains("never used"), "{said}");
        assert_eq!(said.matches("Page").count(), 1, "{said}");
    }
}
