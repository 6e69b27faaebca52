//! The waker of a loop: ends its wait from any thread.

use crate::os::task_waker::TaskWaker;
use mio::{Registry, Token};
use std::io;
#[cfg(feature = "concurrent")]
use std::pin::Pin;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, OnceLock};
#[cfg(feature = "concurrent")]
use tokio::sync::{Notify, futures::OwnedNotified};

/// Ends the wait of one loop. A loop that waits in a task or in a plugin set has no poller until it
/// has a descriptor to watch. Without a poller, the guest's task is woken.
#[derive(Debug)]
pub(crate) struct Waker {
    /// The waker of the loop's poller.
    poller: OnceLock<mio::Waker>,
    /// The guest's task, woken while the loop has no poller.
    task: Arc<TaskWaker>,
    /// The waits of tasks of the instance, once there has been one for this loop.
    #[cfg(feature = "concurrent")]
    waits: OnceLock<Arc<Notify>>,
}

#[cfg(test)]
impl Default for Waker {
    fn default() -> Waker {
        Waker::new(Arc::default())
    }
}

impl Waker {
    pub(super) fn new(task: Arc<TaskWaker>) -> Waker {
        Waker {
            poller: OnceLock::new(),
            task,
            #[cfg(feature = "concurrent")]
            waits: OnceLock::new(),
        }
    }

    /// Ends the wait in progress, or else the next one. The caller must publish the cause before
    /// the call.
    pub(crate) fn wake(&self) -> io::Result<()> {
        // Either this thread sees the poller, or the thread that made it sees the published cause:
        // see `watch`.
        fence(Ordering::SeqCst);
        match self.poller.get() {
            Some(poller) => poller.wake(),
            None => {
                self.task.wake();
                #[cfg(feature = "concurrent")]
                self.recheck();
                Ok(())
            }
        }
    }

    /// Wakes the guest's task and the waits for this loop: the OS has events for it.
    #[cfg(windows)]
    pub(super) fn wake_outside(&self) {
        self.task.wake();
        #[cfg(feature = "concurrent")]
        self.recheck();
    }

    /// Lets the waits for this loop look again.
    #[cfg(feature = "concurrent")]
    #[inline]
    pub(super) fn recheck(&self) {
        if let Some(waits) = self.waits.get() {
            waits.notify_waiters();
        }
    }

    /// Returns whether a task has ever waited for this loop.
    #[cfg(feature = "concurrent")]
    pub(super) fn has_waits(&self) -> bool {
        self.waits.get().is_some()
    }

    /// Begins a wait of a task. Every later `recheck` ends it, and so does every later `wake` while
    /// the loop has no poller.
    #[cfg(feature = "concurrent")]
    pub(super) fn begin_wait(&self) -> Pin<Box<OwnedNotified>> {
        let mut woken = Box::pin(self.waits.get_or_init(Arc::default).clone().notified_owned());
        woken.as_mut().enable();
        // Either a waking thread sees this wait, or this thread sees the published cause: see `wake`.
        fence(Ordering::SeqCst);
        woken
    }

    /// Connects the waker to a new poller.
    pub(super) fn watch(&self, registry: &Registry, token: Token) -> io::Result<()> {
        let waker = mio::Waker::new(registry, token)?;
        // It is not set yet, because a loop has one poller.
        let _ = self.poller.set(waker);
        fence(Ordering::SeqCst);
        Ok(())
    }
}
