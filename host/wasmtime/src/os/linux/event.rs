//! A flag that can be polled.

use rustix::event::{EventfdFlags, eventfd};
use rustix::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A flag whose descriptor is readable while it is set: an eventfd.
#[derive(Debug)]
pub(crate) struct Event(OwnedFd);

impl Event {
    pub(crate) fn new() -> io::Result<Event> {
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map(Event)
    }

    pub(crate) fn set(&self) {
        // It fails only if the counter is full, and then the flag is set.
        let _ = io::write(&self.0, &1u64.to_ne_bytes());
    }

    pub(crate) fn clear(&self) {
        // It fails only if the flag is not set.
        let _ = io::read(&self.0, &mut [0; size_of::<u64>()]);
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
