//! What one engine takes: memory, and how deep it stands on the machine's stack.
//!
//! The engine's own hard limit is not safe: it crashes when it is reached at the wrong place. So a soft
//! limit is looked at whenever the engine asks whether to go on, single blocks beyond any need are
//! refused (which the engine survives, since little memory is in use then), and the engine is thrown
//! away afterwards.

use std::{cell::Cell, ptr, rc::Rc};

use crate::script::engines;

/// What an engine uses now.
#[derive(Debug)]
pub(crate) struct Meter {
    used: Cell<usize>,
    /// What images of states take beside it.
    images: Cell<usize>,
    /// What everybody was told last of both.
    told: Cell<usize>,
    /// What the engine had not given back at its end.
    lost: Cell<usize>,
    limit: usize,
    is_refused: Cell<bool>,
    /// Where the stack stood when user code was called, and how far it may grow.
    stack_base: Cell<usize>,
    stack_room: usize,
    is_too_deep: Cell<bool>,
    /// So many more blocks are granted, for trying what comes of a refusal.
    #[cfg(test)]
    granted: Cell<Option<usize>>,
}

impl Meter {
    pub(crate) fn new(limit: usize, stack_room: usize) -> Rc<Self> {
        engines::begin();
        Rc::new(Self {
            used: Cell::new(0),
            images: Cell::new(0),
            told: Cell::new(0),
            lost: Cell::new(0),
            limit,
            is_refused: Cell::new(false),
            stack_base: Cell::new(0),
            stack_room,
            is_too_deep: Cell::new(false),
            #[cfg(test)]
            granted: Cell::new(None),
        })
    }

    /// From now on so many more blocks are granted, and then none; all, if it says nothing.
    #[cfg(test)]
    pub(crate) fn grant(&self, granted: Option<usize>) {
        self.granted.set(granted);
        self.is_refused.set(false);
    }

    /// Whether the limit is passed, or a block beyond any need was asked for.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.is_refused.get() || self.used.get() > self.limit
    }

    /// How much is in use, in bytes.
    pub(crate) fn used(&self) -> usize {
        self.used.get()
    }

    /// How much the engine had not given back when it ended, in bytes; it was taken back then.
    #[cfg(test)]
    pub(crate) fn lost(&self) -> usize {
        self.lost.get()
    }

    pub(crate) fn note_lost(&self, bytes: usize) {
        self.lost.set(self.lost.get().saturating_add(bytes));
        self.subtract(bytes);
    }

    /// Whether user code called itself too deep since the last call into it began.
    pub(crate) fn is_too_deep(&self) -> bool {
        self.is_too_deep.get()
    }

    /// Notes where the stack stands as user code is called from outside.
    pub(crate) fn begin_call(&self) {
        self.stack_base.set(stack_pointer());
        self.is_too_deep.set(false);
    }

    /// Looks how deep the stack is; what it saw is remembered until the next call.
    pub(crate) fn look_at_depth(&self) {
        let depth = self.stack_base.get().saturating_sub(stack_pointer());
        if depth > self.stack_room {
            self.is_too_deep.set(true);
        }
    }

    /// Whether a block of that size may be had.
    #[inline]
    pub(crate) fn grants(&self, size: usize) -> bool {
        #[cfg(test)]
        if let Some(left) = self.granted.get() {
            self.granted.set(Some(left.saturating_sub(1)));
            if left == 0 {
                self.is_refused.set(true);
                return false;
            }
        }
        // One block never needs a quarter of all there is, and what passes the limit while the engine
        // is busy inside one of its own functions must end, too.
        let is_granted = size <= self.limit / 4 && self.used.get() <= self.limit.saturating_mul(3);
        if !is_granted {
            self.is_refused.set(true);
        }
        is_granted
    }

    #[inline]
    pub(crate) fn add(&self, size: usize) {
        self.used.set(self.used.get().saturating_add(size));
        self.tell();
    }

    #[inline]
    pub(crate) fn subtract(&self, size: usize) {
        self.used.set(self.used.get().saturating_sub(size));
        self.tell();
    }

    /// An image of a state takes another amount now, in bytes. That counts for what everybody is told, not for the
    /// limit: no script can help it.
    #[inline]
    pub(crate) fn note_images(&self, before: usize, now: usize) {
        self.images.set(self.images.get().saturating_sub(before).saturating_add(now));
        self.tell();
    }

    #[inline]
    fn tell(&self) {
        let now = self.used.get().saturating_add(self.images.get());
        let told = self.told.get();
        if now.abs_diff(told) > engines::GRAIN {
            engines::change(told, now);
            self.told.set(now);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        engines::change(self.told.get(), 0);
        engines::end();
    }
}

/// About where the machine's stack stands; it grows downwards on every system that we run on.
#[inline]
fn stack_pointer() -> usize {
    let here = 0_u8;
    ptr::from_ref(std::hint::black_box(&here)).addr()
}
