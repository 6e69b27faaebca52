//! The waker of the task that a guest waits in.

use atomic_waker::AtomicWaker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
#[cfg(feature = "concurrent")]
use std::{sync::Arc, task::Wake};

/// Wakes the one task that waits for a guest, for any cause. Everything that ends a wait from
/// outside (an async send, an interrupt, a call) first publishes the cause and then wakes. The task
/// checks all causes when it runs.
#[derive(Debug, Default)]
pub(crate) struct TaskWaker {
    /// Set by a wake, cleared by a poll.
    woken: AtomicBool,
    task: AtomicWaker,
}

#[cfg(feature = "concurrent")]
impl Wake for TaskWaker {
    fn wake(self: Arc<TaskWaker>) {
        TaskWaker::wake(&self);
    }
}

impl TaskWaker {
    /// Ends the wait in progress, or else the next one.
    pub(crate) fn wake(&self) {
        // A swap, not a store, so that a poll after the last of several wakes sees the causes of
        // all of them.
        self.woken.swap(true, Ordering::SeqCst);
        self.task.wake();
    }

    /// Registers this task in place of the one before.
    pub(crate) fn register(&self, context: &Context<'_>) {
        self.task.register(context.waker());
    }

    /// Polls for a wake.
    pub(crate) fn poll_woken(&self, context: &Context<'_>) -> Poll<()> {
        self.register(context);
        match self.woken.load(Ordering::SeqCst) && self.woken.swap(false, Ordering::SeqCst) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    /// Drops the task's waker, because the guest is gone.
    pub(crate) fn forget(&self) {
        self.task.take();
    }
}
