//! The event loop, on which handles are made and which runs their callbacks.

use std::cell::Cell;
#[cfg(feature = "async")]
use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};

use crate::any_handle::AnyHandle;
use crate::batch::{self, Synced};
use crate::callback::Callback;
use crate::callback_error::CallbackError;
use crate::error::{BusyLoop, Error, Result};
use crate::handle::sealed::Sealed;
use crate::imports::batch::TimerNumber;
use crate::imports::event_loop::Loop as RawLoop;
use crate::imports::plugin_loop;
use crate::imports::types::RunMode as RawMode;
use crate::loops;
use crate::registry;
use crate::run::Run;
use crate::status::StatusCode;
#[cfg(feature = "async")]
use crate::task::WeakExecutor;
use crate::timer_pool::{FreeTimers, HeldTimer};

/// An event loop, as libuv's `uv_loop_t`.
///
/// A guest may have several loops; each is run on its own. A program makes its loops with
/// [`new`](Self::new) and runs them itself. A plugin makes them with [`hosted`](Self::hosted), and
/// the host runs them.
///
/// Clones are the same loop. The host frees it when the last clone has been dropped **and** the
/// last value of each of its handles: a handle keeps its loop. So a loop whose handles are never
/// closed stays until the guest ends.
#[derive(Clone)]
pub struct Loop(Rc<Inner>);

/// The part that the clones of a loop share.
///
/// The loop's resource is the first field, because fields are dropped in order: the host sees the
/// loop go before its free timers.
struct Inner {
    raw: Synced<RawLoop>,
    /// None on a loop that the host runs.
    free_timers: Option<Rc<FreeTimers>>,
    /// Whether the loop is closed. Only [`Loop::close`] changes that.
    closed: Cell<bool>,
    /// Gets the errors of callbacks.
    on_error: Callback<dyn FnMut(CallbackError)>,
    /// The executor of tasks that callbacks spawn.
    #[cfg(feature = "async")]
    executor: RefCell<WeakExecutor>,
    /// The number of the loop among those of the guest.
    number: Cell<u32>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        loops::remove(self.number.get());
    }
}

/// A loop that may have been dropped.
pub(crate) struct WeakLoop(Weak<Inner>);

impl WeakLoop {
    pub(crate) fn upgrade(&self) -> Option<Loop> {
        self.0.upgrade().map(Loop)
    }
}

/// How long a run goes on, as libuv's `uv_run_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RunMode {
    /// Until no active and referenced handle is left, or the loop is stopped.
    #[default]
    Default,
    /// One iteration, which waits for events if nothing is due.
    Once,
    /// One iteration, which does not wait.
    NoWait,
}

impl Loop {
    /// Makes a loop that the guest runs, with [`run`](Self::run).
    ///
    /// EMFILE when the guest has as many loops as the host allows. **ENOTSUP in a plugin**: a
    /// plugin must not block its host, so its loops are made with [`hosted`](Self::hosted).
    pub fn new() -> Result<Self> {
        batch::sync();
        batch::enable();
        Ok(Self::of(RawLoop::create()?, Some(FreeTimers::new())))
    }

    /// Makes a loop that the host runs, for a [plugin](crate::plugin!).
    ///
    /// The host runs the loop between the calls of the plugin's exports: the callbacks of its
    /// handles are called while none of the exports runs. [`run`](Self::run) on it answers ENOTSUP.
    ///
    /// EMFILE when the guest has as many loops as the host allows. **ENOTSUP in a program**, whose
    /// loops are made with [`new`](Self::new).
    pub fn hosted() -> Result<Self> {
        batch::sync();
        Ok(Self::of(plugin_loop::create()?, None))
    }

    fn of(raw: RawLoop, free_timers: Option<Rc<FreeTimers>>) -> Self {
        let made = Self(Rc::new(Inner {
            raw: Synced::new(raw),
            free_timers,
            closed: Cell::new(false),
            on_error: Callback::new(),
            #[cfg(feature = "async")]
            executor: RefCell::default(),
            number: Cell::new(0),
        }));
        made.0.number.set(loops::add(&made));
        made
    }

    /// Runs the loop and calls the callbacks that become due, as `uv_run`. **Blocks** for as long
    /// as the mode says.
    ///
    /// The value tells whether the loop was still alive when the run ended: in mode
    /// [`Default`](RunMode::Default) that is so after [`stop`](Self::stop), in the others whenever
    /// there is more to do.
    ///
    /// EBUSY inside a callback of the same loop, where another loop may be run; ENOTSUP on a
    /// [hosted](Self::hosted) loop; `LoopClosed` on a closed loop. The system's error if the host
    /// cannot wait (EMFILE when it has no descriptors left), ECANCELED if nothing could ever end
    /// the wait. After an error the run has ended, and the loop can be run again: callbacks that
    /// were still due stay due.
    pub fn run(&self, mode: RunMode) -> Result<bool> {
        self.begin(mode)?.call_all()
    }

    /// Runs the loop as [`run`](Self::run) does, but awaits where `run` blocks. Needs the feature
    /// `concurrent` and a host with async functions (WASI 0.3).
    ///
    /// The future is to be awaited in a task of the component model, such as an async export. Other
    /// tasks of the guest go on while the run waits. They may use this loop and its handles: their
    /// changes reach the host at once, without waiting for the next callback. They may run other
    /// loops, also with `run_async`. Callbacks are called only while the future is polled.
    ///
    /// The value and the errors are those of `run`. EBUSY while another run of this loop is being
    /// awaited.
    ///
    /// **Dropping the future** cancels the wait and ends the run. No callback is lost: callbacks
    /// that were due and not yet called stay due for the next run of the loop. As at the end of
    /// every run, a pending [`stop`](Self::stop) is cleared.
    ///
    /// ```no_run
    /// # use uv_handles::{Handle, Loop, Result, RunMode, Timer};
    /// // The body of an async export.
    /// async fn half_a_second() -> Result<()> {
    ///     let event_loop = Loop::new()?;
    ///     let timer = Timer::new(&event_loop)?;
    ///     timer.start_with(500, 0, Timer::close)?;
    ///     event_loop.run_async(RunMode::Default).await?;
    ///     event_loop.close()
    /// }
    /// ```
    #[cfg(feature = "concurrent")]
    pub async fn run_async(&self, mode: RunMode) -> Result<bool> {
        use crate::imports::concurrent;
        use crate::run::Pause;

        let run = self.begin(mode)?;
        loop {
            match run.call_due()? {
                Pause::Wait => {
                    // Syncs, so that nothing is deferred when the wait begins.
                    let raw = run.raw();
                    let _waiting = batch::Waiting::new();
                    concurrent::wait(raw).await?;
                }
                Pause::Finished(alive) => return Ok(alive),
            }
        }
    }

    fn begin(&self, mode: RunMode) -> Result<Run> {
        let run = self.raw().begin(match mode {
            RunMode::Default => RawMode::Default,
            RunMode::Once => RawMode::Once,
            RunMode::NoWait => RawMode::Nowait,
        })?;
        Ok(Run::new(run))
    }

    /// Ends the run after the iteration in progress, as `uv_stop`.
    ///
    /// Called before the iteration waits for events, it does not wait. Called while the loop is not
    /// running, the next run returns without an iteration. On a closed loop nothing happens.
    pub fn stop(&self) {
        self.raw().stop();
    }

    /// Sets the function that gets the errors of callbacks which can fail, as those set with
    /// `try_set_callback`, in place of the one before. Closing the loop drops it.
    ///
    /// Without such a function, the error of a callback ends the guest: it panics with a message
    /// that names the handle. So does an error while the function runs.
    ///
    /// ```no_run
    /// # use uv_handles::{Loop, Result, Timer};
    /// # fn main() -> Result<()> {
    /// # let event_loop = Loop::new()?;
    /// event_loop.set_on_error(|error| eprintln!("{error}"));
    /// let timer = Timer::new(&event_loop)?;
    /// timer.try_set_callback(|_| {
    ///     let config = std::fs::read_to_string("config")?;
    ///     println!("{}", config.trim().parse::<u32>()?);
    ///     Ok(())
    /// });
    /// timer.start(0, 1000)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_on_error(&self, on_error: impl FnMut(CallbackError) + 'static) {
        self.0.on_error.set(Box::new(on_error));
    }

    /// Calls that function. Gives the error back if there is none, or it is running.
    pub(crate) fn call_on_error(&self, error: CallbackError) -> Result<(), CallbackError> {
        let mut left = Some(error);
        self.0.on_error.call(|on_error| left.take().into_iter().for_each(on_error), || !self.0.closed.get());
        left.map_or(Ok(()), Err)
    }

    /// Closes the loop, as `uv_loop_close`. Closing a closed loop does nothing.
    ///
    /// EBUSY while a handle of it is not closed (a closing one is not closed yet) or while it runs.
    /// If there are such handles, the error is [`Error::LoopBusy`], which names them.
    pub fn close(&self) -> Result<()> {
        match self.raw().close().map_err(Error::from) {
            Err(Error::Status(StatusCode::EBUSY)) if !registry::handles_of(self).is_empty() => {
                return Err(Error::LoopBusy(BusyLoop::new(self.0.number.get())));
            }
            result => result?,
        }
        self.0.closed.set(true);
        self.0.on_error.clear();
        Ok(())
    }

    /// Whether the loop is closed.
    pub fn is_closed(&self) -> bool {
        self.raw().closed()
    }

    /// Whether a run would have something to do, as `uv_loop_alive`: a handle is active and
    /// referenced, or waits for its close callback. False on a closed loop.
    pub fn is_alive(&self) -> bool {
        self.raw().alive()
    }

    /// The loop's time in milliseconds, as `uv_now`.
    ///
    /// It begins anywhere, never goes back, and stands still between the moments at which the loop
    /// refreshes it: before timers are called, and after each wait for events. `LoopClosed` on a
    /// closed loop.
    pub fn now(&self) -> Result<u64> {
        Ok(self.raw().now()?)
    }

    /// Refreshes the loop's time, as `uv_update_time`. `LoopClosed` on a closed loop.
    pub fn update_time(&self) -> Result<()> {
        Ok(self.raw().update_time()?)
    }

    /// For how many milliseconds the next iteration would wait for events, none for without limit,
    /// as `uv_backend_timeout`. It does not take into account what may be ready by then.
    /// `LoopClosed` on a closed loop.
    pub fn poll_timeout(&self) -> Result<Option<u32>> {
        Ok(self.raw().poll_timeout()?)
    }

    /// The loop's handles that are not closed yet, in order of making, as `uv_walk` visits them.
    /// Empty on a closed loop.
    ///
    /// This closes all handles of a loop, also those that the caller does not know:
    ///
    /// ```no_run
    /// # use uv_handles::{Handle, Loop, Result, RunMode};
    /// # fn main() -> Result<()> {
    /// # let event_loop = Loop::new()?;
    /// for handle in event_loop.handles() {
    ///     handle.close();
    /// }
    /// event_loop.run(RunMode::Default)?;
    /// event_loop.close()
    /// # }
    /// ```
    pub fn handles(&self) -> Vec<AnyHandle> {
        let tokens = self.raw().handles();
        tokens.into_iter().filter_map(registry::lookup).filter_map(AnyHandle::of_kind).collect()
    }

    pub(crate) fn downgrade(&self) -> WeakLoop {
        WeakLoop(Rc::downgrade(&self.0))
    }

    /// The place of the executor of tasks that callbacks spawn.
    #[cfg(feature = "async")]
    pub(crate) fn executor(&self) -> &RefCell<WeakExecutor> {
        &self.0.executor
    }

    pub(crate) fn raw(&self) -> &RawLoop {
        &self.0.raw
    }

    /// A timer of the pool with its number. None on a loop without pooled timers.
    pub(crate) fn take_timer(&self) -> Result<Option<(HeldTimer, TimerNumber)>> {
        match &self.0.free_timers {
            Some(free) if !self.0.closed.get() => free.take(&self.0.raw).map(Some),
            _ => Ok(None),
        }
    }

    /// None on a loop without pooled timers.
    pub(crate) fn free_timers(&self) -> Option<&FreeTimers> {
        self.0.free_timers.as_deref()
    }
}

/// Clones of one loop are equal, and nothing else is.
impl PartialEq for Loop {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Loop {}

impl fmt::Debug for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loop").finish_non_exhaustive()
    }
}
