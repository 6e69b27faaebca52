//! The tasks that one idle handle polls.
//!
//! The handle is there while a task is: the last one that ends closes it, so that the loop can be closed. If
//! somebody else closes it, because they close all handles of the loop, the tasks are dropped with it.

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
use crate::task::woken::Woken;
use crate::watcher::Idle;

pub(super) struct Tasks {
    idle: Idle,
    woken: Arc<Woken>,
    /// A waker of each task that has not ended, in order of spawning.
    alive: RefCell<BTreeMap<u64, Waker>>,
    spawned: Cell<u64>,
}

impl Tasks {
    /// None yet. `around` is called instead of each batch, which it calls.
    pub(super) fn new(event_loop: &Loop, around: impl Fn(&dyn Fn()) + 'static) -> Result<Rc<Self>> {
        let idle = Idle::new(event_loop)?;
        let tasks = Rc::new(Self {
            woken: Arc::new(Woken::new(idle.common().token())),
            alive: RefCell::default(),
            spawned: Cell::new(0),
            idle,
        });
        // The closures keep the tasks, until the handle is closed.
        let polled = tasks.clone();
        tasks.idle.set_callback(move |_| around(&|| polled.poll()));
        let ended = tasks.clone();
        tasks.idle.set_on_closed(move |_| ended.end());
        Ok(tasks)
    }

    /// Whether new tasks need another handle.
    pub(super) fn ending(&self) -> bool {
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
        let woken = self.woken.clone();
        let (runnable, task) = async_task::spawn_local(task, move |task| woken.push(task));
        self.alive.borrow_mut().insert(id, runnable.waker());
        runnable.schedule();
        JoinHandle::new(task)
    }

    /// One batch: what was woken before it.
    fn poll(&self) {
        for task in self.woken.take() {
            task.run();
        }
        if self.woken.go_on() {
            return;
        }
        if self.alive.borrow().is_empty() {
            self.idle.close();
        } else {
            self.idle.stop();
        }
    }

    /// Drops all tasks. Outside of all borrows, as everything that can run code of the user.
    fn end(&self) {
        let tasks = self.alive.take();
        // What is woken is in the queue, and what is dropped there is dropped for ever.
        tasks.into_values().for_each(Waker::wake);
        drop(self.woken.take());
    }
}

/// A task's place among those that have not ended: the end is when its future is dropped.
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
