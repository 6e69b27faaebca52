//! The run queue: the tasks that are to be polled.
//!
//! The type of a waker can be sent to other threads, so the queue is behind a lock, although a
//! guest has one thread. The idle handle cannot be behind the lock. It is found by its token, in
//! the registry of the loop's thread.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_task::Runnable;

use crate::Idle;
use crate::handle::sealed::Sealed;
use crate::imports::types::Token;
use crate::registry;

/// Tasks in the order in which they were woken, and the idle handle that polls them.
pub(super) struct RunQueue(Mutex<State>);

struct State {
    queue: VecDeque<Runnable>,
    idle: Token,
    /// Whether the idle handle is started, or its callback is about to decide about that.
    started: bool,
}

impl RunQueue {
    pub(super) fn new(idle: Token) -> Self {
        Self(Mutex::new(State { queue: VecDeque::new(), idle, started: false }))
    }

    /// Adds a task that has been woken. The first one starts the idle handle.
    pub(super) fn push(&self, task: Runnable) {
        let idle = {
            let mut state = self.state();
            state.queue.push_back(task);
            if mem::replace(&mut state.started, true) { None } else { Some(state.idle) }
        };
        if let Some(idle) = idle.and_then(registry::lookup).and_then(Idle::of_kind) {
            // Refused if the handle has been closed: then its close callback drops the tasks.
            let _ = idle.start();
        }
    }

    /// Takes the tasks that have been woken so far.
    pub(super) fn take(&self) -> VecDeque<Runnable> {
        mem::take(&mut self.state().queue)
    }

    /// Whether more tasks have been woken. If not, the next one starts the idle handle again.
    pub(super) fn go_on(&self) -> bool {
        let mut state = self.state();
        state.started = !state.queue.is_empty();
        state.started
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::RunQueue;
    use std::cell::RefCell;
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::task::Poll;

    /// The token of no handle.
    const NO_HANDLE: u64 = u64::MAX;

    /// Spawns a task that is polled so many times, wakes itself in between, and notes each poll.
    fn spawn(queue: &Arc<RunQueue>, notes: &Rc<RefCell<String>>, name: char, mut polls: u32) {
        let (queue, notes) = (queue.clone(), notes.clone());
        let future = poll_fn(move |cx| {
            notes.borrow_mut().push(name);
            polls -= 1;
            if polls == 0 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        let (runnable, task) = async_task::spawn_local(future, move |task| queue.push(task));
        task.detach();
        runnable.schedule();
    }

    #[test]
    fn tasks_are_polled_in_the_order_in_which_they_were_woken() {
        let queue = Arc::new(RunQueue::new(NO_HANDLE));
        let notes = Rc::new(RefCell::new(String::new()));
        spawn(&queue, &notes, 'a', 3);
        spawn(&queue, &notes, 'b', 1);
        spawn(&queue, &notes, 'c', 2);
        while queue.go_on() {
            notes.borrow_mut().push('|');
            for task in queue.take() {
                task.run();
            }
        }
        assert_eq!(*notes.borrow(), "|abc|ac|a");
    }

    #[test]
    fn a_waker_of_a_task_that_is_gone_does_nothing() {
        let queue = Arc::new(RunQueue::new(NO_HANDLE));
        let pushed = queue.clone();
        let (runnable, task) =
            async_task::spawn_local(std::future::pending::<()>(), move |task| pushed.push(task));
        let waker = runnable.waker();
        task.detach();
        drop(runnable);
        waker.wake_by_ref();
        waker.wake();
        assert!(queue.take().is_empty());
    }
}
