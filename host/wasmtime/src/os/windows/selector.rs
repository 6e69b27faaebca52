//! The events of a loop's sockets, level-triggered on top of mio.
//!
//! A completion port cannot be polled itself, so a thread waits for it, and wakes whatever waits for
//! the loop: a thread, a task or a set. mio's events only name the sockets to look at, and WSAPoll
//! tells what they are ready for. A socket with an event is registered again at once, so that mio
//! reports it again while it is ready.

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
use std::time::Duration;
use uv_handles_core::{HandleId, PollEvents, Readiness};

/// The number of events taken from the OS at once, the same as in libuv.
const EVENTS: usize = 1024;

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

/// What mio has reported since the last wait.
#[derive(Debug, Default)]
struct Reported {
    handles: Vec<HandleId>,
    /// The waker was used.
    is_woken: bool,
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
        self.arm(fd.as_raw_fd(), handle, events)
    }

    fn arm(&mut self, fd: RawFd, handle: HandleId, events: PollEvents) -> io::Result<()> {
        match self.sources.get_mut(&fd) {
            Some(source) => self.registry.reregister(source, token(handle), interest(events)),
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
        let is_idle = |reported: &mut Reported| !reported.is_woken && reported.handles.is_empty();
        let reported = self.shared.reported();
        let mut reported = match timeout {
            None => self.shared.changed.wait_while(reported, is_idle).unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                let waited = self.shared.changed.wait_timeout_while(reported, timeout, is_idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        let handles = std::mem::take(&mut *reported).handles;
        drop(reported);
        for handle in handles {
            let Some((fd, events)) = watched(handle) else { continue };
            let Some(source) = self.sources.get(&fd) else { continue };
            let mut fds = [PollFd::new(source, flags(events))];
            poll(&mut fds, Some(&Timespec::default()))?;
            let found = readiness(fds[0].revents(), events);
            // Data that nothing reads would report a socket of which only the end is wanted again and
            // again.
            if !found.is_empty() || events != PollEvents::DISCONNECT {
                self.arm(fd, handle, events)?;
            }
            if !found.is_empty() {
                ready(handle, found);
            }
        }
        Ok(())
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
        if let Err(error) = poll.poll(&mut events, None)
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
                Ok(handle) if reported.handles.contains(&handle) => {}
                Ok(handle) => reported.handles.push(handle),
                // Other numbers are those of the waker and of the signals.
                Err(_) => reported.is_woken = true,
            }
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

/// Returns the requested events as flags of WSAPoll.
fn flags(events: PollEvents) -> PollFlags {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, events.contains(PollEvents::READABLE));
    flags.set(PollFlags::OUT, events.contains(PollEvents::WRITABLE));
    flags
}

/// Returns the readiness that WSAPoll reports. A peer that has closed its end is a hang-up there.
fn readiness(found: PollFlags, wanted: PollEvents) -> Readiness {
    let mut readiness = Readiness::empty();
    readiness.set(Readiness::READABLE, found.intersects(PollFlags::IN));
    readiness.set(Readiness::WRITABLE, found.intersects(PollFlags::OUT));
    if found.intersects(PollFlags::HUP) {
        // The end of a connection is readable, as on Unix.
        readiness.set(Readiness::READABLE, wanted.contains(PollEvents::READABLE));
        readiness.set(Readiness::DISCONNECT, wanted.contains(PollEvents::DISCONNECT));
    }
    readiness.set(Readiness::ERROR, found.intersects(PollFlags::ERR | PollFlags::NVAL));
    readiness
}
