//! Our own readers step aside while we write.
//!
//! POSIX drops every lock that a process holds on a file as soon as the process closes any handle of that
//! file. Reads open and close the database and its log all the time without a lock, and would so take away
//! the locks of a transaction of ours: another program could then write into the middle of it. So whoever
//! has a store open holds [`reading`], and whoever writes waits for [`alone`].

use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use crate::{
    store::sqlite::access::pause,
    work::{Cancelled, Work},
};

static DOOR: RwLock<()> = RwLock::new(());

/// While this lives, nobody in this process writes into a store.
#[derive(Debug)]
pub(super) struct Reading(#[expect(dead_code, reason = "held, not used")] RwLockReadGuard<'static, ()>);

/// While this lives, nobody else in this process has a store open.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "held, not used")] RwLockWriteGuard<'static, ()>);

/// Waits while somebody in this process writes. May be held several times by one thread: a writer only ever
/// tries, so that none stands between two readers.
pub(super) fn reading() -> Reading {
    Reading(DOOR.read().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Waits until every read of this process has ended. Whoever holds it must not read a store by other means.
pub fn alone(work: &Work) -> Result<Alone, Cancelled> {
    let mut attempt = 0;
    loop {
        match DOOR.try_write() {
            Ok(guard) => return Ok(Alone(guard)),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(Alone(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => {
                work.advance(0)?;
                pause(attempt);
                attempt = (attempt + 1).min(16);
            }
        }
    }
}
