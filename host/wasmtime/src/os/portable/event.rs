//! A flag that can be polled.

use crate::os::portable::sockets::pair;
use rustix::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A flag whose descriptor is readable while it is set: a pair of sockets with a byte between them.
#[derive(Debug)]
pub(crate) struct Event {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Event {
    pub(crate) fn new() -> io::Result<Event> {
        let (reader, writer) = pair()?;
        Ok(Event { reader, writer })
    }

    pub(crate) fn set(&self) {
        // It fails only if there is no room, and then the flag is set.
        let _ = io::write(&self.writer, &[0]);
    }

    pub(crate) fn clear(&self) {
        while io::read(&self.reader, &mut [0; 64]).is_ok_and(|read| read > 0) {}
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
