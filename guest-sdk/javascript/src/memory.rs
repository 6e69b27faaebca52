//! The engine's memory: that of the C library, and a reserve for the error of a script that has used
//! all of it.
//!
//! With no memory for an error object, the engine throws null, and the report of an error needs
//! memory as well.

use std::cell::Cell;

use rquickjs::allocator::Allocator;

/// The bytes of the reserve. They are not written to.
const RESERVE: usize = 16 * 1024;

thread_local! {
    static RESERVED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

unsafe extern "C" {
    fn malloc(size: usize) -> *mut u8;
    fn calloc(count: usize, size: usize) -> *mut u8;
    fn realloc(block: *mut u8, size: usize) -> *mut u8;
    fn free(block: *mut u8);
    fn malloc_usable_size(block: *mut u8) -> usize;
}

/// Whether there was no memory for something since the reserve was made.
pub fn has_run_out() -> bool {
    let reserved = RESERVED.take();
    let has_run_out = reserved.capacity() == 0;
    RESERVED.set(reserved);
    has_run_out
}

/// Makes the reserve, if there is none and enough memory.
pub fn reserve() {
    let mut reserved = RESERVED.take();
    if reserved.capacity() == 0 {
        // Later, if there is not enough.
        let _ = reserved.try_reserve_exact(RESERVE);
    }
    RESERVED.set(reserved);
}

/// Frees the reserve if this block could not be allocated.
fn allocated(block: *mut u8) -> *mut u8 {
    if block.is_null() {
        RESERVED.take();
    }
    block
}

/// The engine's allocator.
pub struct Memory;

// SAFETY: these are the functions of the C library, which keep the rules of the trait: blocks are
// aligned to 16 bytes, and null is returned if there is no memory.
unsafe impl Allocator for Memory {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        // SAFETY: it may be called with any size.
        allocated(unsafe { malloc(size) })
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        // SAFETY: it may be called with any numbers: a product that overflows is null.
        allocated(unsafe { calloc(count, size) })
    }

    unsafe fn dealloc(&mut self, block: *mut u8) {
        // SAFETY: the caller passes a block of this allocator.
        unsafe { free(block) }
    }

    unsafe fn realloc(&mut self, block: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: as above.
        allocated(unsafe { realloc(block, size) })
    }

    unsafe fn usable_size(block: *mut u8) -> usize {
        // SAFETY: as above.
        unsafe { malloc_usable_size(block) }
    }
}
