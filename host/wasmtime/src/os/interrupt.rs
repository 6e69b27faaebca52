//! The state behind an interrupt: a sticky flag and everything that it has to wake.

use crate::os::Waker;
use crate::os::task_waker::TaskWaker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Shared by a guest's context, the wakers of its loops and every interrupt handle.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    interrupted: AtomicBool,
    /// End the waits of the guest's loops.
    wakers: Mutex<Vec<Weak<Waker>>>,
    /// The task that the guest waits in, or its place in a set of plugins.
    task: Arc<TaskWaker>,
}

impl Interrupt {
    /// Sets the flag and ends all waits. Idempotent.
    pub(crate) fn set(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
        self.task.wake();
        let wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        for waker in wakers.iter().filter_map(Weak::upgrade) {
            // The flag is read before every wait. Only a wait in progress needs the wake-up.
            if let Err(error) = waker.wake() {
                tracing::error!(%error, "cannot wake an interrupted guest");
            }
        }
    }

    /// Whether the flag is set.
    pub(crate) fn is_set(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// Wakes the guest's task, for an interrupt or any other reason.
    pub(crate) fn task(&self) -> &Arc<TaskWaker> {
        &self.task
    }

    /// Adds a waker that an interrupt wakes. A wait that begins afterwards and has read the flag
    /// before is ended, because the list is complete by then.
    pub(crate) fn add(&self, waker: &Arc<Waker>) {
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.retain(|waker| waker.strong_count() > 0);
        wakers.push(Arc::downgrade(waker));
    }
}
