//! Memory for one engine, counted by its [`Meter`].

use std::{
    alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc},
    ptr,
    rc::Rc,
};

use rquickjs::allocator::Allocator;

use crate::script::meter::Meter;

/// Memory from Rust's own allocator, with a [`Header`] in front of each block.
///
/// All blocks hang together, so that what the engine forgets is taken back when it ends: it forgets texts that it has
/// no memory to hand out, and a script could have that happen again and again.
pub(crate) struct CountingAllocator {
    meter: Rc<Meter>,
    /// The block that was handed out last, if any is left.
    last: *mut Header,
}

/// What stands in front of a block. Keeps blocks aligned for everything that C puts into them.
#[repr(C, align(16))]
struct Header {
    /// Of the block itself.
    size: usize,
    /// Those handed out before and after it; null at the ends.
    before: *mut Self,
    after: *mut Self,
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(size_of::<Header>())?, align_of::<Header>()).ok()
}

fn as_header(block: *mut u8) -> *mut Header {
    block.cast()
}

/// # Safety
/// `block` came from [`CountingAllocator`] and was not given back.
unsafe fn header_of(block: *mut u8) -> *mut Header {
    // SAFETY: each block handed out has its header in front of it.
    unsafe { as_header(block).sub(1) }
}

impl CountingAllocator {
    pub(crate) fn new(meter: Rc<Meter>) -> Self {
        Self { meter, last: ptr::null_mut() }
    }

    fn take(&mut self, size: usize, allocate: impl FnOnce(Layout) -> *mut u8) -> *mut u8 {
        let Some(layout) = layout(size).filter(|_| self.meter.grants(size)) else { return ptr::null_mut() };
        let header = as_header(allocate(layout));
        if header.is_null() {
            return ptr::null_mut();
        }
        self.meter.add(layout.size());
        // SAFETY: there is room for the header and `size` bytes, aligned to the header.
        unsafe {
            header.write(Header { size, before: self.last, after: ptr::null_mut() });
            self.link(header);
            header.add(1).cast()
        }
    }

    /// Makes its neighbours know a block.
    ///
    /// # Safety
    /// It is a header of this allocator with live neighbours.
    unsafe fn link(&mut self, header: *mut Header) {
        // SAFETY: the caller says so.
        unsafe {
            if let Some(before) = (*header).before.as_mut() {
                before.after = header;
            }
            match (*header).after.as_mut() {
                Some(after) => after.before = header,
                None => self.last = header,
            }
        }
    }

    /// Gives a block back.
    ///
    /// # Safety
    /// It is a header of this allocator, and its block is not used any more.
    unsafe fn give_back(&mut self, header: *mut Header) -> usize {
        // SAFETY: the caller says so; its neighbours are live, and this is the layout that it was made with.
        unsafe {
            let Header { size, before, after } = header.read();
            if let Some(before) = before.as_mut() {
                before.after = after;
            }
            match after.as_mut() {
                Some(after) => after.before = before,
                None => self.last = before,
            }
            let Some(layout) = layout(size) else { return 0 };
            dealloc(header.cast(), layout);
            layout.size()
        }
    }
}

impl Drop for CountingAllocator {
    fn drop(&mut self) {
        while !self.last.is_null() {
            // SAFETY: the engine has ended, so nobody uses what it has not given back.
            let lost = unsafe { self.give_back(self.last) };
            self.meter.note_lost(lost);
        }
    }
}

// SAFETY: blocks come from the global allocator with a header in front, aligned to 16 bytes; sizes are kept with each
// block, so that giving back and growing use the layout it was made with.
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
        let size = unsafe { self.give_back(header_of(block)) };
        self.meter.subtract(size);
    }

    unsafe fn realloc(&mut self, block: *mut u8, new_size: usize) -> *mut u8 {
        if block.is_null() {
            return self.alloc(new_size);
        }
        // SAFETY: the caller hands in what `alloc` handed out; its header is live.
        let (header, old) = unsafe { (header_of(block), layout((*header_of(block)).size)) };
        let (Some(old), Some(new)) = (old, layout(new_size)) else { return ptr::null_mut() };
        if new.size() > old.size() && !self.meter.grants(new_size) {
            return ptr::null_mut();
        }
        // SAFETY: address and layout are those that the block was made with; the new size is not zero. The header
        // moves along, and its neighbours are told where it is.
        unsafe {
            let grown = as_header(realloc(header.cast(), old, new.size()));
            if grown.is_null() {
                return ptr::null_mut();
            }
            (*grown).size = new_size;
            self.link(grown);
            self.meter.subtract(old.size());
            self.meter.add(new.size());
            grown.add(1).cast()
        }
    }

    unsafe fn usable_size(block: *mut u8) -> usize {
        // SAFETY: the caller hands in what `alloc` handed out.
        unsafe { (*header_of(block)).size }
    }
}
