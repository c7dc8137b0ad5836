//! Memory for one engine, counted by its [`Meter`].

use std::{
    alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc},
    ptr,
    rc::Rc,
};

use rquickjs::allocator::Allocator;

use crate::script::meter::Meter;

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
