//! What is asked of a plugin that lives in a task: a queue, and who is at its two ends.
//!
//! It has no waker of its own: whatever ends the plugin's wait wakes its task, and then the queue is looked at. A channel
//! would be one thing more for each of many plugins to keep, and to touch at each tick.

use crate::ctx::interrupt::InterruptHandle;
use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tokio::sync::Notify;

/// Asks, from any task. Clones ask the same plugin.
pub(crate) struct Requests<R> {
    shared: Arc<Shared<R>>,
}

/// Is asked, in the plugin's task. When it is dropped, the plugin is gone.
pub(crate) struct Taken<R> {
    shared: Arc<Shared<R>>,
}

/// When it is dropped, nothing is asked of the plugin any more, and all that nobody has taken is dropped: the plugin is
/// about to go.
pub(crate) struct Accepting<'a, R>(&'a Taken<R>);

struct Shared<R> {
    state: Mutex<State<R>>,
    /// Has the waker of the plugin's task.
    plugin: InterruptHandle,
    /// For those who wait until the plugin is gone.
    gone: Notify,
}

struct State<R> {
    queue: VecDeque<R>,
    /// How many can ask.
    senders: usize,
    refuses: bool,
    gone: bool,
}

/// A queue to the task of the plugin that this interrupts.
pub(crate) fn requests<R>(plugin: InterruptHandle) -> (Requests<R>, Taken<R>) {
    let state = Mutex::new(State { queue: VecDeque::new(), senders: 1, refuses: false, gone: false });
    let shared = Arc::new(Shared { state, plugin, gone: Notify::new() });
    (Requests { shared: shared.clone() }, Taken { shared })
}

impl<R> Shared<R> {
    /// A panic elsewhere can not leave the state half-written.
    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Requests<R> {
    /// Asks, unless the plugin has ended. Answers whether it was asked.
    pub(crate) fn send(&self, request: R) -> bool {
        let mut state = self.shared.state();
        if state.refuses {
            return false;
        }
        state.queue.push_back(request);
        drop(state);
        self.shared.plugin.shared().task().wake();
        true
    }

    /// Whether the plugin has ended.
    pub(crate) fn refuses(&self) -> bool {
        self.shared.state().refuses
    }

    /// Waits until the plugin is gone, with all that it had.
    pub(crate) async fn gone(&self) {
        let mut gone = pin!(self.shared.gone.notified());
        // In the list of those who wait before the flag is read.
        gone.as_mut().enable();
        if !self.shared.state().gone {
            gone.await;
        }
    }
}

impl<R> Taken<R> {
    /// Accepts requests as long as this is there.
    pub(crate) fn accepting(&self) -> Accepting<'_, R> {
        Accepting(self)
    }

    fn refuse(&self) {
        let mut state = self.shared.state();
        state.refuses = true;
        // Dropped outside of the lock: whoever has asked is told by it.
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        drop(queue);
    }

    /// The oldest request; none if there will never be one again. After a wake-up there may be one.
    pub(crate) fn poll(&self) -> Poll<Option<R>> {
        let mut state = self.shared.state();
        match state.queue.pop_front() {
            Some(request) => {
                if state.queue.is_empty() {
                    // Most plugins are asked once.
                    state.queue = VecDeque::new();
                }
                Poll::Ready(Some(request))
            }
            None if state.senders == 0 => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl<R> Clone for Requests<R> {
    fn clone(&self) -> Requests<R> {
        self.shared.state().senders += 1;
        Requests { shared: self.shared.clone() }
    }
}

impl<R> Drop for Requests<R> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.senders -= 1;
        if state.senders == 0 {
            drop(state);
            self.shared.plugin.shared().task().wake();
        }
    }
}

impl<R> Drop for Accepting<'_, R> {
    fn drop(&mut self) {
        self.0.refuse();
    }
}

impl<R> Drop for Taken<R> {
    fn drop(&mut self) {
        self.shared.state().gone = true;
        self.shared.gone.notify_waiters();
        // If it has never begun.
        self.refuse();
    }
}

impl<R> fmt::Debug for Requests<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").field("refuses", &self.refuses()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Waker};

    #[test]
    fn requests_are_taken_in_their_order_and_wake_the_task() {
        let plugin = InterruptHandle::default();
        let (requests, taken) = requests(plugin.clone());
        let context = Context::from_waker(Waker::noop());
        assert!(plugin.shared().task().poll_woken(&context).is_pending());
        assert_eq!(taken.poll(), Poll::Pending);
        assert!(requests.send(1) && requests.clone().send(2));
        assert!(plugin.shared().task().poll_woken(&context).is_ready());
        assert_eq!(taken.poll(), Poll::Ready(Some(1)));
        assert_eq!(taken.poll(), Poll::Ready(Some(2)));
        assert_eq!(taken.poll(), Poll::Pending);
    }

    #[test]
    fn the_last_one_who_could_ask_ends_it_after_what_was_asked() {
        let plugin = InterruptHandle::default();
        let (requests, taken) = requests(plugin.clone());
        let other = requests.clone();
        requests.send(());
        drop(requests);
        assert_eq!(taken.poll(), Poll::Ready(Some(())));
        assert_eq!(taken.poll(), Poll::Pending);
        let context = Context::from_waker(Waker::noop());
        assert!(plugin.shared().task().poll_woken(&context).is_ready());
        drop(other);
        assert!(plugin.shared().task().poll_woken(&context).is_ready());
        assert_eq!(taken.poll(), Poll::Ready(None));
    }

    #[tokio::test]
    async fn nothing_is_asked_of_a_plugin_that_is_gone() {
        let (requests, taken) = requests(InterruptHandle::default());
        let asked = Arc::new(());
        assert!(requests.send(asked.clone()));
        let gone = requests.gone();
        let mut gone = pin!(gone);
        let context = &mut Context::from_waker(Waker::noop());
        drop(taken.accepting());
        assert!(gone.as_mut().poll(context).is_pending(), "it has ended, but it is still there");
        assert_eq!(Arc::strong_count(&asked), 1, "what nobody has taken is dropped");
        assert!(requests.refuses() && !requests.send(asked));
        drop(taken);
        gone.await;
        requests.gone().await;
    }
}
