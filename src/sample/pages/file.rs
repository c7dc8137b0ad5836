//! A database file that grows by whole pages.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use super::PAGE;

/// SQLite locks bytes in this page and never uses it.
const LOCK_PAGE: u32 = (1 << 30) / PAGE as u32 + 1;
/// Where the file's header says how many pages there are.
const PAGE_COUNT_AT: u64 = 28;

/// A database file, which nobody else has open.
pub(crate) struct FilePages {
    out: BufWriter<File>,
    /// The number of the next page, which is never `left_out`.
    next: u32,
    /// [`LOCK_PAGE`], or a nearer one in a test.
    left_out: u32,
    /// Pages of old, as they will be.
    replaced: Vec<(u32, Vec<u8>)>,
}

impl FilePages {
    /// Opens a database that nobody else has open, to go on behind its end.
    pub(crate) fn append_to(path: &Path) -> io::Result<Self> {
        Self::leaving_out(path, LOCK_PAGE)
    }

    pub(super) fn leaving_out(path: &Path, left_out: u32) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut count = [0; 4];
        file.seek(SeekFrom::Start(PAGE_COUNT_AT))?;
        file.read_exact(&mut count)?;
        let count = u32::from_be_bytes(count);
        file.seek(SeekFrom::Start(u64::from(count) * PAGE as u64))?;
        let mut pages = Self {
            out: BufWriter::with_capacity(1 << 20, file),
            next: count + 1,
            left_out,
            replaced: Vec::new(),
        };
        pages.leave_out()?;
        Ok(pages)
    }

    /// The number that the next page will have.
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    /// The number of the page that follows another.
    pub(super) fn after(&self, number: u32) -> u32 {
        if number + 1 == self.left_out { number + 2 } else { number + 1 }
    }

    /// Adds a page; returns its number.
    pub(super) fn append(&mut self, page: &[u8]) -> io::Result<u32> {
        let number = self.next;
        self.out.write_all(page)?;
        self.next += 1;
        self.leave_out()?;
        Ok(number)
    }

    /// Has another page in the place of one that is there already.
    pub(super) fn replace(&mut self, number: u32, page: &[u8]) {
        self.replaced.push((number, page.to_vec()));
    }

    fn leave_out(&mut self) -> io::Result<()> {
        if self.next == self.left_out {
            self.out.write_all(&[0; PAGE])?;
            self.next += 1;
        }
        Ok(())
    }

    /// Says in the file's header how many pages there are now.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        for (number, page) in &self.replaced {
            self.out.seek(SeekFrom::Start(u64::from(number - 1) * PAGE as u64))?;
            self.out.write_all(page)?;
        }
        self.out.seek(SeekFrom::Start(PAGE_COUNT_AT))?;
        self.out.write_all(&(self.next - 1).to_be_bytes())?;
        self.out.flush()
    }
}
