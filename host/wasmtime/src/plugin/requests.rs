//! The request queue of a plugin that lives in a task.
//!
//! The queue has no waker of its own. Everything that ends the plugin's wait wakes its task, which
//! then polls the queue. A channel would be one more object per plugin to store, and to touch at
//! each tick.

use crate::ctx::interrupt::InterruptHandle;
use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tokio::sync::Notify;

/// The sending end, for any task. Clones send to the same plugin.
pub(crate) struct RequestSender<R> {
    shared: Arc<Shared<R>>,
}

/// The receiving end, in the plugin's task. Its drop means that the plugin is gone.
pub(crate) struct RequestQueue<R> {
    shared: Arc<Shared<R>>,
}

/// Accepts requests while it exists. Its drop refuses new requests and drops queued ones, because
/// the plugin is about to end.
pub(crate) struct AcceptGuard<'a, R>(&'a RequestQueue<R>);

struct Shared<R> {
    state: Mutex<State<R>>,
    /// Gives access to the waker of the plugin's task.
    plugin: InterruptHandle,
    /// Notifies those that wait until the plugin is gone.
    gone: Notify,
}

struct State<R> {
    queue: VecDeque<R>,
    /// The number of senders.
    senders: usize,
    refuses: bool,
    gone: bool,
}

/// Creates a queue to the task of the plugin that `plugin` interrupts.
pub(crate) fn requests<R>(plugin: InterruptHandle) -> (RequestSender<R>, RequestQueue<R>) {
    let state = Mutex::new(State { queue: VecDeque::new(), senders: 1, refuses: false, gone: false });
    let shared = Arc::new(Shared { state, plugin, gone: Notify::new() });
    (RequestSender { shared: shared.clone() }, RequestQueue { shared })
}

impl<R> Shared<R> {
    /// Locks the state. A panic cannot leave it half-written, so poisoning is ignored.
    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> RequestSender<R> {
    /// Queues a request, unless the plugin has ended. Returns whether it was queued.
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

    /// Returns whether the plugin has ended.
    pub(crate) fn refuses(&self) -> bool {
        self.shared.state().refuses
    }

    /// Waits until the plugin and all its state have been dropped.
    pub(crate) async fn gone(&self) {
        let mut gone = pin!(self.shared.gone.notified());
        // Register before the flag is read, so that no notification is missed.
        gone.as_mut().enable();
        if !self.shared.state().gone {
            gone.await;
        }
    }
}

impl<R> RequestQueue<R> {
    /// Accepts requests while the returned value exists.
    pub(crate) fn accepting(&self) -> AcceptGuard<'_, R> {
        AcceptGuard(self)
    }

    fn refuse(&self) {
        let mut state = self.shared.state();
        state.refuses = true;
        // Drop the requests outside of the lock, because the drop notifies their senders.
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        drop(queue);
    }

    /// Takes the oldest request if it is `wanted`. After `None`, the task is woken for a new request.
    #[cfg(feature = "concurrent")]
    pub(crate) fn take_if(&self, wanted: impl FnOnce(&R) -> bool) -> Option<R> {
        let mut state = self.shared.state();
        state.queue.front().is_some_and(wanted).then(|| state.queue.pop_front()).flatten()
    }

    /// Takes the oldest request. `Ready(None)` if there are no senders left. After `Pending`, the
    /// task is woken for a new request.
    pub(crate) fn poll(&self) -> Poll<Option<R>> {
        let mut state = self.shared.state();
        match state.queue.pop_front() {
            Some(request) => {
                if state.queue.is_empty() {
                    // Most plugins receive one request: keep no memory for more.
                    state.queue = VecDeque::new();
                }
                Poll::Ready(Some(request))
            }
            None if state.senders == 0 => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl<R> Clone for RequestSender<R> {
    fn clone(&self) -> RequestSender<R> {
        self.shared.state().senders += 1;
        RequestSender { shared: self.shared.clone() }
    }
}

impl<R> Drop for RequestSender<R> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.senders -= 1;
        if state.senders == 0 {
            drop(state);
            self.shared.plugin.shared().task().wake();
        }
    }
}

impl<R> Drop for AcceptGuard<'_, R> {
    fn drop(&mut self) {
        self.0.refuse();
    }
}

impl<R> Drop for RequestQueue<R> {
    fn drop(&mut self) {
        self.shared.state().gone = true;
        self.shared.gone.notify_waiters();
        // The task may have been dropped before it began to accept requests.
        self.refuse();
    }
}

impl<R> fmt::Debug for RequestSender<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestSender").field("refuses", &self.refuses()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Waker};

    #[test]
    fn requests_are_received_in_order_and_wake_the_task() {
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

    #[cfg(feature = "concurrent")]
    #[test]
    fn only_a_wanted_request_is_taken_before_its_turn() {
        let (requests, taken) = requests(InterruptHandle::default());
        assert_eq!(taken.take_if(|_| true), None);
        assert!(requests.send(1) && requests.send(2));
        assert_eq!(taken.take_if(|&request| request == 2), None);
        assert_eq!(taken.take_if(|&request| request == 1), Some(1));
        assert_eq!(taken.take_if(|&request| request == 2), Some(2));
    }

    #[test]
    fn dropping_the_last_sender_ends_the_queue_after_its_requests() {
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
        assert!(gone.as_mut().poll(context).is_pending(), "the plugin has ended but is not dropped");
        assert_eq!(Arc::strong_count(&asked), 1, "queued requests are dropped");
        assert!(requests.refuses() && !requests.send(asked));
        drop(taken);
        gone.await;
        requests.gone().await;
    }
}
