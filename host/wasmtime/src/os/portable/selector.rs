//! The events of a loop's descriptors, level-triggered on top of mio.
//!
//! mio reports edges, and merges what libuv's poll handles distinguish. So its events only name the
//! descriptors to look at. poll(2) tells what they are ready for. A descriptor with an event is
//! registered again at once, so that mio reports it again while it is ready.

use crate::os::Waker;
use crate::os::unix::access::retry;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::cell::Cell;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;
use uv_handles_core::{HandleId, PollEvents, Readiness};

/// The number of events taken from the OS at once, the same as in libuv.
const EVENTS: usize = 1024;

thread_local! {
    /// The buffers, shared by all loops that wait on this thread.
    static READY: Cell<Option<Buffers>> = const { Cell::new(None) };
}

/// The buffers of a wait.
struct Buffers {
    events: Events,
    /// The handles that mio has reported, with what they watch.
    reported: Vec<(HandleId, RawFd, PollEvents)>,
}

/// mio's poll.
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
        self.registry().register(&mut SourceFd(&fd.as_raw_fd()), token(handle), interest(events))
    }

    /// Changes the registration of a descriptor.
    pub(crate) fn modify(&self, fd: BorrowedFd<'_>, handle: HandleId, events: PollEvents) -> io::Result<()> {
        reregister(self.registry(), fd.as_raw_fd(), handle, events)
    }

    pub(crate) fn remove(&self, fd: RawFd) -> io::Result<()> {
        self.registry().deregister(&mut SourceFd(&fd))
    }

    /// Returns an error for a descriptor that the OS cannot watch, as uv__io_check_fd.
    pub(crate) fn check(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        // Another poll, because a second registration would replace the one of a handle that was
        // stopped in this iteration.
        let poll = Poll::new()?;
        poll.registry().register(&mut SourceFd(&fd.as_raw_fd()), Token(0), Interest::READABLE)
    }

    /// Waits for at most `timeout` (`None`: without limit) and reports the readiness of each
    /// handle. `watched` returns the registration of a handle.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
        watched: impl Fn(HandleId) -> Option<(RawFd, PollEvents)>,
        ready: impl FnMut(HandleId, Readiness),
    ) -> io::Result<()> {
        let mut buffers = READY
            .take()
            .unwrap_or_else(|| Buffers { events: Events::with_capacity(EVENTS), reported: Vec::new() });
        let result = self.wait_with(&mut buffers, timeout, watched, ready);
        READY.set(Some(buffers));
        result
    }

    fn wait_with(
        &mut self,
        Buffers { events, reported }: &mut Buffers,
        timeout: Option<Duration>,
        watched: impl Fn(HandleId) -> Option<(RawFd, PollEvents)>,
        mut ready: impl FnMut(HandleId, Readiness),
    ) -> io::Result<()> {
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        reported.clear();
        for event in events.iter() {
            // Other numbers are those of the waker and of the signals.
            let Ok(handle) = u32::try_from(event.token().0).map(HandleId::from_index) else { continue };
            // kqueue has an event for each direction.
            if reported.iter().rev().take(2).any(|&(last, ..)| last == handle) {
                continue;
            }
            if let Some((fd, events)) = watched(handle) {
                reported.push((handle, fd, events));
            }
        }
        if reported.is_empty() {
            return Ok(());
        }
        let watched = reported.iter().map(|&(_, fd, events)| (borrow(fd), flags(events)));
        let mut fds: Vec<PollFd<'_>> =
            watched.map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags)).collect();
        retry(|| poll(&mut fds, Some(&Timespec::default())))?;
        for (&(handle, fd, events), polled) in reported.iter().zip(&fds) {
            let found = readiness(polled.revents());
            // Without one, mio reports the descriptor when something changes.
            if !found.is_empty() {
                reregister(self.poll.registry(), fd, handle, events)?;
                ready(handle, found);
            }
        }
        Ok(())
    }
}

#[expect(unsafe_code, reason = "the poller knows its descriptors by number")]
fn borrow<'a>(fd: RawFd) -> BorrowedFd<'a> {
    // SAFETY: a descriptor is removed from the poller before it is closed.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

fn token(handle: HandleId) -> Token {
    Token(handle.index() as usize)
}

fn reregister(registry: &Registry, fd: RawFd, handle: HandleId, events: PollEvents) -> io::Result<()> {
    registry.reregister(&mut SourceFd(&fd), token(handle), interest(events))
}

/// Returns what mio has to watch for. It reports a hang-up with each.
fn interest(events: PollEvents) -> Interest {
    let mut interest = None;
    let mut add = |more: Interest| {
        interest = Some(interest.map_or(more, |interest: Interest| interest | more));
    };
    if events.contains(PollEvents::WRITABLE) {
        add(Interest::WRITABLE);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if events.contains(PollEvents::PRIORITIZED) {
        add(Interest::PRIORITY);
    }
    if events.intersects(PollEvents::READABLE | PollEvents::DISCONNECT) {
        add(Interest::READABLE);
    }
    interest.unwrap_or(Interest::READABLE)
}

/// Returns the requested events as flags of poll(2).
fn flags(events: PollEvents) -> PollFlags {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, events.contains(PollEvents::READABLE));
    flags.set(PollFlags::OUT, events.contains(PollEvents::WRITABLE));
    flags.set(DISCONNECT, events.contains(PollEvents::DISCONNECT));
    flags.set(PollFlags::PRI, events.contains(PollEvents::PRIORITIZED));
    flags
}

/// The flag of a peer that will send no more. The other systems report it as a hang-up, or not at
/// all before the data has been read.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const DISCONNECT: PollFlags = PollFlags::RDHUP;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const DISCONNECT: PollFlags = PollFlags::HUP;

/// Returns the readiness that poll(2) reports.
fn readiness(found: PollFlags) -> Readiness {
    let flag = |flag: PollFlags, readiness: Readiness| match found.intersects(flag) {
        true => readiness,
        false => Readiness::empty(),
    };
    flag(PollFlags::IN, Readiness::READABLE)
        | flag(PollFlags::OUT, Readiness::WRITABLE)
        | flag(DISCONNECT, Readiness::DISCONNECT)
        | flag(PollFlags::PRI, Readiness::PRIORITIZED)
        | flag(PollFlags::HUP, Readiness::HANGUP)
        | flag(PollFlags::ERR | PollFlags::NVAL, Readiness::ERROR)
}
