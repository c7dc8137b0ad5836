//! The copy that is made before anything is written.

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use crate::{
    model::Timestamp,
    publish::{PublishError, Step, apply::Observer, guard},
    store::{
        EventsHead,
        layout::EventsTable,
        sqlite::{events_head, uri},
    },
    work::Work,
};

/// Where the copy goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BackupPlace {
    /// Beside the store: `shop.sqlite.backup-20240301-093000`.
    #[default]
    Beside,
    /// Into this file, which must not be there yet.
    At(PathBuf),
}

/// A copy that goes away with this, unless it is kept.
#[derive(Debug)]
pub(super) struct Copy {
    path: PathBuf,
    is_kept: bool,
}

/// Pages that are copied between two looks at whether the work is still wanted.
const PAGES_A_STEP: i32 = 500;

/// So often a copy may begin anew because another program wrote; then it is made in one go.
const FRESH_STARTS: u32 = 3;

/// So often a name is tried with another number behind it.
const NAMES: u32 = 100;

impl BackupPlace {
    /// The files to try, the best first.
    fn names(&self, store: &Path, at: Timestamp) -> Vec<PathBuf> {
        let Self::Beside = self else {
            return match self {
                Self::At(path) => vec![path.clone()],
                Self::Beside => Vec::new(),
            };
        };
        let digits: String = at.to_rfc3339().chars().take(19).filter(char::is_ascii_digit).collect();
        let (date, time) = digits.split_at_checked(8).unwrap_or((&digits, ""));
        let mut name = store.as_os_str().to_owned();
        name.push(format!(".backup-{date}-{time}"));
        let numbered = |number: u32| {
            let mut name = name.clone();
            name.push(format!("-{number}"));
            PathBuf::from(name)
        };
        std::iter::once(PathBuf::from(&name)).chain((2..=NAMES).map(numbered)).collect()
    }
}

impl Copy {
    /// Makes a new, empty file that only the store's own readers may read.
    fn create(store: &Path, place: &BackupPlace, at: Timestamp) -> Result<Self, PublishError> {
        for path in place.names(store, at) {
            // Said and noted as it is found from anywhere.
            let path = std::path::absolute(&path).unwrap_or(path);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let copy = Self { path, is_kept: false };
                    let rights = fs::metadata(store).map(|store| store.permissions());
                    rights
                        .and_then(|rights| file.set_permissions(rights))
                        .map_err(|err| copy.failed(&err))?;
                    return Ok(copy);
                }
                Err(err) if err.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(err) => return Err(PublishError::Backup { path, reason: err.to_string() }),
            }
        }
        let path = place.names(store, at).into_iter().next().unwrap_or_default();
        Err(PublishError::BackupExists { path })
    }

    /// Copies the database, and checks and keeps what was copied.
    pub(super) fn make(
        work: &Work,
        source: &Connection,
        store: &Path,
        place: (&BackupPlace, Timestamp),
        observe: Observer<'_>,
    ) -> Result<Self, PublishError> {
        let copy = Self::create(store, place.0, place.1)?;
        let mut target = Connection::open_with_flags(
            uri(&copy.path, "mode=rw"),
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(|err| copy.failed(&err))?;
        // A copy that is not finished is thrown away, so it needs no journal; it is put on the disk below.
        let quick = target
            .pragma_update(None, "journal_mode", "off")
            .and_then(|()| target.pragma_update(None, "synchronous", "off"));
        quick.map_err(|err| copy.failed(&err))?;
        copy.fill(work, source, &mut target, observe)?;
        target.close().map_err(|(_, err)| copy.failed(&err))?;
        copy.settle().map_err(|err| copy.failed(&err))?;
        Ok(copy)
    }

    fn fill(
        &self,
        work: &Work,
        source: &Connection,
        target: &mut Connection,
        observe: Observer<'_>,
    ) -> Result<(), PublishError> {
        let backup = Backup::new(source, target).map_err(|err| self.failed(&err))?;
        let (mut copied, mut starts, mut waits) = (0, 0, 0);
        loop {
            work.advance(0)?;
            let pages = if starts < FRESH_STARTS { PAGES_A_STEP } else { -1 };
            match backup.step(pages).map_err(|err| self.failed(&err))? {
                StepResult::Done => break,
                StepResult::More => waits = 0,
                // SQLite has waited for as long as we are patient already.
                _ if waits >= 1 => {
                    let path = source.path().unwrap_or_default().into();
                    return Err(PublishError::Busy { path, doing: "it is copied" });
                }
                _ => waits += 1,
            }
            let progress = backup.progress();
            let now = u64::try_from(progress.pagecount - progress.remaining).unwrap_or_default();
            starts += u32::from(now < copied);
            work.advance(now.saturating_sub(copied))?;
            copied = now;
            observe(Step::Copied(copied))?;
        }
        Ok(())
    }

    /// Puts the file and its name on the disk.
    fn settle(&self) -> std::io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        if let Some(folder) = self.path.parent().filter(|_| cfg!(unix)) {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Reads all of the copy: it must be sound, as long as it says, and hold the same events.
    pub(super) fn check(&self, events: &EventsTable, head: &EventsHead) -> Result<(), PublishError> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // Nobody else has it open, and no log is to appear beside it.
        let connection = Connection::open_with_flags(uri(&self.path, "mode=ro&immutable=1"), flags)
            .map_err(|err| self.failed(&err))?;
        guard::settle(&connection, Duration::ZERO).map_err(|err| self.failed(&err))?;
        let number = |pragma: &str| {
            let value = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0));
            value.map(i64::unsigned_abs).map_err(|err| self.failed(&err))
        };
        let size = number("page_count")? * number("page_size")?;
        if fs::metadata(&self.path).map_err(|err| self.failed(&err))?.len() != size {
            return Err(self.failed(&"it is not as long as it should be"));
        }
        let verdict: String = connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(|err| self.failed(&err))?;
        if verdict != "ok" {
            return Err(PublishError::Damaged { path: self.path.clone(), reason: verdict });
        }
        if events_head(&connection, events).map_err(|err| self.failed(&err))? != *head {
            return Err(self.failed(&"it does not hold the same events"));
        }
        Ok(())
    }

    /// Lets the copy stay.
    pub(super) fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }

    fn failed(&self, reason: &dyn std::fmt::Display) -> PublishError {
        PublishError::Backup { path: self.path.clone(), reason: reason.to_string() }
    }
}

/// Nothing was written, so there is nothing to go back from.
impl Drop for Copy {
    fn drop(&mut self) {
        if !self.is_kept {
            // What cannot be removed stays; it harms nobody.
            fs::remove_file(&self.path).ok();
        }
    }
}
