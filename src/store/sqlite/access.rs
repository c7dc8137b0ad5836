//! The one door to the file: reads that take no lock, and prove afterwards that they needed none.
//!
//! A reader with locks gets in a writer's way: with a rollback journal it blocks the commit, with
//! a write-ahead log it holds up checkpoints, and if the writer ends meanwhile, `-wal` and `-shm`
//! stay behind, which a read-only connection cannot clean up. So we lock nothing. A read looks at
//! the files before and after ([`Sight`]); if something it depended on was written in between, its
//! answer is thrown away and it is asked again.
//!
//! - Without a pending log the file is opened `immutable`: SQLite reads that one file alone.
//! - With one, SQLite reads the log into an index of its own in memory (exclusive mode on a file
//!   system layer without locks), and never touches the shared memory.
//! - While the log has a live owner, a store of up to 64 MB is copied first and the copy is read.
//!   SQLite creates a log that it does not find; were the owner to end and remove it in the few
//!   microseconds between our look and SQLite's, an empty one would be left behind. A larger store
//!   is read in place and lives with that.
//! - Under the journal of a writer that died, a private copy is rolled back and read instead.
//!
//! A connection that has read is kept for the next read, as long as the files look exactly as when it was
//! opened ([`IdleConnections`]).

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{
    store::{
        Head, Identity, StoreError, StoreResult,
        layout::EventsTable,
        pages::PageFile,
        sqlite::{
            file::{Mark, Moment, Sight, beside, unreadable},
            guard::{harden, obey},
            identity::identity,
            idle::{Idle, IdleConnections},
            picked::Picked,
            pieces,
            quiet::{Door, Reading},
        },
    },
    work::{Cancelled, Work},
};

/// After so many looks in vain, about four seconds, the file counts as busy.
const TRIES: u32 = 90;

/// Up to this size, database and log together, a live store with a log is copied to be read.
const SMALL: u64 = 64 << 20;

/// The layer under SQLite that locks nothing.
const WITHOUT_LOCKS: &str = if cfg!(windows) { "win32-none" } else { "unix-none" };

/// A database file, and how to read it without a trace.
#[derive(Debug)]
pub(super) struct Access {
    path: PathBuf,
    /// Held while anything of the file is open.
    door: Arc<Door>,
    /// Whether the header or the schema is damaged and SQLite has to overlook that.
    lenient: AtomicBool,
    /// A copy from which a dead writer's unfinished transaction was taken back.
    copy: Mutex<Option<Arc<RolledBack>>>,
    /// Pages that were decoded, of all reads together.
    pages_read: Arc<AtomicU64>,
    /// Connections for the next reads.
    idle: Arc<IdleConnections>,
}

/// A private copy, valid while the original is unchanged.
#[derive(Debug)]
pub(super) struct RolledBack {
    folder: tempfile::TempDir,
    of: (Mark, Option<Mark>),
}

/// A connection, and what the files looked like before it read anything.
#[derive(Debug)]
struct Look {
    connection: Connection,
    before: Sight,
    /// The private copy that it reads, if it does.
    copy: Copied,
    /// Pages that are read beside it.
    picked: RefCell<Picked>,
    /// Given back after the connection is closed.
    _reading: Reading,
}

/// Which copy is read, kept until the connection is closed.
#[derive(Debug)]
pub(super) enum Copied {
    /// None: the files themselves.
    No,
    /// One from which an unfinished transaction was taken back.
    Back(Arc<RolledBack>),
    /// One of a single moment, proven when it was made.
    Whole { _folder: tempfile::TempDir },
}

impl Copied {
    /// Whether it takes room on the disk.
    pub(super) fn is_private(&self) -> bool {
        !matches!(self, Self::No)
    }
}

/// Several reads one after the other, over one connection as long as the file does not change.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    access: &'a Access,
    work: &'a Work,
    look: Option<Look>,
    /// How many looks there were.
    looks: u64,
}

/// A database file that is all there is at this moment: nothing in a log, nothing left unfinished, nothing
/// known to be damaged. Whoever decodes its pages within a read has the proof of that read.
#[derive(Clone, Copy)]
pub(super) struct Whole<'a> {
    access: &'a Access,
    /// Which look of the reader this is. As long as it is the same, nothing was written.
    pub(super) look: u64,
    /// Pages that stay open as long as the connection.
    pub(super) picked: &'a RefCell<Picked>,
}

/// Pages to read, and what keeps a writer of ours waiting meanwhile: closing the file would take its locks.
#[derive(Debug)]
pub(super) struct OpenPages {
    pub(super) file: Arc<PageFile>,
    _reading: Reading,
}

impl Whole<'_> {
    /// The same for pages that are closed together with the connection, at the latest.
    pub(super) fn file(self) -> Option<Arc<PageFile>> {
        PageFile::open_counting(&self.access.path, Arc::clone(&self.access.pages_read)).ok()
    }

    /// Opens the file for reading pages; nothing if it is of a kind that is left to SQLite.
    pub(super) fn open(self) -> Option<OpenPages> {
        let reading = self.access.door.reading();
        Some(OpenPages { file: self.file()?, _reading: reading })
    }
}

impl Access {
    /// Checks that there is a SQLite database and notes whether it is damaged.
    pub(super) fn open(path: &Path, work: &Work) -> StoreResult<Self> {
        let path = std::path::absolute(path).map_err(|source| unreadable(path, source))?;
        let door = Door::of(&path);
        let _reading = door.reading();
        let sight = Sight::take(&path, Moment::Before)?;
        let is_short = missing_pages(&sight).is_some();
        let idle = Arc::new(IdleConnections::default());
        door.tell(&idle);
        let (lenient, pages_read) = (is_short.into(), Arc::default());
        let access = Self { path, door, lenient, copy: Mutex::default(), pages_read, idle };
        if access.reader(work).read("reading the schema", probe).is_err_and(|err| is_damage(&err)) {
            access.lenient.store(true, Ordering::Relaxed);
            access.idle.close();
            access.reader(work).read("reading the schema", probe)?;
        }
        Ok(access)
    }

    /// How many pages were decoded since the store was opened.
    pub(super) fn pages_read(&self) -> u64 {
        self.pages_read.load(Ordering::Relaxed)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads that belong together.
    pub(super) fn reader<'a>(&'a self, work: &'a Work) -> Reader<'a> {
        Reader { access: self, work, look: None, looks: 0 }
    }

    /// One read. `ask` may be called several times, and only its last answer counts.
    pub(super) fn read<T>(
        &self,
        work: &Work,
        doing: &str,
        ask: impl FnMut(&Connection) -> rusqlite::Result<T>,
    ) -> StoreResult<T> {
        self.reader(work).read(doing, ask)
    }

    /// What changes with every commit; no connection is needed to see it.
    pub(super) fn head(&self) -> StoreResult<Head> {
        let _reading = self.door.reading();
        let sight = Sight::take(&self.path, Moment::After)?;
        self.idle.looked(&sight);
        let mut values = vec![u64::from(sight.header.change_counter)];
        let mark = |mark: Mark| [mark.size, mark.changed as u64];
        values.extend(mark(sight.database));
        values.extend(sight.log.map(|(_, log)| mark(log)).unwrap_or_default());
        if let (Some(shared), Some(_)) = (sight.shared, sight.log) {
            // Two commits within one tick of the clock differ in these.
            values.extend([u64::from(shared.changes), u64::from(shared.frames)]);
        }
        Ok(Head(values))
    }

    /// What proves later that the files are still what they are now.
    pub(super) fn identity(&self, events: &EventsTable) -> StoreResult<Identity> {
        let _reading = self.door.reading();
        identity(&self.path, events)
    }

    /// What is odd about the files, in words.
    pub(super) fn problems(&self) -> StoreResult<Vec<String>> {
        let _reading = self.door.reading();
        let sight = Sight::take(&self.path, Moment::Before)?;
        let mut problems = Vec::new();
        if let Some((there, all)) = missing_pages(&sight) {
            problems.push(format!(
                "the file is cut off: {there} of {all} pages are there; the rest cannot be read"
            ));
        } else if self.lenient.load(Ordering::Relaxed) {
            problems.push("the database's own description of its tables is damaged in places".to_owned());
        }
        if self.copy.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            problems.push(
                "a transaction was left unfinished (its journal lies beside the file); what is shown is the \
                 state before it, read from a private copy"
                    .to_owned(),
            );
        }
        if sight.log.is_some() && sight.shared.is_none() {
            problems.push("read together with the write-ahead log that lies beside the file".to_owned());
        }
        Ok(problems)
    }

    /// Opens a connection that suits what lies there; nothing while a writer is at work.
    fn look(&self, work: &Work, patience: bool) -> StoreResult<Option<Look>> {
        let reading = self.door.reading();
        let before = Sight::take(&self.path, Moment::Before)?;
        if let Some(Idle { mut connection, before, copy, picked }) = self.idle.take(&before)
            && obey(&mut connection, work).is_ok()
        {
            return Ok(Some(Look { connection, before, copy, picked, _reading: reading }));
        }
        if !before.is_torn() {
            return match (before.log, before.shared) {
                (None, _) => {
                    let connection = self.connect(&self.path, false, work)?;
                    Ok(Some(Look::new(connection, before, Copied::No, reading)))
                }
                (Some((_, log)), Some(_)) if before.database.size + log.size <= SMALL => {
                    self.whole_copy(work, before, reading)
                }
                (Some(_), _) => self.in_place(work, reading),
            };
        }
        let of = (before.database, before.journal.map(|journal| journal.mark));
        let mut kept = self.copy_in_turn(work)?;
        if kept.as_ref().is_none_or(|copy| copy.of != of) {
            if patience {
                return Ok(None);
            }
            *kept = self.roll_back(of, work)?.map(Arc::new);
        }
        let Some(copy) = kept.clone() else { return Ok(None) };
        drop(kept);
        let connection = self.connect(&copy.folder.path().join("copy.sqlite"), false, work)?;
        Ok(Some(Look::new(connection, before, Copied::Back(copy), reading)))
    }

    /// Opens the database together with its log, where they lie.
    fn in_place(&self, work: &Work, reading: Reading) -> StoreResult<Option<Look>> {
        let connection = self.connect(&self.path, true, work)?;
        // The last look and SQLite's own come as close together as can be.
        let before = Sight::take(&self.path, Moment::Before)?;
        if before.log.is_none() {
            return Ok(None);
        }
        // Damage is found again by whoever asks.
        drop(probe(&connection));
        Ok(Some(Look::new(connection, before, Copied::No, reading)))
    }

    /// Copies the database and its log as they are at one moment; nothing if they changed.
    fn whole_copy(&self, work: &Work, before: Sight, reading: Reading) -> StoreResult<Option<Look>> {
        let failed = |source| unreadable(&self.path, source);
        let folder = folder().map_err(failed)?;
        let copy = folder.path().join("copy.sqlite");
        std::fs::copy(&self.path, &copy).map_err(failed)?;
        if std::fs::copy(beside(&self.path, "-wal"), beside(&copy, "-wal")).is_err()
            || !before.holds(&Sight::take(&self.path, Moment::After)?)
        {
            return Ok(None);
        }
        let connection = self.connect(&copy, true, work)?;
        Ok(Some(Look::new(connection, before, Copied::Whole { _folder: folder }, reading)))
    }

    /// The private copy. While another makes it, which takes long in a large store, the work can be withdrawn.
    fn copy_in_turn(&self, work: &Work) -> StoreResult<MutexGuard<'_, Option<Arc<RolledBack>>>> {
        loop {
            match self.copy.try_lock() {
                Ok(kept) => return Ok(kept),
                Err(TryLockError::Poisoned(kept)) => return Ok(kept.into_inner()),
                Err(TryLockError::WouldBlock) => work.wait(Duration::from_millis(5))?,
            }
        }
    }

    /// Copies the database and its journal, and lets SQLite undo the transaction in the copy.
    fn roll_back(&self, of: (Mark, Option<Mark>), work: &Work) -> StoreResult<Option<RolledBack>> {
        let failed = |source| StoreError::Unreadable { path: self.path.clone(), source };
        let folder = folder().map_err(failed)?;
        let copy = folder.path().join("copy.sqlite");
        pieces::copy(&self.path, &copy, work)?;
        pieces::copy(&beside(&self.path, "-journal"), &beside(&copy, "-journal"), work)?;
        let after = Sight::take(&self.path, Moment::After)?;
        if of != (after.database, after.journal.map(|journal| journal.mark)) {
            return Ok(None);
        }
        // SQLite rolls back before the first read.
        Connection::open(&copy)
            .and_then(|connection| connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())))
            .map_err(|source| self.failure("rolling back a copy", source))?;
        Ok(Some(RolledBack { folder, of }))
    }

    /// Keeps the connection of a look for the next one, where that may be used again: not the one that reads
    /// a log in place, which somebody may be writing, nor a copy that was rolled back, which is kept itself.
    fn keep(&self, look: Look, work: &Work) {
        let is_lasting = match &look.copy {
            Copied::No => look.before.log.is_none(),
            Copied::Whole { .. } => true,
            Copied::Back(_) => false,
        };
        if is_lasting {
            // Reading ends when the connection waits or is closed, and not before.
            let Look { connection, before, copy, picked, _reading } = look;
            self.idle.keep(Idle { connection, before, copy, picked }, work.width());
        }
    }

    fn connect(&self, path: &Path, has_log: bool, work: &Work) -> StoreResult<Connection> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let mut connection = if has_log {
                let connection =
                    Connection::open_with_flags_and_vfs(uri(path, "mode=ro"), flags, WITHOUT_LOCKS)?;
                connection.pragma_update(None, "locking_mode", "exclusive")?;
                connection
            } else {
                Connection::open_with_flags(uri(path, "mode=ro&immutable=1"), flags)?
            };
            harden(&mut connection, work, self.lenient.load(Ordering::Relaxed))?;
            Ok(connection)
        };
        open().map_err(|source| self.failure("opening it", source))
    }

    fn busy(&self, doing: &str) -> StoreError {
        StoreError::Busy { path: self.path.clone(), doing: doing.to_owned() }
    }

    /// What comes of asking for too much at once.
    pub(super) fn too_large(&self, doing: &str, most: usize) -> StoreError {
        StoreError::TooLarge { path: self.path.clone(), doing: doing.to_owned(), mebibytes: most >> 20 }
    }

    fn failure(&self, doing: &str, source: rusqlite::Error) -> StoreError {
        let (path, doing) = (self.path.clone(), doing.to_owned());
        match source.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => StoreError::Cancelled(Cancelled),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged { path, doing, source }
            }
            // A schema that cannot be parsed comes as a plain error.
            _ if ["malformed database schema", "unsupported file format"]
                .iter()
                .any(|words| source.to_string().contains(words)) =>
            {
                StoreError::Damaged { path, doing, source }
            }
            _ => StoreError::Sqlite { path, doing, source },
        }
    }
}

impl Reader<'_> {
    /// One read. `ask` may be called several times, and only its last answer counts.
    pub(super) fn read<T>(
        &mut self,
        doing: &str,
        ask: impl FnMut(&Connection) -> rusqlite::Result<T>,
    ) -> StoreResult<T> {
        let mut ask = ask;
        self.attempt(doing, TRIES, |connection, _| ask(connection))
    }

    /// The same, of pages or through SQLite. There is a [`Whole`] where pages may be decoded.
    pub(super) fn read_pages<T>(
        &mut self,
        doing: &str,
        ask: impl FnMut(&Connection, Option<Whole<'_>>) -> rusqlite::Result<T>,
    ) -> StoreResult<T> {
        self.attempt(doing, TRIES, ask)
    }

    /// A read whose answer is a judgement and not data, such as which columns look like what: if
    /// the file does not come to rest, the last answer will do.
    pub(super) fn read_loosely<T>(
        &mut self,
        doing: &str,
        mut ask: impl FnMut(&Connection) -> rusqlite::Result<T>,
    ) -> StoreResult<T> {
        let mut latest = None;
        let answer = self.attempt(doing, TRIES / 3, |connection, _| {
            latest = None;
            latest = Some(ask(connection)?);
            Ok(())
        });
        match (answer, latest) {
            (Ok(()) | Err(StoreError::Busy { .. }), Some(latest)) => Ok(latest),
            (Ok(()), None) => Err(self.access.busy(doing)),
            (Err(error), _) => Err(error),
        }
    }

    fn attempt<T>(
        &mut self,
        doing: &str,
        tries: u32,
        mut ask: impl FnMut(&Connection, Option<Whole<'_>>) -> rusqlite::Result<T>,
    ) -> StoreResult<T> {
        for attempt in 0..tries {
            self.work.advance(0)?;
            if self.look.is_none() {
                self.look = self.access.look(self.work, attempt + 1 < tries / 2)?;
                self.looks += 1;
            }
            if let Some(look) = &self.look {
                let whole = Whole { access: self.access, look: self.looks, picked: &look.picked };
                let answer = ask(&look.connection, look.is_whole(self.access).then_some(whole));
                if look.holds(&self.access.path)? {
                    return answer.map_err(|source| {
                        // Whatever it stumbled over, the next read begins afresh.
                        self.look = None;
                        self.access.failure(doing, source)
                    });
                }
            }
            self.look = None;
            if let Some(time) = rest_after(attempt) {
                self.work.wait(time)?;
            }
        }
        Err(self.access.busy(doing))
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(look) = self.look.take() {
            self.access.keep(look, self.work);
        }
    }
}

impl Look {
    fn new(connection: Connection, before: Sight, copy: Copied, reading: Reading) -> Self {
        Self { connection, before, copy, picked: RefCell::default(), _reading: reading }
    }

    /// Whether the file itself is all that is read.
    fn is_whole(&self, access: &Access) -> bool {
        matches!(self.copy, Copied::No)
            && self.before.log.is_none()
            && !self.before.is_torn()
            && !access.lenient.load(Ordering::Relaxed)
    }

    fn holds(&self, path: &Path) -> StoreResult<bool> {
        let after = Sight::take(path, Moment::After)?;
        Ok(match &self.copy {
            Copied::No => self.before.holds(&after),
            Copied::Back(copy) => copy.of == (after.database, after.journal.map(|journal| journal.mark)),
            Copied::Whole { .. } => true,
        })
    }
}

/// How long the writer is let go on: not at all at first, then up to 64 ms.
fn rest_after(attempt: u32) -> Option<Duration> {
    (attempt >= 3).then(|| Duration::from_millis(1 << (attempt / 4).min(6)))
}

/// Whether the error says that the file is damaged.
pub(super) fn is_damage(error: &StoreError) -> bool {
    matches!(error, StoreError::Damaged { .. })
}

/// How many pages are there, and how many should be, if some are missing.
fn missing_pages(sight: &Sight) -> Option<(u64, u32)> {
    let size = sight.header.page_size.max(512);
    let there = sight.database.size.div_ceil(size);
    let is_short = sight.log.is_none() && sight.database.size < u64::from(sight.header.pages) * size;
    is_short.then_some((there, sight.header.pages))
}

/// A folder for copies, removed with what is in it.
fn folder() -> std::io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("timeglass").tempdir()
}

fn probe(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// The path as SQLite's URI, every byte kept.
pub(crate) fn uri(path: &Path, parameters: &str) -> String {
    use std::fmt::Write as _;
    // A relative path would be taken for a machine's name.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = if cfg!(windows) {
        format!("/{}", path.to_string_lossy().replace('\\', "/")).into_bytes()
    } else {
        path.as_os_str().as_encoded_bytes().to_vec()
    };
    let mut uri = String::from("file://");
    for byte in text {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~' | b':') {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").ok();
        }
    }
    uri.push('?');
    uri.push_str(parameters);
    uri
}
