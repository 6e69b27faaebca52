//! The poller of one loop, based on a mio poll.
//!
//! mio's poll has the waker and the descriptor of the signals. mio reports edges and merges flags,
//! while libuv's poll handles are level-triggered and distinguish a hang-up from an error. Poll
//! handles are therefore registered with mio's epoll descriptor directly, and their events are read
//! from it.
//!
//! Registrations are updated only before a wait, so starting and stopping a handle within one
//! iteration costs no system call.

use crate::os::Waker;
use crate::os::signal_wakes::SignalWake;
use mio::unix::SourceFd;
use mio::{Interest, Poll, Token};
use rustix::event::epoll;
use rustix::io::Errno;
use std::cell::Cell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;
use uv_handles_core::{HandleId, PollEvents, Readiness};
#[cfg(feature = "concurrent")]
use {
    std::os::fd::{AsFd, OwnedFd},
    std::sync::Arc,
};
#[cfg(feature = "async")]
use {std::task, tokio::io::unix::AsyncFd};

/// Tokens below these two are the numbers of poll handles.
const WAKE: Token = Token(usize::MAX);
const SIGNALS: Token = Token(usize::MAX - 1);

/// The number of events taken from the OS at once, the same as in libuv.
const EVENTS: usize = 1024;

thread_local! {
    /// The event buffer, shared by all loops that wait on this thread.
    static READY: Cell<Vec<libc::epoll_event>> = const { Cell::new(Vec::new()) };
}

/// The poller of a loop.
#[derive(Debug)]
pub(crate) struct Poller {
    /// The poll as registered with tokio, once a task has waited for it. Declared before `poll`, so
    /// that it is dropped first.
    #[cfg(feature = "async")]
    in_task: Option<AsyncFd<RawFd>>,
    /// A duplicate of the poll, registered with tokio, for waits that outlive a borrow of the
    /// poller.
    #[cfg(feature = "concurrent")]
    shared: Option<Arc<AsyncFd<OwnedFd>>>,
    poll: Poll,
    /// The watches of handles that are registered or stale. A map, because the numbers of handles
    /// are shared by all loops: a list would be as long as the highest number.
    watches: HashMap<HandleId, Watch>,
    /// The handle that each watched descriptor is watched for.
    watched: HashMap<RawFd, HandleId>,
    /// Handles whose registrations may be out of date, in the order in which they were marked.
    stale: BTreeMap<u64, HandleId>,
    /// The number of marks so far.
    marks: u64,
    /// The eventfd of the signals, if they end a wait.
    signals: Option<SignalWake>,
    /// A plugin set watches the poll.
    pub(super) is_watched: bool,
}

/// The registration of a handle with the OS.
#[derive(Debug, Clone, Copy, Default)]
struct Watch {
    fd: Option<RawFd>,
    events: PollEvents,
    /// The key of the handle in `Poller::stale`.
    stale: Option<u64>,
}

impl Poller {
    pub(super) fn new(waker: &Waker) -> io::Result<Poller> {
        let poll = Poll::new()?;
        waker.watch(poll.registry(), WAKE)?;
        Ok(Poller {
            #[cfg(feature = "async")]
            in_task: None,
            #[cfg(feature = "concurrent")]
            shared: None,
            poll,
            watches: HashMap::new(),
            watched: HashMap::new(),
            stale: BTreeMap::new(),
            marks: 0,
            signals: None,
            is_watched: false,
        })
    }

    /// Marks the registration of a handle as possibly out of date.
    pub(crate) fn mark_stale(&mut self, handle: HandleId) {
        let watch = self.watches.entry(handle).or_default();
        if watch.stale.is_none() {
            self.marks += 1;
            watch.stale = Some(self.marks);
            self.stale.insert(self.marks, handle);
        }
    }

    /// Removes the registration of a handle at once, because its number will be reused.
    pub(crate) fn forget(&mut self, handle: HandleId) {
        let Some(watch) = self.watches.remove(&handle) else {
            return;
        };
        if let Some(mark) = watch.stale {
            self.stale.remove(&mark);
        }
        if let Some(fd) = watch.fd {
            self.deregister(fd);
        }
    }

    pub(super) fn deregister(&mut self, fd: RawFd) {
        if let Some(handle) = self.watched.remove(&fd) {
            self.lose(handle);
            // It fails only for a descriptor that is not registered, which is the desired state.
            let _ = self.poll.registry().deregister(&mut SourceFd(&fd));
        }
    }

    /// Records that a handle is not registered any more.
    fn lose(&mut self, handle: HandleId) {
        if let Entry::Occupied(mut watch) = self.watches.entry(handle) {
            watch.get_mut().fd = None;
            if watch.get().stale.is_none() {
                watch.remove();
            }
        }
    }

    /// Returns whether polling the OS could return an event of a descriptor.
    pub(crate) fn is_watching(&self) -> bool {
        !self.watched.is_empty()
    }

    /// Returns whether registrations may be out of date.
    pub(crate) fn has_stale(&self) -> bool {
        !self.stale.is_empty()
    }

    /// Updates the registrations. `wanted` returns the events and descriptor that a handle watches,
    /// if any. Returns the handles whose descriptors the OS refuses to watch.
    pub(crate) fn refresh<'a>(
        &mut self,
        mut wanted: impl FnMut(HandleId) -> Option<(BorrowedFd<'a>, PollEvents)>,
    ) -> Vec<HandleId> {
        let mut refused = Vec::new();
        while let Some((_, handle)) = self.stale.pop_first() {
            self.watches.entry(handle).or_default().stale = None;
            match wanted(handle) {
                Some((fd, events)) => {
                    if let Err(error) = self.register(handle, fd, events) {
                        tracing::warn!(%error, "cannot watch a descriptor");
                        self.deregister(fd.as_raw_fd());
                        refused.push(handle);
                    }
                }
                None => self.forget(handle),
            }
        }
        refused
    }

    fn register(&mut self, handle: HandleId, fd: BorrowedFd<'_>, events: PollEvents) -> io::Result<()> {
        let before = self.watched.insert(fd.as_raw_fd(), handle);
        let new = Watch { fd: Some(fd.as_raw_fd()), events, stale: None };
        let old = self.watches.insert(handle, new);
        match before {
            Some(before) if before == handle && old.is_some_and(|old| old.events == events) => return Ok(()),
            Some(before) if before != handle => self.lose(before),
            _ => {}
        }
        let (registry, data) = (self.poll.registry(), epoll::EventData::new_u64(handle.index().into()));
        match before {
            Some(_) => epoll::modify(registry, fd, data, flags(events))?,
            None => epoll::add(registry, fd, data, flags(events))?,
        }
        Ok(())
    }

    /// Sets whether signals end a wait.
    pub(crate) fn watch_signals(&mut self, watch: bool) -> io::Result<()> {
        let registry = self.poll.registry();
        match (watch, self.signals.take()) {
            (true, None) => {
                let wake = SignalWake::new()?;
                registry.register(&mut SourceFd(&wake.fd()), SIGNALS, Interest::READABLE)?;
                self.signals = Some(wake);
            }
            (false, Some(wake)) => registry.deregister(&mut SourceFd(&wake.fd()))?,
            (_, as_before) => self.signals = as_before,
        }
        Ok(())
    }

    /// Waits for at most `timeout` (`None`: without limit) and reports the readiness of each
    /// handle. Returns early, with or without a report, when something else ends the wait.
    #[inline(always)]
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
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
                let data = event.u64;
                if data != WAKE.0 as u64 && data != SIGNALS.0 as u64 {
                    ready(HandleId::from_index(data as u32), readiness(event.events));
                }
            }
        });
        READY.set(room);
        result
    }

    /// Returns the poll's own descriptor, which is readable when the OS has events.
    pub(super) fn fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    /// Registers the poll with tokio.
    #[cfg(feature = "async")]
    pub(super) fn watch_in_task(&mut self) -> io::Result<()> {
        if self.in_task.is_none() {
            self.in_task = Some(watched_by_tokio(&self.poll)?);
        }
        Ok(())
    }

    /// Returns whether the OS has events. If not, the task is woken when it has. The poll must be
    /// registered with tokio.
    #[cfg(feature = "async")]
    pub(super) fn has_something(&self, context: &mut task::Context<'_>) -> task::Poll<io::Result<()>> {
        match &self.in_task {
            Some(watched) => watched.poll_read_ready(context).map_ok(|mut guard| guard.clear_ready()),
            None => task::Poll::Pending,
        }
    }

    /// Returns the poll as registered with tokio, for a wait that owns it.
    #[cfg(feature = "concurrent")]
    pub(super) fn watch_shared(&mut self) -> io::Result<Arc<AsyncFd<OwnedFd>>> {
        if let Some(shared) = &self.shared {
            return Ok(shared.clone());
        }
        let duplicate = rustix::io::fcntl_dupfd_cloexec(self.poll.registry().as_fd(), 0)?;
        let shared = Arc::new(watched_with(duplicate)?);
        self.shared = Some(shared.clone());
        Ok(shared)
    }

    /// Returns an error for a descriptor that the OS cannot watch, as uv__io_check_fd.
    pub(crate) fn check(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        let registry = self.poll.registry();
        match epoll::add(registry, fd, epoll::EventData::new_u64(WAKE.0 as u64), epoll::EventFlags::IN) {
            Ok(()) => Ok(epoll::delete(registry, fd)?),
            // The descriptor is registered for a handle that was stopped in this iteration.
            Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(feature = "async")]
#[expect(
    unsafe_code,
    reason = "tokio cannot check that the descriptor stays open; a duplicate would use one more"
)]
fn watched_by_tokio(poll: &Poll) -> io::Result<AsyncFd<RawFd>> {
    // SAFETY: the poll owns the descriptor and outlives the registration: see the field order of
    // `Poller`.
    let watched = unsafe { AsyncFd::register_with_interest(poll.as_raw_fd(), tokio::io::Interest::READABLE) };
    watched.map_err(Into::into)
}

/// Registers a descriptor with tokio.
#[cfg(feature = "concurrent")]
#[expect(unsafe_code, reason = "tokio cannot check that the descriptor stays open")]
fn watched_with(duplicate: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` keeps its descriptor open until it is dropped, and the registration owns
    // it.
    let watched = unsafe { AsyncFd::register_with_interest(duplicate, tokio::io::Interest::READABLE) };
    watched.map_err(Into::into)
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

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{SendFlags, send};
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    fn watching(fd: BorrowedFd<'_>, events: PollEvents) -> Poller {
        let mut poller = Poller::new(&Waker::default()).unwrap();
        poller.mark_stale(HandleId::from_index(7));
        assert!(poller.refresh(|_| Some((fd, events))).is_empty());
        poller
    }

    #[test]
    fn a_removed_handle_is_not_refreshed() {
        let mut poller = Poller::new(&Waker::default()).unwrap();
        let (ours, _theirs) = connection();
        let (gone, next) = (HandleId::from_index(7), HandleId::from_index(8));
        poller.mark_stale(gone);
        poller.mark_stale(next);
        poller.forget(gone);
        poller.refresh(|handle| {
            assert_eq!(handle, next);
            Some((ours.as_fd(), PollEvents::READABLE))
        });
        // The number has been reused.
        poller.mark_stale(gone);
        poller.forget(gone);
        poller.mark_stale(gone);
        let mut asked = 0;
        poller.refresh(|handle| {
            assert_eq!(handle, gone);
            asked += 1;
            None
        });
        assert_eq!(asked, 1);
    }

    #[test]
    fn the_memory_of_a_poller_is_bounded_by_the_handles_that_exist() {
        let mut poller = Poller::new(&Waker::default()).unwrap();
        let (ours, theirs) = connection();
        let high = HandleId::from_index(1_000_000);
        for _ in 0..100_000 {
            poller.mark_stale(high);
            poller.forget(high);
        }
        assert!(!poller.has_stale());
        assert!(poller.stale.is_empty() && poller.watches.capacity() < 10);

        // A handle that is registered, one that is stopped later, and one that never is.
        for (n, fd) in [(7, Some(ours.as_fd())), (8, Some(theirs.as_fd())), (1_000_000, None)] {
            poller.mark_stale(HandleId::from_index(n));
            poller.refresh(|_| fd.map(|fd| (fd, PollEvents::READABLE)));
        }
        assert_eq!((poller.watches.len(), poller.watched.len()), (2, 2));
        poller.mark_stale(HandleId::from_index(8));
        poller.refresh(|_| None);
        // The descriptor changes its handle.
        poller.mark_stale(high);
        poller.refresh(|_| Some((ours.as_fd(), PollEvents::WRITABLE)));
        assert_eq!((poller.watches.len(), poller.watched.len()), (1, 1));
        poller.deregister(ours.as_raw_fd());
        assert!(poller.watches.is_empty() && !poller.is_watching());
        assert!(poller.watches.capacity() < 10 && poller.watched.capacity() < 10);
    }

    #[test]
    fn handles_are_registered_in_the_order_of_their_last_mark() {
        let mut poller = Poller::new(&Waker::default()).unwrap();
        let [one, two, three] = [3, 2, 1].map(HandleId::from_index);
        [one, two, one, three].into_iter().for_each(|handle| poller.mark_stale(handle));
        poller.forget(one);
        poller.mark_stale(one);
        let mut order = Vec::new();
        poller.refresh(|handle| {
            order.push(handle);
            None
        });
        assert_eq!(order, [two, three, one]);
    }

    /// Waits until the descriptor has at least this readiness.
    fn wait_for(poller: &mut Poller, expected: Readiness) {
        let mut seen = Readiness::empty();
        while seen != expected {
            poller
                .wait(None, |handle, readiness| {
                    assert_eq!(handle.index(), 7);
                    assert!(expected.contains(readiness), "{readiness:?}");
                    seen = readiness;
                })
                .unwrap();
        }
    }

    #[test]
    fn urgent_data_alone_is_not_readable() {
        let (mut ours, theirs) = connection();
        let mut poller = watching(theirs.as_fd(), PollEvents::READABLE | PollEvents::PRIORITIZED);
        assert_eq!(send(&ours, b"!", SendFlags::OOB), Ok(1));
        wait_for(&mut poller, Readiness::PRIORITIZED);
        ours.write_all(b"normal").unwrap();
        wait_for(&mut poller, Readiness::PRIORITIZED | Readiness::READABLE);
    }

    #[test]
    fn readiness_is_level_triggered() {
        let (mut ours, theirs) = connection();
        let mut poller = watching(theirs.as_fd(), PollEvents::READABLE);
        ours.write_all(b"data").unwrap();
        for _ in 0..3 {
            wait_for(&mut poller, Readiness::READABLE);
        }
        let handle = HandleId::from_index(7);
        poller.mark_stale(handle);
        assert!(poller.refresh(|_| Some((theirs.as_fd(), PollEvents::DISCONNECT))).is_empty());
        poller.wait(Some(Duration::ZERO), |_, readiness| panic!("{readiness:?} was not requested")).unwrap();
        drop(ours);
        wait_for(&mut poller, Readiness::DISCONNECT);
        poller.mark_stale(handle);
        poller.forget(handle);
        assert!(poller.refresh(|_| unreachable!("the number may have been reused")).is_empty());
        assert!(!poller.is_watching() && !poller.has_stale());
        poller.wait(Some(Duration::ZERO), |_, readiness| panic!("{readiness:?} after the end")).unwrap();
    }
}
