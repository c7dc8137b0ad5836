//! A database file as numbered pages.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::store::pages::{
    Damage,
    number::{four, two},
};

/// Bytes of the header that every database file begins with.
const HEADER: usize = 100;

/// Why the pages of a file are not decoded; it is read through SQLite then.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It cannot be read at all.
    #[error("the file cannot be read")]
    Unreadable(#[from] io::Error),
    /// It is no database, or a damaged one.
    #[error("the header is not one that SQLite writes: {0}")]
    Header(&'static str),
    /// Its texts are in UTF-16.
    #[error("its texts are written in UTF-16")]
    Encoding,
    /// Committed changes lie beside the file.
    #[error("a write-ahead log lies beside it")]
    LogPending,
    /// Pages are missing.
    #[error("it is cut off: {there} of {all} pages are there")]
    CutOff {
        /// Whole pages that are there.
        there: u64,
        /// Pages that the header speaks of.
        all: u32,
    },
}

/// A database file whose pages can be read. May be shared between threads; every walk has buffers of its own.
#[derive(Debug)]
pub struct PageFile {
    file: File,
    page_size: usize,
    usable: usize,
    pages: u32,
    reads: Arc<AtomicU64>,
}

impl PageFile {
    /// Opens a file and checks that it is of the kind that is decoded here.
    ///
    /// This says nothing about writers, nor about the journal of one that died: whoever reads looks at the
    /// files before and after.
    pub fn open(path: &Path) -> Result<Arc<Self>, Refusal> {
        Self::open_counting(path, Arc::default())
    }

    /// The same, with pages counted in a counter that others share.
    pub(crate) fn open_counting(path: &Path, reads: Arc<AtomicU64>) -> Result<Arc<Self>, Refusal> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut header = [0_u8; HEADER];
        read_at(&file, &mut header, 0).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Refusal::Header("the file is too short"),
            _ => Refusal::Unreadable(error),
        })?;
        let (page_size, usable) = sizes(&header).map_err(Refusal::Header)?;
        match four(&header, 56) {
            Some(0 | 1) => (),
            Some(2 | 3) => return Err(Refusal::Encoding),
            _ => return Err(Refusal::Header("unknown text encoding")),
        }
        let has_log = header.get(18..20).is_some_and(|versions| versions.contains(&2));
        if has_log && log_size(path) > 0 {
            return Err(Refusal::LogPending);
        }
        let there = size / page_size as u64;
        let is_counted = four(&header, 24) == four(&header, 92);
        let all = four(&header, 28).filter(|pages| is_counted && *pages > 0);
        if let Some(all) = all
            && u64::from(all) > there
        {
            return Err(Refusal::CutOff { there, all });
        }
        let pages = all.unwrap_or_else(|| u32::try_from(there).unwrap_or(u32::MAX));
        Ok(Arc::new(Self { file, page_size, usable, pages, reads }))
    }

    /// Bytes a page.
    #[must_use]
    pub fn page_size(&self) -> usize {
        self.page_size
    }

    /// Bytes of a page that SQLite uses; the rest is reserved for extensions.
    #[must_use]
    pub fn usable(&self) -> usize {
        self.usable
    }

    /// How many pages the file has.
    #[must_use]
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// How many pages were read, by every file that shares the counter.
    #[must_use]
    pub fn pages_read(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Reads `count` pages from `first` on into a buffer, which then holds exactly these.
    pub(super) fn read(&self, first: u32, count: usize, into: &mut Vec<u8>) -> Result<(), Damage> {
        let last = u64::from(first) + count as u64 - 1;
        if first == 0 || last > u64::from(self.pages) {
            return Err(Damage::at(first, "the file has no such page"));
        }
        into.resize(count * self.page_size, 0);
        let start = u64::from(first - 1) * self.page_size as u64;
        read_at(&self.file, into, start).map_err(|_short| Damage::at(first, "it cannot be read"))?;
        self.reads.fetch_add(count as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// Bytes a page, and how many of them are used.
fn sizes(header: &[u8; HEADER]) -> Result<(usize, usize), &'static str> {
    if !header.starts_with(b"SQLite format 3\0") {
        return Err("it begins otherwise");
    }
    let page_size = match two(header, 16) {
        Some(1) => 65_536,
        Some(size) if size >= 512 && size.is_power_of_two() => size,
        _ => return Err("impossible page size"),
    };
    let reserved = header.get(20).copied().map_or(0, usize::from);
    let usable = page_size - reserved;
    if usable < 480 {
        return Err("impossible number of reserved bytes");
    }
    if header.get(21..24) != Some(&[64, 32, 32]) {
        return Err("impossible payload fractions");
    }
    if header.get(18..20).is_none_or(|versions| versions.iter().any(|version| !matches!(version, 1 | 2))) {
        return Err("a newer file format");
    }
    if four(header, 44).is_none_or(|format| format > 4) {
        return Err("a newer schema format");
    }
    Ok((page_size, usable))
}

fn log_size(path: &Path) -> u64 {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(name).map_or(0, |log| log.len())
}

/// Fills the buffer from this place of the file on.
#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], start: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.read_exact_at(into, start)
}

/// Fills the buffer from this place of the file on.
#[cfg(windows)]
fn read_at(file: &File, mut into: &mut [u8], mut start: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt as _;
    while !into.is_empty() {
        let count = file.seek_read(into, start)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        into = into.get_mut(count..).unwrap_or_default();
        start += count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Vec<u8>), expected: &str) {
        let mut bytes = vec![0_u8; 8192];
        bytes.splice(..16, *b"SQLite format 3\0");
        bytes.splice(16..24, [16, 0, 1, 1, 0, 64, 32, 32]);
        bytes.splice(28..32, [0, 0, 0, 2]);
        bytes.splice(44..48, [0, 0, 0, 4]);
        bytes.splice(56..60, [0, 0, 0, 1]);
        change(&mut bytes);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        std::fs::write(&path, &bytes).unwrap();
        let found = PageFile::open(&path).map_or_else(|refusal| refusal.to_string(), |_| "fine".to_owned());
        assert!(found.contains(expected), "{found}, not {expected}");
    }

    #[test]
    fn files_of_another_kind_are_refused() {
        check(|_| (), "fine");
        check(|bytes| bytes[0] = b's', "begins otherwise");
        check(|bytes| bytes[17] = 7, "impossible page size");
        check(|bytes| bytes[16] = 0, "impossible page size");
        check(|bytes| bytes[59] = 2, "UTF-16");
        check(|bytes| bytes[18] = 3, "newer file format");
        check(|bytes| bytes[47] = 5, "newer schema format");
        check(|bytes| bytes[21] = 65, "fractions");
        check(|bytes| bytes.truncate(4096), "1 of 2 pages");
        check(|bytes| bytes.truncate(50), "too short");
        // The count counts only if the last writer knew of it.
        check(|bytes| bytes.splice(27..32, [9, 0, 0, 0, 9]).for_each(drop), "fine");
    }

    #[test]
    fn pages_outside_the_file_are_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE t (a)").unwrap();
        drop(connection);
        let file = PageFile::open(&path).unwrap();
        let mut buffer = Vec::new();
        assert_eq!(file.pages(), 2);
        assert_eq!(file.read(1, 2, &mut buffer), Ok(()));
        assert_eq!((buffer.len(), file.pages_read()), (8192, 2));
        for (first, count) in [(0, 1), (2, 2), (3, 1), (u32::MAX, 2)] {
            assert!(file.read(first, count, &mut buffer).is_err(), "{first} {count}");
        }
    }
}
