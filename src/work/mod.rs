//! What every long computation is given: a way to stop, a way to say how far it is, and lanes to
//! spread its pieces over.
//!
//! Nothing here knows threads, so that a test, a command line and a worker run the same code.

pub mod estimate;

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// The work was no longer wanted. Not a fault: the window never shows it, and a command that Ctrl+C ended says no
/// more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work was stopped")]
pub struct Cancelled;

/// One piece of work that may run beside others.
pub type Piece<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs pieces of work, side by side where it can, and returns when all of them have ended.
pub trait Lanes: Send + Sync {
    /// How many pieces make sense at once.
    fn width(&self) -> usize;

    /// Runs every piece to its end.
    fn run(&self, pieces: Vec<Piece<'_>>);

    /// Runs a piece on another lane while `own` runs on the caller's, if it can; returns when both have ended.
    fn beside(&self, piece: Piece<'_>, own: &mut dyn FnMut()) {
        piece();
        own();
    }
}

/// Handed down through every call that may take longer than a frame.
#[derive(Clone, Default)]
pub struct Work {
    shared: Arc<Shared>,
    lanes: Option<Arc<dyn Lanes>>,
    /// Stops it from outside, along with all other work that has it.
    stop: Option<Arc<AtomicBool>>,
}

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    done: AtomicU64,
    /// Steps that were done before this work began, by work that it goes on with.
    before: AtomicU64,
    total: AtomicU64,
    /// For those who wait for the work to be stopped.
    waiting: Mutex<()>,
    stopped: Condvar,
}

impl Work {
    /// Work whose pieces may run side by side on `lanes`.
    #[must_use]
    pub fn with_lanes(lanes: Arc<dyn Lanes>) -> Self {
        Self { lanes: Some(lanes), ..Self::default() }
    }

    /// The same work, stopped as well as soon as this is set: one signal of the system for all that a command does.
    #[must_use]
    pub fn stopped_by(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Stops the work at its next step.
    pub fn cancel(&self) {
        let _waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.cancelled.store(true, Ordering::Relaxed);
        self.shared.stopped.notify_all();
    }

    /// Does nothing for so long, or until the work is stopped.
    pub fn wait(&self, time: Duration) -> Result<(), Cancelled> {
        let waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let still_wanted = |(): &mut ()| !self.is_cancelled();
        // Whoever panicked while holding this lock left nothing half done.
        drop(self.shared.stopped.wait_timeout_while(waiting, time, still_wanted));
        self.advance(0)
    }

    /// Whether somebody asked it to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
            || self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Counts `steps` as done, and is the one place where cancellation is noticed.
    pub fn advance(&self, steps: u64) -> Result<(), Cancelled> {
        self.shared.done.fetch_add(steps, Ordering::Relaxed);
        if self.is_cancelled() {
            return Err(Cancelled);
        }
        Ok(())
    }

    /// Says that so many steps were done before, by work that this one goes on with.
    pub fn goes_on_from(&self, steps: u64) {
        self.shared.before.store(steps, Ordering::Relaxed);
        self.shared.done.fetch_add(steps, Ordering::Relaxed);
    }

    /// Steps that this work did itself.
    #[must_use]
    pub fn own_steps(&self) -> u64 {
        let before = self.shared.before.load(Ordering::Relaxed);
        self.shared.done.load(Ordering::Relaxed).saturating_sub(before)
    }

    /// Says how many steps there are, when that is known.
    pub fn expect_total(&self, steps: u64) {
        self.shared.total.store(steps, Ordering::Relaxed);
    }

    /// Steps done, and steps in all if known.
    #[must_use]
    pub fn progress(&self) -> (u64, Option<u64>) {
        let total = self.shared.total.load(Ordering::Relaxed);
        (self.shared.done.load(Ordering::Relaxed), (total > 0).then_some(total))
    }

    /// How many pieces make sense at once; 1 without lanes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.lanes.as_ref().map_or(1, |lanes| lanes.width())
    }

    /// Runs all pieces and returns when they have ended; one after the other without lanes.
    pub fn run(&self, pieces: Vec<Piece<'_>>) {
        match &self.lanes {
            Some(lanes) => lanes.run(pieces),
            None => pieces.into_iter().for_each(|piece| piece()),
        }
    }

    /// Runs a piece beside `own`, which stays on the caller's thread; one after the other without lanes.
    pub fn beside(&self, piece: Piece<'_>, own: &mut dyn FnMut()) {
        match &self.lanes {
            Some(lanes) if lanes.width() > 1 => lanes.beside(piece, own),
            Some(_) | None => {
                piece();
                own();
            }
        }
    }
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work")
            .field("shared", &self.shared)
            .field("width", &self.width())
            .finish_non_exhaustive()
    }
}
