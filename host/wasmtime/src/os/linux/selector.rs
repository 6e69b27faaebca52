//! The events of a loop's descriptors, read from mio's epoll descriptor.
//!
//! mio reports edges and merges flags, while libuv's poll handles are level-triggered and
//! distinguish a hang-up from an error. Poll handles are therefore registered with the epoll
//! descriptor directly, and their events are read from it.

use crate::os::Waker;
use mio::unix::SourceFd;
use mio::{Poll, Registry, Token};
use rustix::event::epoll;
use rustix::io::Errno;
use std::cell::Cell;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;
use uv_handles_core::{HandleId, PollEvents, Readiness};

/// The number of events taken from the OS at once, the same as in libuv.
const EVENTS: usize = 1024;

thread_local! {
    /// The event buffer, shared by all loops that wait on this thread.
    static READY: Cell<Vec<libc::epoll_event>> = const { Cell::new(Vec::new()) };
}

/// mio's poll, with poll handles registered with its epoll descriptor.
#[derive(Debug)]
pub(crate) struct Selector {
    poll: Poll,
}

impl Selector {
    /// Makes a poll, and connects the waker to it.
    pub(crate) fn new(waker: &Waker, token: Token) -> io::Result<Selector> {
        let poll = Poll::new()?;
        waker.watch(poll.registry(), token)?;
        Ok(Selector { poll })
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// Returns the poll's own descriptor, which is readable when the OS has events.
    pub(crate) fn fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    pub(crate) fn add(&self, fd: BorrowedFd<'_>, handle: HandleId, events: PollEvents) -> io::Result<()> {
        let data = epoll::EventData::new_u64(handle.index().into());
        Ok(epoll::add(self.registry(), fd, data, flags(events))?)
    }

    /// Changes the registration of a descriptor.
    pub(crate) fn modify(&self, fd: BorrowedFd<'_>, handle: HandleId, events: PollEvents) -> io::Result<()> {
        let data = epoll::EventData::new_u64(handle.index().into());
        Ok(epoll::modify(self.registry(), fd, data, flags(events))?)
    }

    pub(crate) fn remove(&self, fd: RawFd) -> io::Result<()> {
        self.registry().deregister(&mut SourceFd(&fd))
    }

    /// Returns an error for a descriptor that the OS cannot watch, as uv__io_check_fd.
    pub(crate) fn check(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        let registry = self.registry();
        match epoll::add(registry, fd, epoll::EventData::new_u64(u64::MAX), epoll::EventFlags::IN) {
            Ok(()) => Ok(epoll::delete(registry, fd)?),
            // The descriptor is registered for a handle that was stopped in this iteration.
            Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for at most `timeout` (`None`: without limit) and reports the readiness of each
    /// handle. The registrations of handles are not needed here.
    #[inline(always)]
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
        _watched: impl Fn(HandleId) -> Option<(RawFd, PollEvents)>,
        mut ready: impl FnMut(HandleId, Readiness),
    ) -> io::Result<()> {
        // Round up to the next millisecond, as mio does. A wait that ended too early would only be
        // repeated.
        let timeout = match timeout {
            None => -1,
            Some(Duration::ZERO) => 0,
            Some(timeout) => {
                let milliseconds = timeout.saturating_add(Duration::from_nanos(999_999)).as_millis();
                i32::try_from(milliseconds).unwrap_or(i32::MAX)
            }
        };
        let mut room = READY.take();
        if room.is_empty() {
            room = vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        }
        let result = wait_for_events(&self.poll, &mut room, timeout).map(|events| {
            for event in events {
                // Other numbers are those of the waker and of the signals.
                if let Ok(handle) = u32::try_from(event.u64) {
                    ready(HandleId::from_index(handle), readiness(event.events));
                }
            }
        });
        READY.set(room);
        result
    }
}

/// Waits for events, as many as the buffer holds.
#[expect(unsafe_code, reason = "tests interpose the C library's function, which rustix does not call")]
#[inline(always)]
fn wait_for_events<'a>(
    poll: &Poll,
    events: &'a mut [libc::epoll_event],
    timeout: libc::c_int,
) -> io::Result<&'a [libc::epoll_event]> {
    let room = events.len() as libc::c_int;
    // SAFETY: it writes at most `room` events, which is the capacity of the buffer.
    match unsafe { libc::epoll_wait(poll.as_raw_fd(), events.as_mut_ptr(), room, timeout) } {
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(&[]),
            error => Err(error),
        },
        count => Ok(&events[..count as usize]),
    }
}

/// Returns the requested events as epoll flags, level-triggered.
fn flags(events: PollEvents) -> epoll::EventFlags {
    let mut flags = epoll::EventFlags::empty();
    flags.set(epoll::EventFlags::IN, events.contains(PollEvents::READABLE));
    flags.set(epoll::EventFlags::OUT, events.contains(PollEvents::WRITABLE));
    flags.set(epoll::EventFlags::RDHUP, events.contains(PollEvents::DISCONNECT));
    flags.set(epoll::EventFlags::PRI, events.contains(PollEvents::PRIORITIZED));
    flags
}

/// Returns the readiness that epoll reports.
fn readiness(events: u32) -> Readiness {
    let flag = |flag: libc::c_int, readiness: Readiness| match events & flag as u32 {
        0 => Readiness::empty(),
        _ => readiness,
    };
    flag(libc::EPOLLIN, Readiness::READABLE)
        | flag(libc::EPOLLOUT, Readiness::WRITABLE)
        | flag(libc::EPOLLRDHUP, Readiness::DISCONNECT)
        | flag(libc::EPOLLPRI, Readiness::PRIORITIZED)
        | flag(libc::EPOLLHUP, Readiness::HANGUP)
        | flag(libc::EPOLLERR, Readiness::ERROR)
}
