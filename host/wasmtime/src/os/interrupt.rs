//! The state of an interrupt: a sticky flag and wakers.

use crate::os::Waker;
use crate::os::task_waker::TaskWaker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The interrupt of a guest. Its context, the wakers of its loops and all interrupt handles share
/// it.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    interrupted: AtomicBool,
    /// The wakers of the guest's loops.
    wakers: Mutex<Vec<Weak<Waker>>>,
    /// The task that the guest waits in, or its entry in a plugin set.
    task: Arc<TaskWaker>,
}

impl Interrupt {
    /// Sets the flag and ends all waits. Idempotent.
    pub(crate) fn set(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
        self.task.wake();
        let wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        for waker in wakers.iter().filter_map(Weak::upgrade) {
            // The flag is read before every wait. Only a wait in progress needs the wake.
            if let Err(error) = waker.wake() {
                tracing::error!(%error, "cannot wake an interrupted guest");
            }
        }
    }

    /// Returns whether the flag is set.
    pub(crate) fn is_set(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// Returns the waker of the guest's task, for an interrupt or any other cause.
    pub(crate) fn task(&self) -> &Arc<TaskWaker> {
        &self.task
    }

    /// Adds a waker that an interrupt wakes. A wait that begins afterwards ends even if it has read
    /// the flag before the interrupt, because the list already has the waker.
    pub(crate) fn add(&self, waker: &Arc<Waker>) {
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.retain(|waker| waker.strong_count() > 0);
        wakers.push(Arc::downgrade(waker));
    }
}
