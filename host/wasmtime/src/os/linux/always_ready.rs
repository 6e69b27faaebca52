//! A descriptor that is always ready.

use rustix::event::{EventfdFlags, eventfd};
use rustix::io;
use std::os::fd::OwnedFd;

/// The watched descriptor of a stream that never blocks and cannot be polled.
#[derive(Debug)]
pub(crate) struct AlwaysReady;

impl AlwaysReady {
    pub(crate) fn new() -> io::Result<AlwaysReady> {
        Ok(AlwaysReady)
    }

    /// Returns a new descriptor that is always readable and writable.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        eventfd(1, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
    }
}
