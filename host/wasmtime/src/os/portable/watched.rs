//! A descriptor that is ready when a shared stream or an event is.

use crate::os::portable::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::{self, Errno, fcntl_dupfd_cloexec};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A poll that watches a stream.
#[derive(Debug)]
pub(crate) struct Watched {
    poll: Mutex<(Poll, Events)>,
    interest: Interest,
}

impl Watched {
    /// Watches a stream in one direction. Returns `None` for a stream that the OS does not poll
    /// because it never blocks.
    pub(crate) fn new(stream: BorrowedFd<'_>, direction: OFlags) -> io::Result<Option<Watched>> {
        match FileType::from_raw_mode(fstat(stream)?.st_mode) {
            FileType::RegularFile | FileType::Directory | FileType::BlockDevice => return Ok(None),
            _ => {}
        }
        let interest = match direction {
            OFlags::RDONLY => Interest::READABLE,
            _ => Interest::WRITABLE,
        };
        let make = || {
            let poll = Poll::new()?;
            poll.registry().register(&mut SourceFd(&stream.as_raw_fd()), Token(0), interest)?;
            Ok(Watched { poll: Mutex::new((poll, Events::with_capacity(2))), interest })
        };
        match make().map_err(errno) {
            Ok(watched) => Ok(Some(watched)),
            // epoll's and kqueue's answers for a device that is always ready.
            Err(Errno::PERM | Errno::NODEV | Errno::INVAL) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Watches an event too.
    pub(crate) fn add(&self, event: &Event) -> io::Result<()> {
        let (poll, _) = &*self.poll.lock().unwrap_or_else(PoisonError::into_inner);
        let fd = event.as_fd().as_raw_fd();
        poll.registry().register(&mut SourceFd(&fd), Token(1), Interest::READABLE).map_err(errno)
    }

    /// Returns a new descriptor to be polled.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        let (poll, _) = &*self.poll.lock().unwrap_or_else(PoisonError::into_inner);
        fcntl_dupfd_cloexec(poll.registry().as_fd(), 3)
    }

    /// Updates the readiness after a read. mio reports edges, so the last ones are taken, and both
    /// sources are registered again: those that are ready report that again.
    pub(crate) fn update(&self, stream: impl AsFd, event: &Event) {
        let (poll, events) = &mut *self.poll.lock().unwrap_or_else(PoisonError::into_inner);
        let registered = || {
            poll.poll(events, Some(Duration::ZERO))?;
            let (stream, event) = (stream.as_fd().as_raw_fd(), event.as_fd().as_raw_fd());
            poll.registry().reregister(&mut SourceFd(&stream), Token(0), self.interest)?;
            poll.registry().reregister(&mut SourceFd(&event), Token(1), Interest::READABLE)
        };
        let mut registered = registered;
        if let Err(error) = registered() {
            tracing::warn!(%error, "cannot watch a stream any more");
        }
    }
}

fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}
