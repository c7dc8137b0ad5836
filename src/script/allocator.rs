//! Memory for one engine, counted.
//!
//! The engine's own hard limit is not safe: it crashes when it is reached at the wrong place. So a soft
//! limit is looked at whenever the engine asks whether to go on, single blocks beyond any need are
//! refused (which the engine survives, since little memory is in use then), and the engine is thrown
//! away afterwards.
//!
//! The same meter knows how deep the machine's stack is.

#![expect(unsafe_code, reason = "an allocator hands out raw memory, and the engine's trait for it is unsafe")]

use std::{
    alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc},
    cell::Cell,
    ptr,
    rc::Rc,
};

use rquickjs::allocator::Allocator;

/// What an engine uses now.
#[derive(Debug)]
pub(crate) struct Meter {
    used: Cell<usize>,
    limit: usize,
    is_refused: Cell<bool>,
    /// Where the stack stood when user code was called, and how far it may grow.
    stack_base: Cell<usize>,
    stack_room: usize,
    is_too_deep: Cell<bool>,
}

impl Meter {
    pub(crate) fn new(limit: usize, stack_room: usize) -> Rc<Self> {
        Rc::new(Self {
            used: Cell::new(0),
            limit,
            is_refused: Cell::new(false),
            stack_base: Cell::new(0),
            stack_room,
            is_too_deep: Cell::new(false),
        })
    }

    /// Whether the limit is passed, or a block beyond any need was asked for.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.is_refused.get() || self.used.get() > self.limit
    }

    /// How much is in use, in bytes.
    pub(crate) fn used(&self) -> usize {
        self.used.get()
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
    fn grants(&self, size: usize) -> bool {
        // One block never needs a quarter of all there is, and what passes the limit while the engine
        // is busy inside one of its own functions must end, too.
        let is_granted = size <= self.limit / 4 && self.used.get() <= self.limit.saturating_mul(3);
        if !is_granted {
            self.is_refused.set(true);
        }
        is_granted
    }

    fn add(&self, size: usize) {
        self.used.set(self.used.get().saturating_add(size));
    }

    fn subtract(&self, size: usize) {
        self.used.set(self.used.get().saturating_sub(size));
    }
}

/// About where the machine's stack stands; it grows downwards on every system that we run on.
#[inline]
fn stack_pointer() -> usize {
    let here = 0_u8;
    ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// Memory from Rust's own allocator, with the size of each block in front of it.
pub(crate) struct CountingAllocator(pub(crate) Rc<Meter>);

/// Keeps blocks aligned for everything that C puts into them.
const HEADER: usize = 16;

impl CountingAllocator {
    fn take(&self, size: usize, allocate: impl FnOnce(Layout) -> *mut u8) -> *mut u8 {
        let Some(layout) = layout(size).filter(|_| self.0.grants(size)) else { return ptr::null_mut() };
        let block = allocate(layout);
        if block.is_null() {
            return block;
        }
        self.0.add(layout.size());
        // SAFETY: the block has room for the header and `size` bytes, and is aligned to the header.
        unsafe {
            block.cast::<usize>().write_unaligned(size);
            block.add(HEADER)
        }
    }
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
}

/// The size of a block that was handed out.
///
/// # Safety
/// `block` came from [`CountingAllocator`] and was not given back.
unsafe fn size_of(block: *mut u8) -> usize {
    // SAFETY: each block handed out has its size in front of it.
    unsafe { block.sub(HEADER).cast::<usize>().read_unaligned() }
}

// SAFETY: blocks come from the global allocator with 16 bytes in front and 16-byte alignment; sizes are
// kept with each block, so that giving back and growing use the layout it was made with.
unsafe impl Allocator for CountingAllocator {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        // SAFETY: the layout is never of size zero, since the header counts.
        self.take(size, |layout| unsafe { alloc(layout) })
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        let Some(total) = count.checked_mul(size) else { return ptr::null_mut() };
        // SAFETY: as in `alloc`.
        self.take(total, |layout| unsafe { alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&mut self, block: *mut u8) {
        // SAFETY: the caller gives back what `alloc` handed out.
        let size = unsafe { size_of(block) };
        let Some(layout) = layout(size) else { return };
        self.0.subtract(layout.size());
        // SAFETY: this is the layout and the address that the block was made with.
        unsafe { dealloc(block.sub(HEADER), layout) };
    }

    unsafe fn realloc(&mut self, block: *mut u8, new_size: usize) -> *mut u8 {
        if block.is_null() {
            return self.alloc(new_size);
        }
        // SAFETY: the caller hands in what `alloc` handed out.
        let old = layout(unsafe { size_of(block) });
        let (Some(old), Some(new)) = (old, layout(new_size)) else { return ptr::null_mut() };
        if new.size() > old.size() && !self.0.grants(new_size) {
            return ptr::null_mut();
        }
        // SAFETY: address and layout are those that the block was made with; the new size is not zero.
        let grown = unsafe { realloc(block.sub(HEADER), old, new.size()) };
        if grown.is_null() {
            return grown;
        }
        self.0.subtract(old.size());
        self.0.add(new.size());
        // SAFETY: as in `take`.
        unsafe {
            grown.cast::<usize>().write_unaligned(new_size);
            grown.add(HEADER)
        }
    }

    unsafe fn usable_size(block: *mut u8) -> usize {
        // SAFETY: the caller hands in what `alloc` handed out.
        unsafe { size_of(block) }
    }
}
