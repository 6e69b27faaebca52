//! Ending a guest from outside, also one that is blocked inside the host.

use crate::os::Waker;
use crate::task_waker::TaskWaker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use thiserror::Error;

/// Ends a guest from any thread. From [`UvCtx::interrupt_handle`](crate::UvCtx::interrupt_handle).
///
/// The interrupt is sticky: a guest that is not waiting now is ended when it next asks for an event. Its
/// call fails with an error that downcasts to [`Interrupted`], none of its code runs any more, and
/// what it had open is closed.
///
/// A guest that computes without end and never comes back to its loop is reached by way of wasmtime's epochs:
/// see [`interrupt_by_epochs_sync`](crate::interrupt_by_epochs_sync). Epochs and fuel alone do not reach a guest
/// that is blocked inside the host. For an orderly end, send the guest a wake-up, and let it stop its loop.
#[derive(Debug, Clone)]
pub struct InterruptHandle {
    shared: Arc<Shared>,
}

/// The error that an interrupted guest's call fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the host interrupted the guest")]
pub struct Interrupted;

#[derive(Debug, Default)]
struct Shared {
    interrupted: AtomicBool,
    /// What ends the waits of the guest's loops.
    wakers: Mutex<Vec<Weak<Waker>>>,
    /// The guest's own task, if it waits in one, or its place in a set of plugins.
    task: TaskWaker,
}

impl InterruptHandle {
    /// Ends the guest. Once is enough, for ever.
    pub fn interrupt(&self) {
        self.shared.interrupted.store(true, Ordering::SeqCst);
        self.shared.task.wake();
        let wakers = self.shared.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        for waker in wakers.iter().filter_map(Weak::upgrade) {
            // The flag is read before every wait. Only a wait in progress needs the wake-up.
            if let Err(error) = waker.wake() {
                tracing::error!(%error, "a waiting guest can not be woken");
            }
        }
    }

    /// Whether the guest has been interrupted.
    pub fn is_interrupted(&self) -> bool {
        self.shared.interrupted.load(Ordering::SeqCst)
    }

    /// What wakes the guest's task, for this or for anything else.
    pub(crate) fn task(&self) -> &TaskWaker {
        &self.shared.task
    }

    pub(crate) fn new() -> InterruptHandle {
        InterruptHandle { shared: Arc::default() }
    }

    /// Lets an interrupt end the waits that this waker ends. A wait that begins afterwards and has
    /// read the flag before is ended, because the list is complete by then.
    pub(crate) fn add(&self, waker: &Arc<Waker>) {
        let mut wakers = self.shared.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.retain(|waker| waker.strong_count() > 0);
        wakers.push(Arc::downgrade(waker));
    }
}
