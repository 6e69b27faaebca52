//! The events of a loop's sockets, level-triggered on top of mio.
//!
//! A completion port cannot be polled itself, so a thread waits for it, and wakes whatever waits for
//! the loop: a thread, a task or a set. mio's events only name the sockets to look at, and WSAPoll
//! tells what they are ready for. A socket with an event is registered again at once, so that mio
//! reports it again while it is ready.
//!
//! mio cannot watch for the end of a connection alone: it reports unread data too, again and again. A
//! socket with data that its handle does not want is set aside, and looked at from time to time.

use crate::os::Waker;
use crate::os::windows::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use uv_handles_core::{HandleId, PollEvents, Readiness};

/// The number of events taken from the OS at once, the same as in libuv.
const EVENTS: usize = 1024;

/// The time after which sockets that were set aside are looked at.
const ASIDE: Duration = Duration::from_millis(100);

/// mio's poll, in the hands of a thread.
#[derive(Debug)]
pub(crate) struct Selector {
    registry: Registry,
    /// A duplicate of each watched socket, as mio's type: which one does not matter.
    sources: HashMap<RawFd, TcpStream>,
    shared: Arc<Shared>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    reported: Mutex<Reported>,
    changed: Condvar,
    is_over: AtomicBool,
}

/// The events that mio has reported since the last wait.
#[derive(Debug, Default)]
struct Reported {
    handles: Vec<HandleId>,
    /// The waker was used.
    is_woken: bool,
    /// Handles whose sockets have data that they do not want.
    aside: Vec<HandleId>,
    /// When the thread reports those. Set while there are any.
    due: Option<Instant>,
}

impl Reported {
    fn is_empty(&self) -> bool {
        self.handles.is_empty() && !self.is_woken
    }

    fn add(&mut self, handle: HandleId) {
        if !self.handles.contains(&handle) {
            self.handles.push(handle);
        }
    }
}

impl Selector {
    /// Makes a poll, and connects the waker to it.
    pub(crate) fn new(waker: &Arc<Waker>, token: Token) -> io::Result<Selector> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        waker.watch(&registry, token)?;
        let shared = Arc::<Shared>::default();
        let (reporting, outside) = (shared.clone(), waker.clone());
        let thread = thread::Builder::new().name("uv-handles poll".into());
        let thread = thread.spawn(move || report(poll, &reporting, &outside))?;
        Ok(Selector { registry, sources: HashMap::new(), shared, waker: waker.clone(), thread: Some(thread) })
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn add(&mut self, fd: BorrowedFd<'_>, handle: HandleId, events: PollEvents) -> io::Result<()> {
        let mut source = source(fd.try_clone_to_owned()?);
        self.registry.register(&mut source, token(handle), interest(events))?;
        self.sources.insert(fd.as_raw_fd(), source);
        Ok(())
    }

    /// Changes the registration of a socket.
    pub(crate) fn modify(
        &mut self,
        fd: BorrowedFd<'_>,
        handle: HandleId,
        events: PollEvents,
    ) -> io::Result<()> {
        self.arm(fd.as_raw_fd(), handle, interest(events))
    }

    fn arm(&mut self, fd: RawFd, handle: HandleId, interest: Interest) -> io::Result<()> {
        match self.sources.get_mut(&fd) {
            Some(source) => self.registry.reregister(source, token(handle), interest),
            None => Ok(()),
        }
    }

    pub(crate) fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        match self.sources.remove(&fd) {
            Some(mut source) => self.registry.deregister(&mut source),
            None => Ok(()),
        }
    }

    /// Returns an error for a descriptor that the OS cannot watch, as uv__io_check_fd: for none, because
    /// each is a socket.
    pub(crate) fn check(&self, _fd: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    /// Waits for at most `timeout` (`None`: without limit) and reports the readiness of each
    /// handle. `watched` returns the registration of a handle.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
        watched: impl Fn(HandleId) -> Option<(RawFd, PollEvents)>,
        mut ready: impl FnMut(HandleId, Readiness),
    ) -> io::Result<()> {
        let is_idle = |reported: &mut Reported| reported.is_empty();
        let reported = self.shared.reported();
        let mut reported = match timeout {
            None => self.shared.changed.wait_while(reported, is_idle).unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                let waited = self.shared.changed.wait_timeout_while(reported, timeout, is_idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        let handles = std::mem::take(&mut reported.handles);
        reported.is_woken = false;
        drop(reported);
        let mut aside = Vec::new();
        for handle in handles {
            let Some((fd, events)) = watched(handle) else { continue };
            let Some(source) = self.sources.get(&fd) else { continue };
            let interest = interest(events);
            let mut fds = [PollFd::new(source, flags(interest))];
            poll(&mut fds, Some(&Timespec::default()))?;
            let found = readiness(fds[0].revents(), events);
            // Of the two flags of `IN`, usual data sets one.
            let has_data = fds[0].revents().intersects(PollFlags::IN);
            if !found.is_empty() || !has_data {
                self.arm(fd, handle, interest)?;
            } else {
                aside.push(handle);
                if interest.is_writable() {
                    self.arm(fd, handle, Interest::WRITABLE)?;
                }
            }
            if !found.is_empty() {
                ready(handle, found);
            }
        }
        self.set_aside(&aside)
    }

    /// Makes the thread report these handles after a while.
    fn set_aside(&self, handles: &[HandleId]) -> io::Result<()> {
        if handles.is_empty() {
            return Ok(());
        }
        let mut reported = self.shared.reported();
        for handle in handles {
            if !reported.aside.contains(handle) {
                reported.aside.push(*handle);
            }
        }
        if reported.due.is_some() {
            return Ok(());
        }
        reported.due = Some(Instant::now() + ASIDE);
        drop(reported);
        // The thread waits without a limit. The loop's next wait ends too, which does no harm.
        self.waker.wake()
    }
}

impl Drop for Selector {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "cannot end the thread of a poll");
        } else if let Some(thread) = self.thread.take() {
            // The thread does not panic.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Locks what was reported. It is valid at any moment, so poisoning is ignored.
    fn reported(&self) -> MutexGuard<'_, Reported> {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread: passes mio's events on.
fn report(mut poll: Poll, shared: &Shared, outside: &Waker) {
    let mut events = Events::with_capacity(EVENTS);
    loop {
        let due = shared.reported().due;
        let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
        if let Err(error) = poll.poll(&mut events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            tracing::error!(%error, "cannot wait for sockets any more");
            return;
        }
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let mut reported = shared.reported();
        for event in &events {
            match u32::try_from(event.token().0).map(HandleId::from_index) {
                Ok(handle) => reported.add(handle),
                // Other numbers are those of the waker and of the signals.
                Err(_) => reported.is_woken = true,
            }
        }
        if reported.due.is_some_and(|due| due <= Instant::now()) {
            reported.due = None;
            for handle in std::mem::take(&mut reported.aside) {
                reported.add(handle);
            }
        }
        if reported.is_empty() {
            continue;
        }
        drop(reported);
        shared.changed.notify_all();
        outside.wake_outside();
    }
}

fn source(socket: OwnedFd) -> TcpStream {
    TcpStream::from_std(socket.into())
}

fn token(handle: HandleId) -> Token {
    Token(handle.index() as usize)
}

/// Returns what mio has to watch for. It reports a hang-up with each.
fn interest(events: PollEvents) -> Interest {
    let is_read = events.intersects(PollEvents::READABLE | PollEvents::DISCONNECT);
    match (is_read, events.contains(PollEvents::WRITABLE)) {
        (true, true) => Interest::READABLE | Interest::WRITABLE,
        (false, true) => Interest::WRITABLE,
        _ => Interest::READABLE,
    }
}

/// Returns what mio watches for as flags of WSAPoll, which reports a hang-up with each.
fn flags(interest: Interest) -> PollFlags {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, interest.is_readable());
    flags.set(PollFlags::OUT, interest.is_writable());
    flags
}

/// Returns the readiness that WSAPoll reports, of what is wanted. A peer that has closed its end is a
/// hang-up there.
fn readiness(found: PollFlags, wanted: PollEvents) -> Readiness {
    let mut readiness = Readiness::empty();
    // The end of a connection is readable, as on Unix.
    let is_readable = found.intersects(PollFlags::IN | PollFlags::HUP);
    readiness.set(Readiness::READABLE, is_readable && wanted.contains(PollEvents::READABLE));
    readiness.set(Readiness::WRITABLE, found.intersects(PollFlags::OUT));
    let is_ended = found.intersects(PollFlags::HUP);
    readiness.set(Readiness::DISCONNECT, is_ended && wanted.contains(PollEvents::DISCONNECT));
    readiness.set(Readiness::ERROR, found.intersects(PollFlags::ERR | PollFlags::NVAL));
    readiness
}
