//! The poller of one loop: which handle watches which descriptor.
//!
//! Registrations are updated only before a wait, so starting and stopping a handle within one
//! iteration costs no system call.

use crate::os::Waker;
use crate::os::family::fd::{AsRawFd, BorrowedFd, RawFd};
#[cfg(feature = "concurrent")]
use crate::os::family::outside;
use crate::os::family::outside::Outside;
use crate::os::native::selector::Selector;
use crate::os::native::signal_wakes::SignalWake;
use mio::{Registry, Token};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
#[cfg(feature = "async")]
use std::task;
use std::time::Duration;
use uv_handles_core::{HandleId, PollEvents, Readiness};

/// Tokens below these two are the numbers of poll handles.
const WAKE: Token = Token(usize::MAX);
const SIGNALS: Token = Token(usize::MAX - 1);

/// The poller of a loop.
#[derive(Debug)]
pub(crate) struct Poller {
    /// Declared before `selector`, so that it is dropped first.
    outside: Outside,
    selector: Selector,
    /// The watches of handles that are registered or stale. A map, because the numbers of handles
    /// are shared by all loops: a list would be as long as the highest number.
    watches: HashMap<HandleId, Watch>,
    /// The handle that each watched descriptor is watched for.
    watched: HashMap<RawFd, HandleId>,
    /// Handles whose registrations may be out of date, in the order in which they were marked.
    stale: BTreeMap<u64, HandleId>,
    /// The number of marks so far.
    marks: u64,
    /// Lets signals end a wait.
    signals: Option<SignalWake>,
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
    pub(super) fn new(waker: &Arc<Waker>) -> io::Result<Poller> {
        let selector = Selector::new(waker, WAKE)?;
        Ok(Poller {
            outside: Outside::default(),
            selector,
            watches: HashMap::new(),
            watched: HashMap::new(),
            stale: BTreeMap::new(),
            marks: 0,
            signals: None,
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
            let _ = self.selector.remove(fd);
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
        match before {
            Some(_) => self.selector.modify(fd, handle, events),
            None => self.selector.add(fd, handle, events),
        }
    }

    /// Returns whether signals end a wait.
    pub(super) fn watches_signals(&self) -> bool {
        self.signals.is_some()
    }

    /// Sets whether signals end a wait.
    pub(super) fn watch_signals(&mut self, watch: bool, waker: &Arc<Waker>) -> io::Result<()> {
        let registry = self.selector.registry();
        match (watch, self.signals.take()) {
            (true, None) => {
                let waker = waker.clone();
                self.signals = Some(SignalWake::new(registry, SIGNALS, move || waker.wake())?);
            }
            (false, Some(wake)) => wake.remove(registry)?,
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
        ready: impl FnMut(HandleId, Readiness),
    ) -> io::Result<()> {
        let watches = &self.watches;
        let watched = |handle| watches.get(&handle).and_then(|watch| Some((watch.fd?, watch.events)));
        self.selector.wait(timeout, watched, ready)
    }

    /// Registers the poll with tokio.
    #[cfg(feature = "async")]
    pub(super) fn watch_in_task(&mut self) -> io::Result<()> {
        self.outside.watch_in_task(&self.selector)
    }

    /// Returns whether the OS has events. If not, the task is woken when it has. The poll must be
    /// registered with tokio.
    #[cfg(feature = "async")]
    pub(super) fn has_something(&self, context: &mut task::Context<'_>) -> task::Poll<io::Result<()>> {
        self.outside.has_something(context)
    }

    /// Returns the poll as registered with tokio, for a wait that owns it.
    #[cfg(feature = "concurrent")]
    pub(super) fn watch_shared(&mut self) -> io::Result<outside::Shared> {
        self.outside.watch_shared(&self.selector)
    }

    /// Registers the poll with that of a set, unless it is registered. The registration is
    /// edge-triggered: events present at the registration are reported, and remaining events are not
    /// reported again until there are new ones.
    pub(super) fn watch_in_set(&mut self, set: &Registry, token: Token) -> io::Result<()> {
        self.outside.watch_in_set(&self.selector, set, token)
    }

    /// Takes the poll out of that of a set.
    pub(super) fn forget_in_set(&mut self, set: &Registry) {
        self.outside.forget_in_set(&self.selector, set);
    }

    /// Returns an error for a descriptor that the OS cannot watch, as uv__io_check_fd.
    pub(crate) fn check(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.selector.check(fd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::family::fd::AsFd;
    #[cfg(unix)]
    use rustix::net::{SendFlags, send};
    #[cfg(windows)]
    use std::io::Read;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    fn watching(fd: BorrowedFd<'_>, events: PollEvents) -> Poller {
        let mut poller = Poller::new(&Arc::default()).unwrap();
        poller.mark_stale(HandleId::from_index(7));
        assert!(poller.refresh(|_| Some((fd, events))).is_empty());
        poller
    }

    #[test]
    fn a_removed_handle_is_not_refreshed() {
        let mut poller = Poller::new(&Arc::default()).unwrap();
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
        let mut poller = Poller::new(&Arc::default()).unwrap();
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
        let mut poller = Poller::new(&Arc::default()).unwrap();
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
    #[cfg(unix)]
    fn urgent_data_alone_is_not_readable() {
        let (mut ours, theirs) = connection();
        let mut poller = watching(theirs.as_fd(), PollEvents::READABLE | PollEvents::PRIORITIZED);
        assert_eq!(send(&ours, b"!", SendFlags::OOB), Ok(1));
        wait_for(&mut poller, Readiness::PRIORITIZED);
        ours.write_all(b"normal").unwrap();
        wait_for(&mut poller, Readiness::PRIORITIZED | Readiness::READABLE);
    }

    #[test]
    #[cfg(unix)]
    fn unread_data_does_not_wake_a_handle_that_wants_the_end_alone() {
        let (mut ours, theirs) = connection();
        let mut poller = watching(theirs.as_fd(), PollEvents::DISCONNECT);
        ours.write_all(b"data").unwrap();
        assert_eq!(theirs.peek(&mut [0]).unwrap(), 1);
        // An event without consequences may come once.
        poller.wait(Some(Duration::ZERO), |_, readiness| panic!("{readiness:?}")).unwrap();
        let (begun, limit) = (std::time::Instant::now(), Duration::from_millis(20));
        poller.wait(Some(limit), |_, readiness| panic!("{readiness:?}")).unwrap();
        assert!(begun.elapsed() >= limit, "the wait ended after {:?}", begun.elapsed());
        drop(ours);
        wait_for(&mut poller, Readiness::DISCONNECT);
    }

    /// The data that nothing reads makes the wait end now and then at most. The end is noticed all
    /// the same when the data has been read, although no readiness was reported in between.
    #[test]
    #[cfg(windows)]
    fn a_handle_that_wants_the_end_alone_sees_it_after_data() {
        for events in [PollEvents::DISCONNECT, PollEvents::DISCONNECT | PollEvents::PRIORITIZED] {
            let (mut ours, mut theirs) = connection();
            let mut poller = watching(theirs.as_fd(), events);
            ours.write_all(b"data").unwrap();
            let begun = std::time::Instant::now();
            let mut waits = 0;
            while begun.elapsed() < Duration::from_millis(500) {
                poller.wait(Some(Duration::from_millis(500)), |_, found| panic!("{found:?}")).unwrap();
                waits += 1;
            }
            assert!(waits < 50, "{waits} waits in {:?}", begun.elapsed());
            theirs.read_exact(&mut [0; 4]).unwrap();
            drop(ours);
            wait_for(&mut poller, Readiness::DISCONNECT);
        }
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
