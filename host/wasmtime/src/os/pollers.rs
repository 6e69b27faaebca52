//! The pollers and wakers of a guest's loops.

use crate::os::Waker;
use crate::os::family::fd::RawFd;
use crate::os::interrupt::Interrupt;
use crate::os::poller::Poller;
use mio::{Registry, Token};
use std::io;
use std::sync::Arc;
#[cfg(feature = "async")]
use std::task::{Context, Poll};
use uv_handles_core::LoopId;
#[cfg(feature = "concurrent")]
use {
    crate::os::family::outside::Shared,
    std::future::Future,
    std::pin::{Pin, pin},
    tokio::sync::futures::OwnedNotified,
};

/// The pollers of a guest's loops, by the number of the loop. A poller is made when its loop first
/// needs one: to block a thread, or to watch descriptors or signals.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Pollers {
    /// The wakers of the loops, with and without pollers.
    wakers: Vec<Option<Arc<Waker>>>,
    /// Ends the waits of all loops.
    interrupt: Arc<Interrupt>,
    /// A plugin set watches the signals on behalf of the loops.
    pub(crate) signals_are_watched: bool,
    /// A task of the instance has waited for a loop.
    #[cfg(feature = "concurrent")]
    pub(crate) has_waits: bool,
    /// The plugin's callbacks are called while its exports are suspended.
    #[cfg(feature = "concurrent")]
    rechecks_in_task: bool,
    pollers: Vec<Option<Poller>>,
}

impl Pollers {
    pub(crate) fn new(interrupt: Arc<Interrupt>) -> Pollers {
        Pollers {
            pollers: Vec::new(),
            wakers: Vec::new(),
            interrupt,
            signals_are_watched: false,
            #[cfg(feature = "concurrent")]
            has_waits: false,
            #[cfg(feature = "concurrent")]
            rechecks_in_task: false,
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
                // Waits that began without the poller would miss its events.
                #[cfg(feature = "concurrent")]
                waker.recheck();
            }
        }
        Ok(self.pollers[at].as_mut().expect("the poller has been made"))
    }

    /// Sets whether signals end a wait of the loop.
    pub(crate) fn watch_signals(&mut self, id: LoopId, watch: bool) -> io::Result<()> {
        if self.get(id)?.watches_signals() == watch {
            return Ok(());
        }
        let waker = self.waker(id);
        self.get(id)?.watch_signals(watch, &waker)
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
        if let Some(waker) = self.wakers.get_mut(at).and_then(Option::take) {
            // A wait for the loop ends with an error.
            #[cfg(feature = "concurrent")]
            waker.recheck();
            drop(waker);
        }
    }

    /// Waits in a task until the OS has events for one of these loops, or the task is woken: for
    /// one of the loops, or because the guest is interrupted. The future can be dropped at any
    /// time.
    #[cfg(feature = "async")]
    pub(crate) async fn wait_in_task(&mut self, ids: &[LoopId]) -> io::Result<()> {
        self.watch_in_task(ids)?;
        std::future::poll_fn(|context| self.poll_in_task(context)).await
    }

    /// Registers the pollers of these loops with tokio.
    #[cfg(feature = "async")]
    pub(crate) fn watch_in_task(&mut self, ids: &[LoopId]) -> io::Result<()> {
        for &id in ids {
            if let Some(poller) = self.made(id) {
                poller.watch_in_task()?;
            }
        }
        Ok(())
    }

    /// Polls for the end of a wait in a task: see `wait_in_task`.
    #[cfg(feature = "async")]
    pub(crate) fn poll_in_task(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.interrupt.task().poll_woken(context).is_ready() || self.interrupt.is_set() {
            return Poll::Ready(Ok(()));
        }
        let mut asked = self.pollers.iter().flatten().map(|poller| poller.has_something(context));
        asked.find(Poll::is_ready).unwrap_or(Poll::Pending)
    }

    /// Makes every `recheck`, of any loop, end the wait of the guest's task too.
    #[cfg(feature = "concurrent")]
    pub(crate) fn recheck_wakes_task(&mut self) {
        (self.has_waits, self.rechecks_in_task) = (true, true);
    }

    /// Begins a wait for one loop that owns everything that can end it: a wake of the loop, an
    /// interrupt, and a `recheck` of the loop.
    #[cfg(feature = "concurrent")]
    pub(crate) fn owned_wait(&mut self, id: LoopId) -> OwnedWait {
        let waker = self.waker(id);
        let is_first = !waker.has_waits();
        let woken = waker.begin_wait();
        if is_first {
            self.interrupt.add(&waker);
            self.has_waits = true;
        }
        OwnedWait { woken, watched: None }
    }

    /// Lets the waits for this loop look again. Waits for other loops are not woken.
    #[cfg(feature = "concurrent")]
    #[inline]
    pub(crate) fn recheck(&self, id: LoopId) {
        if self.rechecks_in_task {
            self.interrupt.task().wake();
        }
        if let Some(Some(waker)) = self.wakers.get(id.index() as usize) {
            waker.recheck();
        }
    }

    /// Adds the OS's events for this loop to the wait.
    #[cfg(feature = "concurrent")]
    pub(crate) fn watch_for(&mut self, id: LoopId, mut wait: OwnedWait) -> io::Result<OwnedWait> {
        if let Some(poller) = self.made(id) {
            wait.watched = Some(poller.watch_shared()?);
        }
        Ok(wait)
    }

    /// Registers those pollers with the poll of a set that are not registered yet. Returns whether
    /// there are any pollers.
    pub(crate) fn watch_in_set(&mut self, set: &Registry, token: Token) -> io::Result<bool> {
        let mut any = false;
        for poller in self.pollers.iter_mut().flatten() {
            poller.watch_in_set(set, token)?;
            any = true;
        }
        Ok(any)
    }

    /// Takes the pollers out of the poll of a set.
    pub(crate) fn forget_in_set(&mut self, set: &Registry) {
        self.pollers.iter_mut().flatten().for_each(|poller| poller.forget_in_set(set));
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
    watched: Option<Shared>,
}

#[cfg(feature = "concurrent")]
impl OwnedWait {
    /// Waits until the guest is woken or the OS has events for the loop. It may return without a
    /// cause. The future can be dropped at any time.
    pub(crate) async fn woken(&mut self) -> io::Result<()> {
        let OwnedWait { woken, watched } = self;
        let Some(watched) = watched else {
            woken.await;
            return Ok(());
        };
        let mut has_something = pin!(watched.has_something());
        std::future::poll_fn(|context| match woken.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Ok(())),
            Poll::Pending => has_something.as_mut().poll(context),
        })
        .await
    }
}

impl Drop for Pollers {
    fn drop(&mut self) {
        self.interrupt.task().forget();
    }
}
