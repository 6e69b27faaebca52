//! The tasks that are to be polled.
//!
//! A waker can be sent to another thread by its type, so this is behind a lock, although a guest has one thread
//! only. The handle that polls the tasks is not behind it: it is found by its token, in the registry of
//! the thread that the loop is on.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_task::Runnable;

use crate::Idle;
use crate::bindings::uv::handles::types::Token;
use crate::handle::sealed::Sealed;
use crate::registry;

/// Tasks in the order in which they were woken, and the idle handle that will poll them.
pub(super) struct Woken(Mutex<State>);

struct State {
    queue: VecDeque<Runnable>,
    idle: Token,
    /// Whether the idle handle need not be started: it is, or it decides about that later.
    started: bool,
}

impl Woken {
    pub(super) fn new(idle: Token) -> Self {
        Self(Mutex::new(State { queue: VecDeque::new(), idle, started: false }))
    }

    /// A task has been woken. The first one starts the idle handle.
    pub(super) fn push(&self, task: Runnable) {
        let idle = {
            let mut state = self.state();
            state.queue.push_back(task);
            if mem::replace(&mut state.started, true) { None } else { Some(state.idle) }
        };
        if let Some(idle) = idle.and_then(registry::lookup).and_then(Idle::of_kind) {
            // Refused, or not found, if somebody has closed it: then its close callback drops the tasks.
            let _ = idle.start();
        }
    }

    /// Those that have been woken so far. What is woken from now on is in the next batch.
    pub(super) fn take(&self) -> VecDeque<Runnable> {
        mem::take(&mut self.state().queue)
    }

    /// Whether there is another batch; if not, the next task that is woken starts the idle handle again.
    pub(super) fn go_on(&self) -> bool {
        let mut state = self.state();
        state.started = !state.queue.is_empty();
        state.started
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that panics is called while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Woken;
    use std::cell::RefCell;
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::task::Poll;

    /// No handle has it.
    const NOBODY: u64 = u64::MAX;

    /// Spawns a task that is polled so many times, wakes itself in between, and notes each time.
    fn spawn(woken: &Arc<Woken>, notes: &Rc<RefCell<String>>, name: char, mut polls: u32) {
        let (woken, notes) = (woken.clone(), notes.clone());
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
        let (runnable, task) = async_task::spawn_local(future, move |task| woken.push(task));
        task.detach();
        runnable.schedule();
    }

    #[test]
    fn a_batch_is_what_was_woken_before_in_that_order() {
        let woken = Arc::new(Woken::new(NOBODY));
        let notes = Rc::new(RefCell::new(String::new()));
        spawn(&woken, &notes, 'a', 3);
        spawn(&woken, &notes, 'b', 1);
        spawn(&woken, &notes, 'c', 2);
        while woken.go_on() {
            notes.borrow_mut().push('|');
            for task in woken.take() {
                task.run();
            }
        }
        assert_eq!(*notes.borrow(), "|abc|ac|a");
    }

    #[test]
    fn a_waker_of_a_task_that_is_gone_does_nothing() {
        let woken = Arc::new(Woken::new(NOBODY));
        let queue = woken.clone();
        let (runnable, task) = async_task::spawn_local(std::future::pending::<()>(), move |t| queue.push(t));
        let waker = runnable.waker();
        task.detach();
        drop(runnable);
        waker.wake_by_ref();
        waker.wake();
        assert!(woken.take().is_empty());
    }
}
