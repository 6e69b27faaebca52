//! The pollers and wakers of a guest's loops.

use crate::os::Waker;
use crate::os::interrupt::Interrupt;
use crate::os::poller::Poller;
#[cfg(feature = "async")]
use crate::os::poller::watched_with;
#[cfg(feature = "async")]
use crate::os::signals;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use uv_handles_core::LoopId;
#[cfg(feature = "concurrent")]
use {
    std::future::Future,
    std::pin::{Pin, pin},
    tokio::sync::futures::OwnedNotified,
};
#[cfg(feature = "async")]
use {std::os::fd::OwnedFd, std::task::Poll, tokio::io::unix::AsyncFd};

/// The pollers of a guest's loops, by the number of the loop. A poller is made when its loop first
/// needs one: to block a thread, or to watch descriptors or signals.
#[derive(Debug)]
pub(crate) struct Pollers {
    pollers: Vec<Option<Poller>>,
    /// The wakers of the loops, with and without pollers.
    wakers: Vec<Option<Arc<Waker>>>,
    /// Ends the waits of all loops.
    interrupt: Arc<Interrupt>,
    /// A plugin set or the guest's task watches the signals on behalf of the loops.
    pub(crate) signals_are_watched: bool,
    /// The descriptor of the signals, registered with tokio, once a task has waited for signals.
    ///
    /// tokio watches the loops' pollers. They must not watch this descriptor too, because Linux
    /// allows at most 500 pollers that are themselves watched to watch a file.
    #[cfg(feature = "async")]
    signals: Option<Arc<AsyncFd<OwnedFd>>>,
}

impl Pollers {
    pub(crate) fn new(interrupt: Arc<Interrupt>) -> Pollers {
        Pollers {
            pollers: Vec::new(),
            wakers: Vec::new(),
            interrupt,
            signals_are_watched: false,
            #[cfg(feature = "async")]
            signals: None,
        }
    }

    /// Returns the waker that ends the loop's wait from any thread.
    pub(crate) fn waker(&mut self, id: LoopId) -> Arc<Waker> {
        let at = id.index() as usize;
        if self.wakers.len() <= at {
            self.wakers.resize_with(at + 1, || None);
        }
        let make = || Arc::new(Waker::new(self.interrupt.task().clone()));
        self.wakers[at].get_or_insert_with(make).clone()
    }

    /// Returns whether no loop has a poller.
    #[cfg(feature = "async")]
    pub(crate) fn is_empty(&self) -> bool {
        self.pollers.iter().all(Option::is_none)
    }

    /// Returns the loop's poller, and makes it if necessary.
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
        Ok(self.pollers[at].as_mut().expect("the poller has been made"))
    }

    /// Returns the loop's poller if it has been made.
    pub(crate) fn made(&mut self, id: LoopId) -> Option<&mut Poller> {
        self.pollers.get_mut(id.index() as usize)?.as_mut()
    }

    /// Removes the poller of a released loop, before the loop's number is reused.
    pub(crate) fn remove(&mut self, id: LoopId) {
        let at = id.index() as usize;
        if let Some(poller) = self.pollers.get_mut(at) {
            *poller = None;
        }
        if let Some(waker) = self.wakers.get_mut(at) {
            *waker = None;
        }
    }

    /// Lets the waits of a task watch the signals, or not. Call it before the events of the wait
    /// are collected: every later delivery ends the wait.
    #[cfg(feature = "async")]
    pub(crate) fn watch_signals_in_task(&mut self, watch: bool) -> io::Result<()> {
        self.signals_are_watched = true;
        if watch && self.signals.is_none() {
            self.signals = Some(Arc::new(watched_with(signals::wake_duplicate()?)?));
        } else if !watch {
            self.signals = None;
        }
        Ok(())
    }

    /// Waits in a task until the OS has events for one of these loops, or the task is woken: for
    /// one of the loops, or because the guest is interrupted. The future can be dropped at any
    /// time.
    #[cfg(feature = "async")]
    pub(crate) async fn wait_in_task(&mut self, ids: &[LoopId]) -> io::Result<()> {
        for &id in ids {
            if let Some(poller) = self.made(id) {
                poller.watch_in_task()?;
            }
        }
        std::future::poll_fn(|context| {
            if self.interrupt.task().poll_woken(context).is_ready() || self.interrupt.is_set() {
                return Poll::Ready(Ok(()));
            }
            if let Some(signals) = &self.signals
                && let Poll::Ready(result) = signals.poll_read_ready(context)
            {
                return Poll::Ready(result.map(|mut guard| guard.clear_ready()));
            }
            let mut asked = self.pollers.iter().flatten().map(|poller| poller.has_something(context));
            asked.find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await
    }

    /// Begins a wait that owns everything that can end it. Every later wake of the guest ends it.
    #[cfg(feature = "concurrent")]
    pub(crate) fn owned_wait(&self) -> OwnedWait {
        let mut woken = Box::pin(self.interrupt.task().all().notified_owned());
        woken.as_mut().enable();
        OwnedWait { woken, watched: None, signals: self.signals.clone() }
    }

    /// Adds the OS's events for this loop to the wait.
    #[cfg(feature = "concurrent")]
    pub(crate) fn watch_for(&mut self, id: LoopId, mut wait: OwnedWait) -> io::Result<OwnedWait> {
        if let Some(poller) = self.made(id) {
            wait.watched = Some(poller.watch_shared()?);
        }
        Ok(wait)
    }

    /// Calls `watch` with the descriptor of each poller that is not watched yet.
    pub(crate) fn watch_all(&mut self, mut watch: impl FnMut(RawFd) -> io::Result<()>) -> io::Result<()> {
        for poller in self.pollers.iter_mut().flatten().filter(|poller| !poller.is_watched) {
            watch(poller.fd())?;
            poller.is_watched = true;
        }
        Ok(())
    }

    /// Calls `forget` with the descriptor of each watched poller.
    pub(crate) fn forget_all(&mut self, mut forget: impl FnMut(RawFd)) {
        for poller in self.pollers.iter_mut().flatten() {
            if std::mem::take(&mut poller.is_watched) {
                forget(poller.fd());
            }
        }
    }

    /// Removes a descriptor that is about to be closed from every loop's poller. If a duplicate of
    /// it lives on, the OS would report its events forever.
    pub(crate) fn forget_descriptor(&mut self, fd: RawFd) {
        self.pollers.iter_mut().flatten().for_each(|poller| poller.deregister(fd));
    }
}

/// A wait for one loop that borrows nothing of the guest's context.
#[cfg(feature = "concurrent")]
pub(crate) struct OwnedWait {
    woken: Pin<Box<OwnedNotified>>,
    /// The loop's poller, if it has one.
    watched: Option<Arc<AsyncFd<OwnedFd>>>,
    /// The signals, if the guest watches one.
    signals: Option<Arc<AsyncFd<OwnedFd>>>,
}

#[cfg(feature = "concurrent")]
impl OwnedWait {
    /// Waits until the guest is woken or the OS has events for the loop. It may return without a
    /// cause. The future can be dropped at any time.
    pub(crate) async fn woken(&mut self) -> io::Result<()> {
        let OwnedWait { woken, watched, signals } = self;
        let mut readable = pin!(any_readable([watched.as_deref(), signals.as_deref()]));
        std::future::poll_fn(|context| match woken.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Ok(())),
            Poll::Pending => readable.as_mut().poll(context),
        })
        .await
    }
}

/// Waits until one of the descriptors is readable.
#[cfg(feature = "concurrent")]
async fn any_readable(all: [Option<&AsyncFd<OwnedFd>>; 2]) -> io::Result<()> {
    // Each future registers the task of its own: several tasks may wait for one descriptor.
    let mut all = all.map(|watched| watched.map(|watched| Box::pin(watched.readable())));
    std::future::poll_fn(|context| {
        for readable in all.iter_mut().flatten() {
            if let Poll::Ready(result) = readable.as_mut().poll(context) {
                return Poll::Ready(result.map(|mut guard| guard.clear_ready()));
            }
        }
        Poll::Pending
    })
    .await
}

impl Drop for Pollers {
    fn drop(&mut self) {
        self.interrupt.task().forget();
    }
}
