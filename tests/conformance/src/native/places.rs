//! Memory that libuv uses.

use std::alloc::{Layout, alloc_zeroed, dealloc};

/// Memory for values whose size only libuv knows.
#[derive(Debug)]
pub struct Places {
    memory: *mut u8,
    size: usize,
    layout: Layout,
}

impl Places {
    /// Places for this many values of that size.
    pub fn new(size: usize, count: usize) -> Places {
        let size = size.next_multiple_of(64);
        let layout = Layout::from_size_align(size * count.max(1), 64).expect("it is small");
        // SAFETY: the layout is not empty.
        let memory = unsafe { alloc_zeroed(layout) };
        assert!(!memory.is_null(), "out of memory");
        Places { memory, size, layout }
    }

    /// The address of a place.
    pub fn at<T>(&self, place: usize) -> *mut T {
        assert!((place + 1) * self.size <= self.layout.size(), "there are places for all");
        // SAFETY: it stays inside of the allocation.
        unsafe { self.memory.add(place * self.size).cast() }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and every holder of an address is gone with the
        // program.
        unsafe { dealloc(self.memory, self.layout) }
    }
}
