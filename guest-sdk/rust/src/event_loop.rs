//! The loop: what handles are made on, and what runs their callbacks.

use std::cell::Cell;
use std::fmt;
use std::ptr;
use std::rc::Rc;

use crate::any_handle::AnyHandle;
use crate::batch::{self, Synced};
use crate::bindings::uv::handles::blocking::{Pulled, pull};
use crate::bindings::uv::handles::event_loop::Loop as RawLoop;
use crate::bindings::uv::handles::types::{Event, Occurrence, RunMode as RawMode};
use crate::error::Result;
use crate::handle::sealed::Sealed;
use crate::registry;
use crate::reserve::{HeldTimer, Stock};

/// An event loop, as libuv's `uv_loop_t`.
///
/// A guest may have several loops; each is run on its own. Clones are the same loop. The host frees
/// it when the last clone has been dropped **and** the last value of each of its handles: a handle
/// keeps its loop. So a loop whose handles are never closed stays until the guest ends, as does
/// memory that nobody frees.
#[derive(Clone)]
pub struct Loop(Rc<Inner>);

thread_local! {
    /// The loop that was pulled last, if it still exists.
    static PULLED_LAST: Cell<*const Inner> = const { Cell::new(ptr::null()) };
}

/// What the clones of a loop share.
struct Inner {
    raw: Synced<RawLoop>,
    stock: Rc<Stock>,
    /// Nothing else closes it.
    closed: Cell<bool>,
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

impl Drop for Inner {
    fn drop(&mut self) {
        PULLED_LAST.set(ptr::null());
    }
}

impl Loop {
    /// Makes a loop. EMFILE when the guest has as many loops as the host allows.
    pub fn new() -> Result<Self> {
        batch::sync();
        let raw = Synced::new(RawLoop::create()?);
        Ok(Self(Rc::new(Inner { raw, stock: Stock::new(), closed: Cell::new(false) })))
    }

    /// Runs the loop and calls the callbacks that become due, as `uv_run`. **Blocks**: for as long
    /// as the mode says.
    ///
    /// The value tells whether the loop was still alive when the run ended: in mode
    /// [`Default`](RunMode::Default) that is so after [`stop`](Self::stop), in the others whenever
    /// there is more to do. EBUSY inside a callback of the same loop (another loop may be run
    /// there), ENOTSUP in a plugin, whose loops the host runs; `LoopClosed` on a closed loop. The
    /// system's error if the host can not wait (EMFILE when it has no descriptors left): then the run
    /// is over, and the loop can be run again.
    pub fn run(&self, mode: RunMode) -> Result<bool> {
        self.raw().begin(match mode {
            RunMode::Default => RawMode::Default,
            RunMode::Once => RawMode::Once,
            RunMode::NoWait => RawMode::Nowait,
        })?;
        // After one callback without arguments, likely another one comes.
        let mut is_plain = false;
        loop {
            if is_plain && self.is_pulled_last() && batch::pull_and_dispatch_callbacks() {
                continue;
            }
            let pulled = self.pull()?;
            is_plain = matches!(
                pulled,
                Pulled::Event(Event { token, what: Occurrence::Callback }) if batch::is_brief(token)
            );
            match pulled {
                Pulled::Event(event) => registry::dispatch(event),
                Pulled::Callbacks(tokens) => batch::dispatch(tokens.iter().copied().map(batch::callback)),
                Pulled::Polls(ready) => batch::dispatch(ready.iter().copied().map(batch::ready)),
                Pulled::Closes(tokens) => batch::dispatch(tokens.iter().copied().map(batch::closed)),
                Pulled::Finished(alive) => return Ok(alive),
            }
        }
    }

    fn is_pulled_last(&self) -> bool {
        PULLED_LAST.get() == Rc::as_ptr(&self.0)
    }

    fn pull(&self) -> Result<Pulled> {
        if self.is_pulled_last() {
            return Ok(batch::pull()?);
        }
        PULLED_LAST.set(Rc::as_ptr(&self.0));
        Ok(pull(self.raw(), batch::MAX)?)
    }

    /// Ends the run after the iteration in progress, as `uv_stop`.
    ///
    /// Called before the iteration waits for events, it does not wait. Called while the loop is not
    /// running, the next run returns without an iteration. On a closed loop nothing happens.
    pub fn stop(&self) {
        self.raw().stop();
    }

    /// Closes the loop, as `uv_loop_close`. EBUSY while a handle of it is not closed (a closing one
    /// is not closed yet) or while it runs. Closing a closed loop does nothing.
    pub fn close(&self) -> Result<()> {
        self.raw().close()?;
        self.0.closed.set(true);
        Ok(())
    }

    /// Whether the loop is closed.
    pub fn closed(&self) -> bool {
        self.raw().closed()
    }

    /// Whether a run would have something to do, as `uv_loop_alive`: a handle is active and
    /// referenced, or waits for its close callback. False on a closed loop.
    pub fn alive(&self) -> bool {
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
    /// The way to end a loop that somebody else has filled:
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

    pub(crate) fn raw(&self) -> &RawLoop {
        &self.0.raw
    }

    /// A timer's resource that has been made ahead, with its number, if there is one.
    pub(crate) fn reserved_timer(&self) -> Result<Option<(HeldTimer, u32)>> {
        if self.0.closed.get() {
            return Ok(None);
        }
        self.0.stock.take(&self.0.raw)
    }

    pub(crate) fn stock(&self) -> &Stock {
        &self.0.stock
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
