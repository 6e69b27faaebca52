//! The loops and sets that a thread wakes when a signal was delivered, where a signal handler cannot
//! do so by itself.

use slab::Slab;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static LISTENERS: Mutex<Slab<Arc<Listener>>> = Mutex::new(Slab::new());

struct Listener {
    delivered: AtomicBool,
    wake: Box<dyn Fn() -> io::Result<()> + Send + Sync>,
}

/// Makes deliveries wake a loop or a set, until it is dropped.
pub(super) struct SignalListener {
    at: usize,
    listener: Arc<Listener>,
}

impl SignalListener {
    /// Makes [`wake_listeners`] call this function.
    pub(super) fn new(wake: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> SignalListener {
        let listener = Arc::new(Listener { delivered: AtomicBool::new(false), wake: Box::new(wake) });
        let at = listeners().insert(listener.clone());
        SignalListener { at, listener }
    }

    /// Returns whether there was a delivery since the last call.
    pub(super) fn take_delivery(&self) -> bool {
        self.listener.delivered.swap(false, Ordering::AcqRel)
    }
}

impl Drop for SignalListener {
    fn drop(&mut self) {
        listeners().remove(self.at);
    }
}

impl fmt::Debug for SignalListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalListener").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Wakes all of them. The delivery must have been published.
pub(super) fn wake_listeners() {
    // Not under the lock: a wake may run code of the embedder.
    let all: Vec<Arc<Listener>> = listeners().iter().map(|(_, listener)| listener.clone()).collect();
    for listener in all {
        listener.delivered.store(true, Ordering::Release);
        if let Err(error) = (listener.wake)() {
            tracing::error!(%error, "cannot wake a loop that watches signals");
        }
    }
}

/// Locks the table. It is valid at any moment, so poisoning is ignored.
fn listeners() -> MutexGuard<'static, Slab<Arc<Listener>>> {
    LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
}
