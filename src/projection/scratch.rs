//! The database that read models are rebuilt into: ours, and none of the user's.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig, limits::Limit};

use crate::{projection::guard::Guard, work::Work};

/// Marks a file as a scratch database, in its header: `TGRM`.
const MARK: i32 = 0x5447_524d;

/// How long one connection waits for another's transaction.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database of ours with one rebuilt read model, its history, and how far it came.
///
/// Shared freely; every question opens its own connection. A temporary one goes away with its last owner.
#[derive(Debug, Clone)]
pub struct Scratch {
    path: PathBuf,
    _folder: Option<Arc<tempfile::TempDir>>,
}

/// Why the scratch database did not serve.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// The system gave no folder for temporary files.
    #[error("no temporary folder can be made for the scratch database")]
    Folder {
        /// What the system said.
        source: std::io::Error,
    },
    /// The file or its folder cannot be made or read.
    #[error("the scratch database {} cannot be used", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is somebody else's: it is not touched.
    #[error("{} is no scratch database of ours, and is left alone; name a new file", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// SQLite refused.
    #[error("the scratch database {} failed while {doing}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What we were doing.
        doing: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl Scratch {
    /// One in the folder for temporary files.
    pub fn temporary() -> Result<Self, ScratchError> {
        let failed = |source| ScratchError::Folder { source };
        let folder = tempfile::Builder::new().prefix("timeglass").tempdir().map_err(failed)?;
        Ok(Self { path: folder.path().join("read-model.sqlite"), _folder: Some(Arc::new(folder)) })
    }

    /// One in a file that stays, so that a rebuild can go on later. A file that is there already is used if
    /// it is a scratch database of ours, and never written to if it is anything else.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), _folder: None }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A connection that writes, with the bounds of a projection's SQL around it. Makes the file.
    pub(super) fn writer(&self, work: &Work) -> Result<(Connection, Guard), ScratchError> {
        let doing = "it was opened";
        self.check_mark()?;
        let mut connection = Connection::open(&self.path).map_err(self.failed(doing))?;
        connection.busy_timeout(PATIENCE).map_err(self.failed(doing))?;
        let set_up = |connection: &mut Connection| {
            // What a power cut destroys is rebuilt.
            connection.pragma_update(None, "synchronous", "OFF")?;
            // Before the log begins, so that the mark stands in the file itself.
            connection.pragma_update(None, "application_id", MARK)?;
            // Readers go on while a rebuild writes.
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "cache_size", -65_536)?;
            connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
            Guard::set_up(connection, work)
        };
        let guard = set_up(&mut connection).map_err(self.failed(doing))?;
        Ok((connection, guard))
    }

    /// A connection that reads.
    pub(super) fn reader(&self, work: &Work) -> Result<Connection, ScratchError> {
        let doing = "it was opened to be read";
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        self.check_mark()?;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(self.failed(doing))?;
        connection.busy_timeout(PATIENCE).map_err(self.failed(doing))?;
        let set_up = |mut connection: Connection| {
            connection.pragma_update(None, "query_only", true)?;
            connection.pragma_update(None, "cache_size", -16_384)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
            let work = work.clone();
            connection.progress_handler(10_000, Some(move || work.is_cancelled()))?;
            Ok(connection)
        };
        set_up(connection).map_err(self.failed(doing))
    }

    /// Empties it, even while others read.
    pub(super) fn clear(&self, connection: &Connection) -> Result<(), ScratchError> {
        let clear = || {
            let is_empty: bool =
                connection.query_row("SELECT count(*) = 0 FROM sqlite_master", [], |row| row.get(0))?;
            if is_empty {
                return Ok(());
            }
            // VACUUM attaches a database of its own.
            connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 1)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, true)?;
            let vacuumed = connection.execute_batch("VACUUM");
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, false)?;
            connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
            vacuumed?;
            connection.pragma_update(None, "application_id", MARK)
        };
        clear().map_err(self.failed("it was emptied"))
    }

    /// Wraps what SQLite said.
    pub(super) fn failed(&self, doing: &str) -> impl FnOnce(rusqlite::Error) -> ScratchError + use<> {
        let (path, doing) = (self.path.clone(), doing.to_owned());
        move |source| ScratchError::Sqlite { path, doing, source }
    }

    /// An empty file may be ours; any other has to say so in its header. Nothing but the header is looked at,
    /// so that not even a log beside a stranger's database is touched.
    fn check_mark(&self) -> Result<(), ScratchError> {
        let failed = |source| ScratchError::File { path: self.path.clone(), source };
        let mut header = Vec::new();
        match fs::File::open(&self.path) {
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened.and_then(|file| file.take(100).read_to_end(&mut header)).map_err(failed)?,
        };
        let is_database = header.starts_with(b"SQLite format 3\0");
        let is_marked = header.get(68..72).is_some_and(|mark| mark == MARK.to_be_bytes());
        if header.is_empty() || (is_database && is_marked) {
            return Ok(());
        }
        Err(ScratchError::Foreign { path: self.path.clone() })
    }
}
