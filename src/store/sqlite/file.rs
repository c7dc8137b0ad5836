//! What the files of a SQLite database tell without SQLite: header, write-ahead log, journal.
//!
//! A [`Sight`] is what all of them look like at one moment. Two sights around a read prove that
//! nothing the read depended on was written meanwhile; that is how we read without any lock.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use crate::store::{StoreError, StoreResult};

/// How a SQLite file begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The part of the database header that we look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Bytes a page.
    pub(super) page_size: u64,
    /// Whether readers look into a write-ahead log.
    pub(super) has_log: bool,
    /// Counts the transactions of a database with a rollback journal.
    pub(super) change_counter: u32,
    /// Pages that the database has; 0 if the header does not say.
    pub(super) pages: u32,
}

/// Size and time of last change of a file, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) size: u64,
    pub(super) changed: u128,
}

/// Which file it is, and when anything of it last changed, its times included: `cp -p` and `touch` do not
/// get past this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Identity {
    device: u64,
    node: u64,
    changed: (i64, i64),
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            device: metadata.dev(),
            node: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self::default()
    }
}

/// A rollback journal that holds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Journal {
    pub(super) mark: Mark,
    /// When the journal was created, where the file system knows.
    pub(super) born: Option<u128>,
}

/// What the shared memory beside a write-ahead log says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shared {
    /// Counts commits.
    pub(super) changes: u32,
    /// Committed frames in the log.
    pub(super) frames: u32,
    /// Which generation of the log these numbers are about.
    pub(super) salts: [u8; 8],
    /// Up to which frame a checkpoint has begun to write into the database.
    pub(super) copied: u32,
}

/// All files of a database at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) header: Header,
    pub(super) database: Mark,
    /// Which file the database is.
    pub(super) identity: Identity,
    pub(super) journal: Option<Journal>,
    /// The log's header and mark, if the log is there and not empty.
    pub(super) log: Option<([u8; 32], Mark)>,
    pub(super) shared: Option<Shared>,
}

/// In which order the files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The counter first, the journal later: a commit that we miss here shows in the counter after.
    Before,
    /// The journal first, the counter later: a commit that had begun has left one of them changed.
    After,
}

impl Sight {
    /// Looks at the files.
    pub(super) fn take(path: &Path, moment: Moment) -> StoreResult<Self> {
        let early = (moment == Moment::After).then(|| journal(path));
        let header = header(path)?;
        let metadata = fs::metadata(path).map_err(|source| unreadable(path, source))?;
        let (database, identity) = (mark(&metadata), Identity::of(&metadata));
        let shared = header.has_log.then(|| shared(path)).flatten();
        let log = if header.has_log { log(path) } else { None };
        let journal = early.unwrap_or_else(|| journal(path));
        Ok(Self { header, database, identity, journal, log, shared })
    }

    /// Whether a transaction may be writing into the database file at this moment, or was left
    /// unfinished there.
    ///
    /// A journal alone does not say so: it is written first. As long as the database was last
    /// changed before its journal was born, no page of this transaction has reached it.
    pub(super) fn is_torn(&self) -> bool {
        self.journal.is_some_and(|journal| journal.born.is_none_or(|born| self.database.changed >= born))
    }

    /// Whether a read that began after `self` and ended before `after` saw one state.
    pub(super) fn holds(&self, after: &Self) -> bool {
        if self.header.has_log != after.header.has_log || after.is_torn() {
            return false;
        }
        let log = |sight: &Self| sight.log.map(|(header, _)| header);
        if log(self) != log(after) {
            return false;
        }
        // A checkpoint may write what the read took from the log anyway, and nothing newer.
        if let (Some((header, _)), Some(before), Some(after)) = (self.log, self.shared, after.shared)
            && header.get(16..24) == Some(before.salts.as_slice())
        {
            return before.salts == after.salts && after.copied <= before.frames;
        }
        let salts = |sight: &Self| sight.shared.map(|shared| shared.salts);
        self.header == after.header && self.database == after.database && salts(self) == salts(after)
    }
}

/// Reads and checks the header; every way in which a file is no SQLite database ends here.
pub(super) fn header(path: &Path) -> StoreResult<Header> {
    if fs::metadata(path).map_err(|source| unreadable(path, source))?.is_dir() {
        return Err(StoreError::IsFolder { path: path.into() });
    }
    let bytes = start(path, 512).map_err(|source| unreadable(path, source))?;
    if bytes.is_empty() {
        return Err(StoreError::Empty { path: path.into() });
    }
    let number = |at: usize| {
        bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).map_or(0, |four| u32::from_be_bytes(*four))
    };
    let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
    if !bytes.starts_with(MAGIC) || bytes.len() < 100 {
        return Err(StoreError::NotSqlite { path: path.into(), guess: guess(&bytes).into() });
    }
    let page_size = match u64::from(byte(16)) << 8 | u64::from(byte(17)) {
        1 => 65_536,
        size => size,
    };
    let (change_counter, valid_for) = (number(24), number(92));
    let pages = if change_counter == valid_for { number(28) } else { 0 };
    Ok(Header { page_size, has_log: byte(18) == 2 || byte(19) == 2, change_counter, pages })
}

/// What a file that is no SQLite database looks like.
fn guess(bytes: &[u8]) -> &'static str {
    const KINDS: [(&[u8], &str); 12] = [
        (MAGIC, "it ends within the header"),
        (b"\x1f\x8b", "it is compressed with gzip; unpack it first"),
        (b"PK\x03\x04", "it is a zip archive; unpack it first"),
        (b"\x28\xb5\x2f\xfd", "it is compressed with zstd; unpack it first"),
        (b"\xfd7zXZ\0", "it is compressed with xz; unpack it first"),
        (b"BZh", "it is compressed with bzip2; unpack it first"),
        (b"\x89PNG", "it is a PNG picture"),
        (b"%PDF", "it is a PDF document"),
        (b"\x37\x7f\x06\x82", "it is a write-ahead log of SQLite; open the database beside it"),
        (b"\x37\x7f\x06\x83", "it is a write-ahead log of SQLite; open the database beside it"),
        (b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", "it is a journal of SQLite; open the database beside it"),
        (b"PGDMP", "it is a dump of PostgreSQL"),
    ];
    if let Some((_, kind)) = KINDS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return kind;
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return "it begins with zero bytes only";
    }
    // The last character may be cut off.
    let readable = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(err) if err.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..err.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => "",
    };
    if !readable.is_empty() && !readable.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        let is_json = readable.trim_start().starts_with(['{', '[']);
        return if is_json { "it is text, perhaps JSON" } else { "it is text" };
    }
    "encrypted or random bytes (an encrypted database, such as SQLCipher's, has no header)"
}

/// Beside `shop.sqlite`: `shop.sqlite-wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The first bytes of a file.
pub(super) fn start(path: &Path, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn mark(metadata: &Metadata) -> Mark {
    Mark { size: metadata.len(), changed: nanos(metadata.modified()).unwrap_or_default() }
}

fn nanos(time: io::Result<std::time::SystemTime>) -> Option<u128> {
    Some(time.ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos())
}

/// The journal, unless it is missing, empty, or finished (its first byte is zero then).
fn journal(path: &Path) -> Option<Journal> {
    let path = beside(path, "-journal");
    let metadata = fs::metadata(&path).ok()?;
    // A journal that cannot be read counts: it may be at work.
    let is_finished = start(&path, 1).is_ok_and(|bytes| bytes.first().is_none_or(|byte| *byte == 0));
    (!is_finished).then(|| Journal { mark: mark(&metadata), born: nanos(metadata.created()) })
}

/// Whether a journal lies beside the database that holds something.
pub(super) fn has_journal(path: &Path) -> bool {
    journal(path).is_some()
}

fn log(path: &Path) -> Option<([u8; 32], Mark)> {
    let path = beside(path, "-wal");
    let metadata = fs::metadata(&path).ok()?;
    let header = *start(&path, 32).ok()?.first_chunk::<32>()?;
    Some((header, mark(&metadata)))
}

/// The header of the shared memory, in the layout of SQLite's `WalIndexHdr` and `WalCkptInfo`.
fn shared(path: &Path) -> Option<Shared> {
    let bytes = start(&beside(path, "-shm"), 136).ok()?;
    let number = |at: usize| Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk::<4>()?));
    Some(Shared {
        changes: number(8)?,
        frames: number(16)?,
        salts: *bytes.get(32..)?.first_chunk::<8>()?,
        copied: number(128)?.max(number(96)?),
    })
}

/// What the system's refusal means.
pub(super) fn unreadable(path: &Path, source: io::Error) -> StoreError {
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StoreError::Missing { path: path.into() },
        io::ErrorKind::IsADirectory => StoreError::IsFolder { path: path.into() },
        _ => StoreError::Unreadable { path: path.into(), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        assert!(guess(bytes).contains(expected), "{bytes:?}: {}", guess(bytes));
    }

    #[test]
    fn what_is_no_database_is_guessed() {
        check(b"\x1f\x8b\x08\0", "gzip");
        check(b"PK\x03\x04", "zip");
        check(b"id,name\n1,x", "text");
        check("{\"a\":\"日".as_bytes(), "JSON");
        check(b"abc\xe6", "text");
        check(&[0; 100], "zero bytes");
        check(b"\x9a\x01\xff\xfe\x80\x03", "encrypted or random");
        check(MAGIC, "within the header");
    }

    fn sight() -> Sight {
        Sight {
            header: Header { page_size: 4096, has_log: false, change_counter: 7, pages: 3 },
            database: Mark { size: 12_288, changed: 100 },
            identity: Identity::default(),
            journal: None,
            log: None,
            shared: None,
        }
    }

    #[test]
    fn a_commit_between_two_sights_is_noticed() {
        let before = sight();
        assert!(before.holds(&before));
        let counted = Sight { header: Header { change_counter: 8, ..before.header }, ..before };
        assert!(!before.holds(&counted));
        let journal = |born| Some(Journal { mark: Mark { size: 512, changed: 120 }, born });
        assert!(!before.holds(&Sight { journal: journal(None), ..before }), "a journal of unknown age");
        assert!(!before.holds(&Sight { journal: journal(Some(100)), ..before }), "as old as the last write");
        assert!(before.holds(&Sight { journal: journal(Some(110)), ..before }), "nothing written since");
    }

    #[test]
    fn a_checkpoint_of_what_was_read_does_not_matter() {
        let shared = Shared { changes: 1, frames: 10, salts: [1; 8], copied: 4 };
        let log = Some(([1; 32], Mark { size: 4096, changed: 100 }));
        let mut before = Sight { log, shared: Some(shared), ..sight() };
        before.header.has_log = true;
        let written = Mark { size: 12_288, changed: 200 };
        let after = |shared| Sight { database: written, shared: Some(shared), ..before };
        assert!(before.holds(&after(Shared { copied: 10, frames: 20, ..shared })));
        assert!(!before.holds(&after(Shared { copied: 11, frames: 20, ..shared })), "newer pages");
        assert!(!before.holds(&after(Shared { salts: [2; 8], ..shared })), "another generation");
        assert!(!before.holds(&Sight { log: None, ..before }));
        let stale = Sight { shared: Some(Shared { salts: [3; 8], ..shared }), ..before };
        assert!(stale.holds(&stale));
        assert!(!stale.holds(&Sight { database: written, ..stale }), "nobody keeps the counts up");
    }
}
