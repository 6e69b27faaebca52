//! The waker of a loop: ends its wait from any thread.

use crate::os::task_waker::TaskWaker;
use mio::{Registry, Token};
use std::io;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, OnceLock};

/// Ends the wait of one loop. A loop that waits in a task or in a plugin set has no poller until it
/// has a descriptor to watch. Without a poller, the guest's task is woken.
#[derive(Debug)]
pub(crate) struct Waker {
    /// The waker of the loop's poller.
    poller: OnceLock<mio::Waker>,
    /// The guest's task, woken while the loop has no poller.
    task: Arc<TaskWaker>,
}

#[cfg(test)]
impl Default for Waker {
    fn default() -> Waker {
        Waker::new(Arc::default())
    }
}

impl Waker {
    pub(super) fn new(task: Arc<TaskWaker>) -> Waker {
        Waker { poller: OnceLock::new(), task }
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
                Ok(())
            }
        }
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
