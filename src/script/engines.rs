//! What all engines of the process take together.
//!
//! Engines live on many threads and are counted by their own meters; here stands the sum, for those who share
//! memory between engines and everything else. It is rough: each meter speaks up when it is off by so much that it
//! matters. Nothing that is answered depends on it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A meter is at most so many bytes off.
pub(crate) const GRAIN: usize = 64 << 10;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static IDLE_BOUND: AtomicUsize = AtomicUsize::new(32 << 20);

/// What engines take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EngineFigures {
    /// How many there are, at work or waiting for the next fold.
    pub count: usize,
    /// What they take together, in bytes: their heaps, and the images of states that lie in them.
    pub bytes: usize,
}

impl EngineFigures {
    /// What all engines of the process take now.
    #[must_use]
    pub fn now() -> Self {
        Self { count: COUNT.load(Ordering::Relaxed), bytes: BYTES.load(Ordering::Relaxed) }
    }
}

/// From now on engines wait for the next fold only as long as all engines together take no more than so many bytes.
pub fn bound_idle_engines(bytes: usize) {
    IDLE_BOUND.store(bytes, Ordering::Relaxed);
}

/// Whether engines that wait should be let go.
#[must_use]
pub fn are_engines_too_large() -> bool {
    BYTES.load(Ordering::Relaxed) > IDLE_BOUND.load(Ordering::Relaxed)
}

pub(crate) fn begin() {
    COUNT.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn end() {
    COUNT.fetch_sub(1, Ordering::Relaxed);
}

/// What one engine took when it last said so becomes what it takes now.
pub(crate) fn change(before: usize, now: usize) {
    if now >= before {
        BYTES.fetch_add(now - before, Ordering::Relaxed);
    } else {
        BYTES.fetch_sub(before - now, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use crate::script::meter::Meter;

    use super::*;

    /// Others run beside this, so only a large share of an engine is looked for.
    #[test]
    fn what_an_engine_takes_is_told_and_taken_back() {
        const LARGE: usize = 1 << 40;
        let meter = Meter::new(usize::MAX, 0);
        meter.add(GRAIN / 2);
        meter.add(LARGE);
        assert!(EngineFigures::now().bytes >= LARGE && EngineFigures::now().count > 0);
        assert!(are_engines_too_large());
        meter.subtract(LARGE);
        assert!(EngineFigures::now().bytes < LARGE);
        meter.note_images(0, LARGE);
        assert!(EngineFigures::now().bytes >= LARGE && meter.used() < LARGE);
        drop(meter);
        assert!(EngineFigures::now().bytes < LARGE);
    }
}
