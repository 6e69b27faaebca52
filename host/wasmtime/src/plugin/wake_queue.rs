//! The queue of a [set](crate::PluginSet)'s plugins woken from other threads.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The indices of woken members.
#[derive(Debug)]
pub(super) struct WakeQueue {
    members: Mutex<Vec<u32>>,
    /// Ends the wait of the set's thread.
    thread: Arc<mio::Waker>,
}

/// Wakes one member.
struct Member {
    at: u32,
    queue: Arc<WakeQueue>,
}

impl WakeQueue {
    pub(super) fn new(thread: Arc<mio::Waker>) -> Arc<WakeQueue> {
        Arc::new(WakeQueue { members: Mutex::default(), thread })
    }

    /// Returns the waker of the member at this index.
    pub(super) fn waker_of(self: &Arc<WakeQueue>, at: u32) -> Waker {
        Waker::from(Arc::new(Member { at, queue: self.clone() }))
    }

    /// Returns a waker that ends the set's wait without waking a member.
    pub(super) fn waker_of_all(self: &Arc<WakeQueue>) -> Waker {
        Waker::from(self.clone())
    }

    /// Takes the members woken since the last call.
    pub(super) fn take(&self) -> Vec<u32> {
        std::mem::take(&mut *self.members())
    }

    /// Locks the queue. A panic cannot leave it half-written, so poisoning is ignored.
    fn members(&self) -> MutexGuard<'_, Vec<u32>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_wait(&self) {
        let woken: io::Result<()> = self.thread.wake();
        if let Err(error) = woken {
            tracing::error!(%error, "cannot wake a waiting set of plugins");
        }
    }
}

impl Wake for WakeQueue {
    fn wake(self: Arc<WakeQueue>) {
        self.end_wait();
    }

    fn wake_by_ref(self: &Arc<WakeQueue>) {
        self.end_wait();
    }
}

impl Wake for Member {
    fn wake(self: Arc<Member>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Member>) {
        let mut members = self.queue.members();
        members.push(self.at);
        let is_first = members.len() == 1;
        drop(members);
        // The first member ends the wait. The others are taken with it.
        if is_first {
            self.queue.end_wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::poller_set::PollerSet;

    #[test]
    fn woken_members_are_queued_in_order_and_end_the_wait() {
        let mut poller = PollerSet::new().unwrap();
        let queue = WakeQueue::new(poller.waker());
        assert!(queue.take().is_empty());
        let [first, second] = [3, 5].map(|at| queue.waker_of(at));
        second.wake_by_ref();
        first.wake();
        second.wake();
        // The wait has no timeout.
        poller.wait(None, |_| unreachable!("no poller is watched")).unwrap();
        assert_eq!(queue.take(), [5, 3, 5]);
        queue.waker_of_all().wake();
        poller.wait(None, |_| unreachable!("no poller is watched")).unwrap();
        assert!(queue.take().is_empty());
    }
}
