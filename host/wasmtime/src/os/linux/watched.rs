//! A descriptor that is ready when a shared stream or an event is.

use crate::os::linux::event::Event;
use rustix::event::epoll;
use rustix::fs::OFlags;
use rustix::io::{self, Errno, fcntl_dupfd_cloexec};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// An epoll instance that watches a stream, level-triggered.
#[derive(Debug)]
pub(crate) struct Watched(OwnedFd);

impl Watched {
    /// Watches a stream in one direction. Returns `None` for a stream that the OS does not poll
    /// because it never blocks.
    pub(crate) fn new(stream: BorrowedFd<'_>, direction: OFlags) -> io::Result<Option<Watched>> {
        let watching = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let events = match direction {
            OFlags::RDONLY => epoll::EventFlags::IN,
            _ => epoll::EventFlags::OUT,
        };
        match epoll::add(&watching, stream, epoll::EventData::new_u64(0), events) {
            Ok(()) => Ok(Some(Watched(watching))),
            Err(Errno::PERM) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Watches an event too.
    pub(crate) fn add(&self, event: &Event) -> io::Result<()> {
        epoll::add(&self.0, event, epoll::EventData::new_u64(1), epoll::EventFlags::IN)
    }

    /// Returns a new descriptor to be polled.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        fcntl_dupfd_cloexec(&self.0, 3)
    }

    /// Updates the readiness after a read. epoll does so by itself.
    pub(crate) fn update(&self, _stream: impl AsFd, _event: &Event) {}
}
