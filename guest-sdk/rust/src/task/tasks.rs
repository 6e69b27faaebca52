//! The tasks of an executor, and the idle handle that polls them.
//!
//! The last task that ends closes the handle, so that the loop can be closed. If the handle is
//! closed before, as by code that closes all handles of the loop, the tasks are dropped in its
//! close callback.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use crate::error::Result;
use crate::event_loop::Loop;
use crate::handle::Handle;
use crate::handle::sealed::Sealed;
use crate::task::join_handle::JoinHandle;
use crate::task::run_queue::RunQueue;
use crate::watcher::Idle;

pub(super) struct Tasks {
    idle: Idle,
    queue: Arc<RunQueue>,
    /// A waker of each task that has not ended, in order of spawning.
    alive: RefCell<BTreeMap<u64, Waker>>,
    spawned: Cell<u64>,
}

impl Tasks {
    /// Makes the handle. `around` is called in place of each poll of the tasks, and calls it.
    pub(super) fn new(event_loop: &Loop, around: impl Fn(&dyn Fn()) + 'static) -> Result<Rc<Self>> {
        let idle = Idle::new(event_loop)?;
        let tasks = Rc::new(Self {
            queue: Arc::new(RunQueue::new(idle.common().token())),
            alive: RefCell::default(),
            spawned: Cell::new(0),
            idle,
        });
        // The closures keep the tasks alive until the handle is closed.
        let polled = tasks.clone();
        tasks.idle.set_callback(move |_| around(&|| polled.poll()));
        let ended = tasks.clone();
        tasks.idle.set_on_closed(move |_| ended.end());
        Ok(tasks)
    }

    /// Whether the handle is closing, so that new tasks need another one.
    pub(super) fn is_ending(&self) -> bool {
        self.idle.is_closing()
    }

    pub(super) fn spawn<T: 'static>(
        self: &Rc<Self>,
        future: impl Future<Output = T> + 'static,
    ) -> JoinHandle<T> {
        let id = self.spawned.get();
        self.spawned.set(id + 1);
        let place = Place { tasks: self.clone(), id };
        let task = async move {
            let _place = place;
            future.await
        };
        let queue = self.queue.clone();
        let (runnable, task) = async_task::spawn_local(task, move |task| queue.push(task));
        self.alive.borrow_mut().insert(id, runnable.waker());
        runnable.schedule();
        JoinHandle::new(task)
    }

    /// Polls the tasks that have been woken before.
    fn poll(&self) {
        for task in self.queue.take() {
            task.run();
        }
        if self.queue.go_on() {
            return;
        }
        if self.alive.borrow().is_empty() {
            self.idle.close();
        } else {
            self.idle.stop();
        }
    }

    /// Drops all tasks, outside of all borrows: the drop may run code of the user.
    fn end(&self) {
        let tasks = self.alive.take();
        // Waking moves every task into the queue. Dropping it there drops its future.
        tasks.into_values().for_each(Waker::wake);
        drop(self.queue.take());
    }
}

/// The entry of a task among those that have not ended. It goes with the task's future.
struct Place {
    tasks: Rc<Tasks>,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let waker = self.tasks.alive.borrow_mut().remove(&self.id);
        drop(waker);
    }
}
