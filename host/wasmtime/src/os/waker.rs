//! Ending the wait of a loop, from any thread.

use crate::os::task_waker::TaskWaker;
use mio::{Registry, Token};
use std::io;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, OnceLock};

/// Ends the wait of one loop. A loop that waits in a task, or in a set of plugins, has no poller as long as it has no
/// descriptor to wait for: then it is the guest's task that is woken.
#[derive(Debug)]
pub(crate) struct Waker {
    /// Of the loop's poller.
    poller: OnceLock<mio::Waker>,
    /// Woken while the loop has no poller.
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

    /// Ends the wait in progress, or else the next one. Whoever calls it has said before what there is to see.
    pub(crate) fn wake(&self) -> io::Result<()> {
        // Either the poller is seen here, or whoever made it sees what was said before: see `watch`.
        fence(Ordering::SeqCst);
        match self.poller.get() {
            Some(poller) => poller.wake(),
            None => {
                self.task.wake();
                Ok(())
            }
        }
    }

    /// Lets it end the waits of a poller that has just been made.
    pub(super) fn watch(&self, registry: &Registry, token: Token) -> io::Result<()> {
        let waker = mio::Waker::new(registry, token)?;
        // It has none yet: a loop has one poller.
        let _ = self.poller.set(waker);
        fence(Ordering::SeqCst);
        Ok(())
    }
}
