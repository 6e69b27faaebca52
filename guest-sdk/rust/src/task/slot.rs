//! A slot that hands a value from a callback to a task.

use std::cell::Cell;
use std::task::{Context, Poll, Waker};

/// A place for one value, and for the waker of the task that waits for it.
pub(super) struct Slot<T> {
    value: Cell<Option<T>>,
    waker: Cell<Option<Waker>>,
}

impl<T> Slot<T> {
    pub(super) const fn new() -> Self {
        Self { value: Cell::new(None), waker: Cell::new(None) }
    }

    /// Puts a value in, replaces one that has not been taken, and wakes the task that waits.
    pub(super) fn put(&self, value: T) {
        self.value.set(Some(value));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Takes the value, if there is one.
    pub(super) fn take(&self) -> Option<T> {
        self.value.take()
    }

    /// Takes the value, or waits for it. The waker replaces the one before.
    pub(super) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<T> {
        match self.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                self.waker.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slot;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_last_task_that_waits_is_woken_once() {
        let (first, last) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let slot = Slot::new();
        for count in [&first, &last] {
            let waker = Waker::from(count.clone());
            assert_eq!(slot.poll_take(&mut Context::from_waker(&waker)), Poll::Pending);
        }
        slot.put(1);
        slot.put(2);
        assert_eq!((first.0.load(Ordering::Relaxed), last.0.load(Ordering::Relaxed)), (0, 1));
        assert_eq!((slot.take(), slot.take()), (Some(2), None));
    }
}
