//! Waking the task that a guest waits in, from any thread.

use atomic_waker::AtomicWaker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
#[cfg(feature = "concurrent")]
use {
    std::sync::{Arc, OnceLock},
    tokio::sync::Notify,
};

/// Wakes the one task that waits for a guest, whatever it waits for. All that can end a wait from outside - a wake-up,
/// an interrupt, a call - says first what there is to see and then wakes; the task sees it when it looks again.
#[derive(Debug, Default)]
pub(crate) struct TaskWaker {
    /// Set by a wake-up, cleared by a look.
    woken: AtomicBool,
    task: AtomicWaker,
    /// Woken as well, each time: the waits of several tasks of one instance.
    #[cfg(feature = "concurrent")]
    all: OnceLock<Arc<Notify>>,
}

impl TaskWaker {
    /// Ends the wait in progress, or else the next one.
    pub(crate) fn wake(&self) {
        // An exchange, so that a look after the last of several wake-ups sees the cause of each.
        self.woken.swap(true, Ordering::SeqCst);
        self.task.wake();
        #[cfg(feature = "concurrent")]
        if let Some(all) = self.all.get() {
            all.notify_waiters();
        }
    }

    /// Wakes everyone who waits at the moment of a wake-up. It is registered before they look.
    #[cfg(feature = "concurrent")]
    pub(crate) fn all(&self) -> Arc<Notify> {
        self.all.get_or_init(Arc::default).clone()
    }

    /// Has this task woken, instead of the one before it.
    pub(crate) fn register(&self, context: &Context<'_>) {
        self.task.register(context.waker());
    }

    /// Waits for a wake-up.
    pub(crate) fn poll_woken(&self, context: &Context<'_>) -> Poll<()> {
        self.register(context);
        match self.woken.load(Ordering::SeqCst) && self.woken.swap(false, Ordering::SeqCst) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    /// Lets go of the task: the guest is gone.
    pub(crate) fn forget(&self) {
        self.task.take();
    }
}
