//! Waiting: one mio poll for each loop that ever has to wait.
//!
//! mio reports edges, libuv's poll handles are level-triggered. So every handle that an event was
//! taken for is registered anew before the next wait, which makes the OS look at the descriptor
//! again. Registering is put off until a wait anyway: starting and stopping a handle within one
//! iteration costs nothing.

use crate::InterruptHandle;
use crate::os::{Waker, signals};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::{BTreeSet, HashMap};
use std::io;
#[cfg(feature = "async")]
use std::os::fd::AsRawFd;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;
use uv_handles_core::{HandleId, LoopId, PollEvents, Readiness};
#[cfg(feature = "async")]
use {
    std::pin::pin,
    std::task::Poll::{Pending, Ready},
    tokio::io::unix::AsyncFd,
    tokio::sync::Notify,
};

/// Tokens below these two are the numbers of poll handles.
const WAKE: Token = Token(usize::MAX);
const SIGNALS: Token = Token(usize::MAX - 1);

/// Events taken from the OS at once, as many as libuv takes.
const EVENTS: usize = 1024;

/// The pollers of a guest's loops, by the number of the loop. One is made when its loop first needs it: to block a
/// thread, or to wait for descriptors or signals.
#[derive(Debug)]
pub(crate) struct Pollers {
    pollers: Vec<Option<Poller>>,
    /// What ends the waits of each loop, with and without a poller.
    wakers: Vec<Option<Arc<Waker>>>,
    /// Wakes the guest's task while it waits for loops without a poller.
    #[cfg(feature = "async")]
    task: Arc<Notify>,
    /// Ends the waits of all of them.
    interrupt: InterruptHandle,
}

impl Pollers {
    pub(crate) fn new(interrupt: InterruptHandle) -> Pollers {
        Pollers {
            pollers: Vec::new(),
            wakers: Vec::new(),
            #[cfg(feature = "async")]
            task: Arc::default(),
            interrupt,
        }
    }

    /// What ends the loop's wait from any thread.
    pub(crate) fn waker(&mut self, id: LoopId) -> Arc<Waker> {
        let at = id.index() as usize;
        if self.wakers.len() <= at {
            self.wakers.resize_with(at + 1, || None);
        }
        #[cfg(feature = "async")]
        let make = || Arc::new(Waker::of_task(self.task.clone()));
        #[cfg(not(feature = "async"))]
        let make = Arc::default;
        self.wakers[at].get_or_insert_with(make).clone()
    }

    /// The loop's poller.
    pub(crate) fn get(&mut self, id: LoopId) -> io::Result<&mut Poller> {
        let at = id.index() as usize;
        if self.pollers.len() <= at {
            self.pollers.resize_with(at + 1, || None);
        }
        match &self.pollers[at] {
            Some(_) => {}
            None => {
                let waker = self.waker(id);
                let poller = Poller::new(&waker)?;
                self.interrupt.add(&waker);
                self.pollers[at] = Some(poller);
            }
        }
        Ok(self.pollers[at].as_mut().expect("it is there now"))
    }

    /// The loop's poller, if it has been made.
    pub(crate) fn made(&mut self, id: LoopId) -> Option<&mut Poller> {
        self.pollers.get_mut(id.index() as usize)?.as_mut()
    }

    /// Gives up the poller of a loop that is gone, before its number is given to another one.
    pub(crate) fn remove(&mut self, id: LoopId) {
        let at = id.index() as usize;
        if let Some(poller) = self.pollers.get_mut(at) {
            *poller = None;
        }
        if let Some(waker) = self.wakers.get_mut(at) {
            *waker = None;
        }
    }

    /// Waits in a task until the OS has something for one of these loops, or one of them is woken, or the guest
    /// interrupted. It can be dropped at any time.
    #[cfg(feature = "async")]
    pub(crate) async fn wait_in_task(&mut self, ids: &[LoopId]) -> io::Result<()> {
        for &id in ids {
            if let Some(poller) = self.made(id) {
                poller.watch_in_task()?;
            }
        }
        let mut woken = pin!(self.task.notified());
        let mut interrupted = pin!(self.interrupt.interrupted());
        std::future::poll_fn(|context| {
            for watched in self.pollers.iter().flatten().filter_map(|poller| poller.in_task.as_ref()) {
                if let Ready(guard) = watched.poll_read_ready(context) {
                    return Ready(guard.map(|mut guard| guard.clear_ready()));
                }
            }
            if woken.as_mut().poll(context).is_ready() || interrupted.as_mut().poll(context).is_ready() {
                return Ready(Ok(()));
            }
            Pending
        })
        .await
    }

    /// Takes a descriptor that is about to be closed out of every loop's poller. A duplicate of it
    /// may live on, and the OS would report that one for ever.
    pub(crate) fn forget_descriptor(&mut self, fd: RawFd) {
        self.pollers.iter_mut().flatten().for_each(|poller| poller.deregister(fd));
    }
}

/// What a loop waits with.
#[derive(Debug)]
pub(crate) struct Poller {
    /// The poll as tokio watches it, once a task has waited for it. Dropped before the poll is.
    #[cfg(feature = "async")]
    in_task: Option<AsyncFd<RawFd>>,
    poll: Poll,
    events: Events,
    /// What the OS watches: for each descriptor the handle that it is watched for ...
    watched: HashMap<RawFd, HandleId>,
    /// ... and for each handle the descriptor.
    fds: HashMap<HandleId, RawFd>,
    /// Handles whose registration has to be looked at before the next wait.
    stale: BTreeSet<u32>,
    watches_signals: bool,
}

impl Poller {
    fn new(waker: &Waker) -> io::Result<Poller> {
        let poll = Poll::new()?;
        waker.watch(poll.registry(), WAKE)?;
        Ok(Poller {
            #[cfg(feature = "async")]
            in_task: None,
            poll,
            events: Events::with_capacity(EVENTS),
            watched: HashMap::new(),
            fds: HashMap::new(),
            stale: BTreeSet::new(),
            watches_signals: false,
        })
    }

    /// Says that what a handle watches may have changed.
    pub(crate) fn touch(&mut self, handle: HandleId) {
        self.stale.insert(handle.index());
    }

    /// Takes a handle out at once, because its number is about to be given away.
    pub(crate) fn forget(&mut self, handle: HandleId) {
        self.stale.remove(&handle.index());
        if let Some(&fd) = self.fds.get(&handle) {
            self.deregister(fd);
        }
    }

    fn deregister(&mut self, fd: RawFd) {
        if let Some(handle) = self.watched.remove(&fd) {
            self.fds.remove(&handle);
            // It fails only for a descriptor that is not registered, which is what is wanted.
            let _ = self.poll.registry().deregister(&mut SourceFd(&fd));
        }
    }

    /// Whether asking the OS could bring an event of a descriptor.
    pub(crate) fn has_registrations(&self) -> bool {
        !self.watched.is_empty() || !self.stale.is_empty()
    }

    /// Brings the registrations up to date. `wanted` tells what a handle watches now, if anything;
    /// the answer names the handles whose descriptors the OS refuses to watch.
    pub(crate) fn refresh(
        &mut self,
        mut wanted: impl FnMut(HandleId) -> Option<(RawFd, PollEvents)>,
    ) -> Vec<HandleId> {
        let mut refused = Vec::new();
        while let Some(handle) = self.stale.pop_first().map(HandleId::from_index) {
            match wanted(handle) {
                Some((fd, events)) => {
                    if let Err(error) = self.register(handle, fd, events) {
                        tracing::warn!(%error, "a descriptor can not be watched");
                        self.deregister(fd);
                        refused.push(handle);
                    }
                }
                None => self.forget(handle),
            }
        }
        refused
    }

    fn register(&mut self, handle: HandleId, fd: RawFd, events: PollEvents) -> io::Result<()> {
        let registry = self.poll.registry();
        let (token, interest) = (Token(handle.index() as usize), interest(events));
        match self.watched.insert(fd, handle) {
            Some(before) => {
                self.fds.remove(&before);
                registry.reregister(&mut SourceFd(&fd), token, interest)?;
            }
            None => registry.register(&mut SourceFd(&fd), token, interest)?,
        }
        self.fds.insert(handle, fd);
        Ok(())
    }

    /// Lets signals end a wait, or not.
    pub(crate) fn watch_signals(&mut self, watch: bool) -> io::Result<()> {
        if watch == self.watches_signals {
            return Ok(());
        }
        let fd = signals::wake_fd()?;
        let registry = self.poll.registry();
        match watch {
            true => registry.register(&mut SourceFd(&fd), SIGNALS, Interest::READABLE)?,
            false => registry.deregister(&mut SourceFd(&fd))?,
        }
        self.watches_signals = watch;
        Ok(())
    }

    /// Waits for at most this long (none: without limit) and reports what is ready of each handle;
    /// `ready` answers whether that was asked for. Returns early, with or without a report, when
    /// something else ended the wait.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
        mut ready: impl FnMut(HandleId, Readiness) -> bool,
    ) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            let token = event.token();
            if token == WAKE || token == SIGNALS {
                continue;
            }
            let handle = HandleId::from_index(token.0 as u32);
            // An event that nobody asked for (mio watches for the peer's half-close only together
            // with reading) leaves the registration as it is: looking again would report it again,
            // without end.
            if ready(handle, readiness(event)) {
                self.stale.insert(handle.index());
            }
        }
        Ok(())
    }

    #[cfg(feature = "async")]
    fn watch_in_task(&mut self) -> io::Result<&mut AsyncFd<RawFd>> {
        match &mut self.in_task {
            Some(poll) => Ok(poll),
            empty => Ok(empty.insert(watched_by_tokio(&self.poll)?)),
        }
    }

    /// Refuses a descriptor that the OS cannot watch, as uv__io_check_fd.
    pub(crate) fn check(&self, fd: RawFd) -> io::Result<()> {
        let registry = self.poll.registry();
        match registry.register(&mut SourceFd(&fd), WAKE, Interest::READABLE) {
            Ok(()) => registry.deregister(&mut SourceFd(&fd)),
            // Registered for a handle that has been stopped in this iteration.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(feature = "async")]
#[expect(
    unsafe_code,
    reason = "tokio can not see that the descriptor stays open, and a duplicate is one too many"
)]
fn watched_by_tokio(poll: &Poll) -> io::Result<AsyncFd<RawFd>> {
    // SAFETY: the poll owns the descriptor, nobody else closes it, and it lives longer: see `Poller`.
    let watched = unsafe { AsyncFd::register_with_interest(poll.as_raw_fd(), tokio::io::Interest::READABLE) };
    watched.map_err(Into::into)
}

/// mio has no interest in the peer's half-close alone; it comes with reading.
fn interest(events: PollEvents) -> Interest {
    let of = |events_of: PollEvents, interest: Interest| events.intersects(events_of).then_some(interest);
    [
        of(PollEvents::READABLE | PollEvents::DISCONNECT, Interest::READABLE),
        of(PollEvents::WRITABLE, Interest::WRITABLE),
        of(PollEvents::PRIORITIZED, Interest::PRIORITY),
    ]
    .into_iter()
    .flatten()
    .reduce(|all, one| all | one)
    .unwrap_or(Interest::READABLE)
}

/// The poll(2) flags behind mio's event. Without an error flag, `is_write_closed` is POLLHUP, and
/// then everything that was asked for is reported; otherwise `is_read_closed` is POLLRDHUP.
/// `is_readable` is also true for priority data alone, see [`without_false_data`].
fn readiness(event: &mio::event::Event) -> Readiness {
    let flag = |set: bool, flag: Readiness| if set { flag } else { Readiness::empty() };
    flag(event.is_readable(), Readiness::READABLE)
        | flag(event.is_writable(), Readiness::WRITABLE)
        | flag(event.is_read_closed(), Readiness::DISCONNECT)
        | flag(event.is_priority(), Readiness::PRIORITIZED)
        | flag(event.is_error(), Readiness::ERROR)
        | flag(event.is_write_closed(), Readiness::HANGUP)
}

/// Takes back that a descriptor is readable if mio says so only because of priority data. It does not
/// tell, so the OS is asked once more; priority data is rare.
pub(crate) fn without_false_data<'a>(
    readiness: Readiness,
    fd: impl FnOnce() -> Option<BorrowedFd<'a>>,
) -> Readiness {
    if !readiness.contains(Readiness::READABLE | Readiness::PRIORITIZED) {
        return readiness;
    }
    let Some(fd) = fd() else {
        return readiness;
    };
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    match poll(&mut fds, Some(&Timespec::default())) {
        Ok(_) if !fds[0].revents().contains(PollFlags::IN) => readiness - Readiness::READABLE,
        // If it can not be told, reading will.
        _ => readiness,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{SendFlags, send};
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::{AsFd, AsRawFd};

    /// Waits until this much of the descriptor is ready.
    fn wait_for(poller: &mut Poller, fd: BorrowedFd<'_>, expected: Readiness) {
        let (handle, mut seen) = (HandleId::from_index(7), Readiness::empty());
        while seen != expected {
            let asked = PollEvents::READABLE | PollEvents::PRIORITIZED;
            poller.touch(handle);
            assert!(poller.refresh(|_| Some((fd.as_raw_fd(), asked))).is_empty());
            poller
                .wait(None, |_, readiness| {
                    seen = without_false_data(readiness, || Some(fd))
                        & (Readiness::READABLE | Readiness::PRIORITIZED);
                    assert!(expected.contains(seen), "{seen:?}");
                    true
                })
                .unwrap();
        }
    }

    #[test]
    fn urgent_data_alone_is_not_readable() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (theirs, _) = listener.accept().unwrap();
        let mut poller = Poller::new(&Waker::default()).unwrap();
        assert_eq!(send(&ours, b"!", SendFlags::OOB), Ok(1));
        wait_for(&mut poller, theirs.as_fd(), Readiness::PRIORITIZED);
        ours.write_all(b"normal").unwrap();
        wait_for(&mut poller, theirs.as_fd(), Readiness::PRIORITIZED | Readiness::READABLE);
    }
}
