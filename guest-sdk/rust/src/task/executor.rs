//! The executor: tasks on a loop, and the loop of the running task.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use crate::error::{Error, Result};
use crate::event_loop::{Loop, RunMode};
use crate::loops;
use crate::status::StatusCode;
use crate::task::join_handle::JoinHandle;
use crate::task::tasks::Tasks;

/// Runs tasks on a loop. Clones are the same executor.
///
/// The loop polls the tasks, in any run of it. As with handles, dropping the last value of an
/// executor ends nothing: tasks that have been spawned go on. A loop may have several executors.
#[derive(Clone)]
pub struct Executor(Rc<Inner>);

struct Inner {
    event_loop: Loop,
    /// Their handle keeps them alive until it is closed.
    tasks: RefCell<Weak<Tasks>>,
}

/// The code that is running.
#[derive(Clone)]
enum Current {
    /// Tasks of this executor.
    Tasks(Executor),
    /// A callback of this loop. It is known where the guest has several loops.
    Callback(Loop),
}

/// An executor that may have been dropped.
#[derive(Default)]
pub(crate) struct WeakExecutor(Weak<Inner>);

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

impl Executor {
    /// Makes an executor without tasks. It has no handle until there is a task.
    pub fn new(event_loop: &Loop) -> Self {
        let made = Self(Rc::new(Inner { event_loop: event_loop.clone(), tasks: RefCell::default() }));
        let mut place = event_loop.executor().borrow_mut();
        if place.0.strong_count() == 0 {
            place.0 = Rc::downgrade(&made.0);
        }
        drop(place);
        made
    }

    /// The loop's executor: the first that has not been dropped.
    fn of(event_loop: &Loop) -> Self {
        let known = event_loop.executor().borrow().0.upgrade();
        known.map_or_else(|| Self::new(event_loop), Self)
    }

    /// The loop.
    pub fn event_loop(&self) -> Loop {
        self.0.event_loop.clone()
    }

    /// Makes a task of a future. It is polled for the first time in the loop's next idle phase,
    /// never inside this call.
    ///
    /// It can be called anywhere: in a task, in a callback, between two runs, in the export of a
    /// plugin. The first task needs a handle: `LoopClosed` on a closed loop, ENOMEM when the guest
    /// has as many handles as the host allows.
    pub fn spawn<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Result<JoinHandle<T>> {
        Ok(self.tasks()?.spawn(future))
    }

    /// Runs the loop in mode [`Default`](RunMode::Default) until a future is done, and returns its
    /// result. The iteration in which that happens is completed. **Blocks.**
    ///
    /// Other tasks and callbacks make progress meanwhile. A later run goes on with them.
    ///
    /// ECANCELED if the run ends before, because the loop was stopped or nothing is left that could
    /// happen. The errors of [`spawn`](Self::spawn) and of [`Loop::run`] too: EBUSY inside a
    /// callback or a task of the loop, ENOTSUP on a [hosted](Loop::hosted) loop. In all these cases
    /// the future is aborted.
    pub fn block_on<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Result<T> {
        let result = Rc::new(Cell::new(None));
        let (place, event_loop) = (result.clone(), self.event_loop());
        let task = self.spawn(async move {
            place.set(Some(future.await));
            event_loop.stop();
        })?;
        let run = self.0.event_loop.run(RunMode::Default);
        if let Some(result) = result.take() {
            return Ok(result);
        }
        task.abort();
        run?;
        Err(Error::Status(StatusCode::ECANCELED))
    }

    /// The tasks, with an open handle.
    fn tasks(&self) -> Result<Rc<Tasks>> {
        let tasks = self.0.tasks.borrow().upgrade();
        if let Some(tasks) = tasks.filter(|tasks| !tasks.is_ending()) {
            return Ok(tasks);
        }
        let this = self.clone();
        let tasks = Tasks::new(&self.0.event_loop, move |poll| {
            let _entered = Entered::new(this.clone());
            poll();
        })?;
        self.0.tasks.replace(Rc::downgrade(&tasks));
        Ok(tasks)
    }
}

/// Clones of one executor are equal, and nothing else is.
impl PartialEq for Executor {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Executor {}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").finish_non_exhaustive()
    }
}

/// Makes a task on the current loop, with the errors of [`Executor::spawn`].
///
/// It can be called in a task, in a callback, and everywhere else while the guest has one loop, as
/// in the exports of most plugins: see [`current_loop`]. In a task, the new one belongs to the same
/// executor. Elsewhere it belongs to an executor of the loop.
///
/// # Panics
///
/// Where no loop is known. Use [`Executor::spawn`] there.
pub fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Result<JoinHandle<T>> {
    current().spawn(future)
}

/// The loop of the running task or callback. Where none is running, the guest's loop if it has one
/// loop.
///
/// # Panics
///
/// Where no task and no callback is running, and the guest has no loop or several.
pub fn current_loop() -> Loop {
    match CURRENT.with_borrow(Clone::clone) {
        Some(Current::Tasks(executor)) => executor.event_loop(),
        Some(Current::Callback(event_loop)) => event_loop,
        None => only_loop(),
    }
}

fn current() -> Executor {
    match CURRENT.with_borrow(Clone::clone) {
        Some(Current::Tasks(executor)) => executor,
        Some(Current::Callback(event_loop)) => Executor::of(&event_loop),
        None => Executor::of(&only_loop()),
    }
}

fn only_loop() -> Loop {
    loops::only().expect(
        "the loop is not known here: no task and no callback is running, and the guest has no loop or \
         several; use `Executor::new(&event_loop).spawn(future)`",
    )
}

/// While a value lives, tasks of an executor run, or a callback. They may run another loop, with
/// tasks and callbacks of its own.
pub(crate) struct Entered(Option<Current>);

impl Entered {
    fn new(executor: Executor) -> Self {
        Self(CURRENT.replace(Some(Current::Tasks(executor))))
    }
}

/// While the value lives, a callback of this loop runs. With one loop there is nothing to tell
/// apart.
#[inline]
pub(crate) fn calling(event_loop: impl FnOnce() -> Loop) -> Option<Entered> {
    loops::are_several().then(|| Entered(CURRENT.replace(Some(Current::Callback(event_loop())))))
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}
