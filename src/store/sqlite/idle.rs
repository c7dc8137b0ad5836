//! Connections that wait for the next read.
//!
//! Opening one takes longer than most reads. A connection is used again only while the files look
//! exactly as when it was opened ([`Sight`]), so that neither a page nor a part of the schema that it
//! remembers can be of another moment. It goes when the files change, when nobody needed it for a few
//! looks at the file, when a writer of ours wants to be alone, and with its store.

use std::{
    cell::RefCell,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::Connection;

use crate::store::sqlite::{access::Copied, file::Sight, picked::Picked};

/// A connection on which nothing is asked.
#[derive(Debug)]
pub(super) struct Idle {
    pub(super) connection: Connection,
    /// What the files looked like before it was opened.
    pub(super) before: Sight,
    pub(super) copy: Copied,
    /// Pages that are read beside it, of the same file.
    pub(super) picked: RefCell<Picked>,
}

/// The idle connections of one store.
#[derive(Debug, Default)]
pub(super) struct IdleConnections {
    waiting: Mutex<Vec<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    idle: Idle,
    /// How often the file was looked at since it was used.
    looks: u32,
}

impl IdleConnections {
    /// Looks at the file after which a connection that nobody used is closed; a window looks about once a
    /// second.
    const MOST_LOOKS: u32 = 10;

    /// Keeps a connection, if no more than `most` wait then.
    pub(super) fn keep(&self, idle: Idle, most: usize) {
        // On Windows an open file can be neither renamed nor deleted by its owner.
        if cfg!(windows) {
            return;
        }
        let mut waiting = self.lock();
        // A private copy takes room on the disk: one is enough.
        let is_one_copy_too_many =
            idle.copy.is_private() && waiting.iter().any(|other| other.idle.copy.is_private());
        if waiting.len() < most && !is_one_copy_too_many {
            waiting.push(Waiting { idle, looks: 0 });
        }
    }

    /// A connection that still tells what the files hold, if they look like this now. All others are closed.
    pub(super) fn take(&self, now: &Sight) -> Option<Idle> {
        let mut waiting = self.lock();
        waiting.retain(|other| other.idle.before == *now);
        waiting.pop().map(|other| other.idle)
    }

    /// The file was looked at: closes what is not needed any more.
    pub(super) fn looked(&self, now: &Sight) {
        self.lock().retain_mut(|other| {
            other.looks += 1;
            other.idle.before == *now && other.looks <= Self::MOST_LOOKS
        });
    }

    /// Closes all.
    pub(super) fn close(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use crate::{
        store::sqlite::{access::Access, quiet::alone},
        work::{Lanes, Piece, Work},
    };

    use super::*;

    /// Two lanes, one after the other.
    struct Two;

    impl Lanes for Two {
        fn width(&self) -> usize {
            2
        }

        fn run(&self, pieces: Vec<Piece<'_>>) {
            for piece in pieces {
                piece();
            }
        }
    }

    fn written(path: &Path, sql: &str) {
        Connection::open(path).unwrap().execute_batch(sql).unwrap();
    }

    /// Asks for the sum, and checks whether it comes over a connection that was used before.
    fn check(access: &Access, work: &Work, expected: i64, is_kept: bool) {
        let mut reader = access.reader(work);
        let (sum, mark) = reader
            .read("adding", |connection| {
                let sum = connection.query_row("SELECT sum(a) FROM t", [], |row| row.get::<_, i64>(0))?;
                // A statement that was asked for before is prepared no more.
                let prepared = connection.prepare_cached("SELECT 1")?;
                let mark = prepared.get_status(rusqlite::StatementStatus::Run);
                drop(prepared);
                connection.prepare_cached("SELECT 1")?.query_row([], |_| Ok(()))?;
                Ok((sum, mark))
            })
            .unwrap();
        assert_eq!((sum, mark > 0), (expected, is_kept));
    }

    #[test]
    fn a_connection_is_used_again_until_the_file_changes_or_is_ours_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.sqlite");
        written(&path, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
        let work = Work::with_lanes(Arc::new(Two));
        let access = Access::open(&path, &work).unwrap();
        check(&access, &work, 1, false);
        check(&access, &work, 1, true);
        written(&path, "INSERT INTO t VALUES (2)");
        check(&access, &work, 3, false);
        check(&access, &work, 3, true);
        // Another file under the same name, as old, as long, and with the same counter.
        let other = folder.path().join("other.sqlite");
        std::fs::copy(&path, &other).unwrap();
        std::fs::rename(&other, &path).unwrap();
        check(&access, &work, 3, false);
        drop(alone(&path, &work).unwrap());
        check(&access, &work, 3, false);
        // Nobody needs it for a while.
        for _ in 0..=IdleConnections::MOST_LOOKS {
            access.head().unwrap();
        }
        check(&access, &work, 3, false);
        drop(access.reader(&work));
        check(&access, &work, 3, true);
    }
}
