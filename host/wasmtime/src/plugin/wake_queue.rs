//! Which plugins of a [set](crate::PluginSet) have been woken from other threads: a queue of their places.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The queue of a set.
#[derive(Debug)]
pub(super) struct Woken {
    members: Mutex<Vec<u32>>,
    /// Ends the wait of the set's thread.
    thread: Arc<mio::Waker>,
}

/// Wakes one member.
struct Member {
    at: u32,
    woken: Arc<Woken>,
}

impl Woken {
    pub(super) fn new(thread: Arc<mio::Waker>) -> Arc<Woken> {
        Arc::new(Woken { members: Mutex::default(), thread })
    }

    /// What wakes the member at this place.
    pub(super) fn waker_of(self: &Arc<Woken>, at: u32) -> Waker {
        Waker::from(Arc::new(Member { at, woken: self.clone() }))
    }

    /// What wakes the set, and none of its members.
    pub(super) fn waker_of_all(self: &Arc<Woken>) -> Waker {
        Waker::from(self.clone())
    }

    /// Those that were woken since this was last asked.
    pub(super) fn take(&self) -> Vec<u32> {
        std::mem::take(&mut *self.members())
    }

    /// A panic elsewhere can not leave the list half-written.
    fn members(&self) -> MutexGuard<'_, Vec<u32>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_wait(&self) {
        let woken: io::Result<()> = self.thread.wake();
        if let Err(error) = woken {
            tracing::error!(%error, "a waiting set of plugins can not be woken");
        }
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Woken>) {
        self.end_wait();
    }

    fn wake_by_ref(self: &Arc<Woken>) {
        self.end_wait();
    }
}

impl Wake for Member {
    fn wake(self: Arc<Member>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Member>) {
        let mut members = self.woken.members();
        members.push(self.at);
        let is_first = members.len() == 1;
        drop(members);
        // Whoever came before has ended the wait, and nobody has looked since.
        if is_first {
            self.woken.end_wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::set_poller::SetPoller;

    #[test]
    fn members_are_told_in_order_and_end_the_wait() {
        let mut poller = SetPoller::new().unwrap();
        let woken = Woken::new(poller.waker());
        assert!(woken.take().is_empty());
        let [first, second] = [3, 5].map(|at| woken.waker_of(at));
        second.wake_by_ref();
        first.wake();
        second.wake();
        // It would not end by itself.
        poller.wait(None, |_| unreachable!("no poller is watched")).unwrap();
        assert_eq!(woken.take(), [5, 3, 5]);
        woken.waker_of_all().wake();
        poller.wait(None, |_| unreachable!("no poller is watched")).unwrap();
        assert!(woken.take().is_empty());
    }
}
