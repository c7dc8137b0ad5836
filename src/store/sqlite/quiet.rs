//! Our own readers step aside while we write.
//!
//! POSIX drops every lock that a process holds on a file as soon as the process closes any handle of that
//! file. Reads open and close the database and its log all the time without a lock, and would so take away
//! the locks of a transaction of ours: another program could then write into the middle of it. So whoever
//! has a store open is [`Door::reading`], and whoever writes waits for [`alone`].

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use crate::{
    store::sqlite::idle::IdleConnections,
    work::{Cancelled, Work},
};

/// The door of one file: many may be inside to read, or one to write.
#[derive(Debug, Default)]
pub(super) struct Door {
    inside: Mutex<Inside>,
    left: Condvar,
    /// Connections that wait for the next read: no hindrance, but closed before anybody writes.
    idle: Mutex<Vec<Weak<IdleConnections>>>,
}

#[derive(Debug, Default)]
struct Inside {
    readers: usize,
    has_writer: bool,
}

/// While this lives, nobody in this process writes into the store.
#[derive(Debug)]
pub(super) struct Reading(Arc<Door>);

/// While this lives, nobody else in this process has the store open.
#[derive(Debug)]
pub struct Alone(Arc<Door>);

/// One for each file that was ever open.
static DOORS: Mutex<BTreeMap<PathBuf, Arc<Door>>> = Mutex::new(BTreeMap::new());

/// Between two looks at whether waiting is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl Door {
    /// The door of a file; the same by whichever name it is reached.
    pub(super) fn of(path: &Path) -> Arc<Self> {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut doors = DOORS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(doors.entry(path).or_default())
    }

    /// Waits while somebody in this process writes. May be held several times by one thread: a writer that
    /// waits keeps nobody out.
    pub(super) fn reading(self: &Arc<Self>) -> Reading {
        let mut inside = self.lock();
        while inside.has_writer {
            inside = self.left.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        inside.readers += 1;
        Reading(Arc::clone(self))
    }

    /// From now on these are closed before anybody in this process writes.
    pub(super) fn tell(&self, idle: &Arc<IdleConnections>) {
        let mut told = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|other| other.strong_count() > 0);
        told.push(Arc::downgrade(idle));
    }

    fn close_idle(&self) {
        let told = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().filter_map(Weak::upgrade).for_each(|idle| idle.close());
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until every read of this file by this process has ended. Whoever holds it must not read the store by
/// other means.
pub fn alone(path: &Path, work: &Work) -> Result<Alone, Cancelled> {
    let door = Door::of(path);
    let mut inside = door.lock();
    while inside.readers > 0 || inside.has_writer {
        work.advance(0)?;
        let waited = door.left.wait_timeout(inside, LOOK_EVERY).unwrap_or_else(PoisonError::into_inner);
        inside = waited.0;
    }
    inside.has_writer = true;
    drop(inside);
    // Nobody reads, so none comes back after this.
    door.close_idle();
    Ok(Alone(door))
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.lock().readers -= 1;
        self.0.left.notify_all();
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.lock().has_writer = false;
        self.0.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, may_write: bool) {
        let work = Work::default();
        // Asked once: whoever would have to wait gives up.
        work.cancel();
        assert_eq!(alone(Path::new(path), &work).is_ok(), may_write, "{path}");
    }

    #[test]
    fn nobody_writes_while_somebody_reads() {
        let door = Door::of(Path::new("/no/such/store"));
        let (first, second) = (door.reading(), door.reading());
        check("/no/such/store", false);
        check("/no/such/other", true);
        drop(first);
        check("/no/such/store", false);
        drop(second);
        check("/no/such/store", true);
        let alone = alone(Path::new("/no/such/store"), &Work::default()).unwrap();
        check("/no/such/store", false);
        drop(alone);
        check("/no/such/store", true);
    }
}
