//! Timers: a callback at a time in the future, once or again and again.

use crate::batch;
use crate::error::Result;
use crate::event_loop::Loop;
use crate::handle::{Inner, handle_kind};
use crate::imports::batch::{OpenTimer, Operation, StartTimer, TimerNumber};
use crate::imports::timer::Timer as RawTimer;
use crate::milliseconds::Milliseconds;
use crate::registry;
use crate::timer_pool::HeldTimer;

handle_kind! {
    /// A timer handle, as libuv's `uv_timer_t`.
    ///
    /// Times are milliseconds: a plain number, or a [`Duration`](std::time::Duration), which is
    /// rounded up.
    ///
    /// All timers that are due at one time are called in order of deadline and, for equal ones, of
    /// their start. A repeating timer does not catch up: it is next due one repeat after the time
    /// at which it was called. A timer that does not repeat is stopped before its callback.
    ///
    /// ```no_run
    /// # use uv_handles::{Handle, Loop, Result, Timer};
    /// # fn main() -> Result<()> {
    /// # let event_loop = Loop::new()?;
    /// use std::time::Duration;
    ///
    /// let timer = Timer::new(&event_loop)?;
    /// let mut left = 3;
    /// // In one second, and then every 500 ms.
    /// timer.start_with(Duration::from_secs(1), 500, move |timer| {
    ///     left -= 1;
    ///     if left == 0 {
    ///         timer.close();
    ///     }
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    Timer(HeldTimer), Timer, callback(timer: &Timer) of EventKind::Callback
}

impl Timer {
    /// Makes a timer. `LoopClosed` on a closed loop, ENOMEM when the guest has as many handles as
    /// the host allows.
    pub fn new(event_loop: &Loop) -> Result<Self> {
        match event_loop.take_timer()? {
            None => Self::make(event_loop, RawTimer::create),
            Some((held, number)) => {
                let (timer, token) =
                    registry::register_at_once(|token| Self(Inner::new(held, event_loop, token)));
                batch::defer(|| token, number, |timer| Operation::Open(OpenTimer { timer, token }));
                Ok(timer)
            }
        }
    }

    /// Defers an operation on an open timer, if it is one of the pool. Returns whether it did.
    fn defer(&self, operation: impl FnOnce(TimerNumber) -> Operation) -> bool {
        let number = self.deferring_number().filter(|_| self.0.common.is_open());
        if let Some(number) = number {
            self.defer_as(number, operation);
        }
        number.is_some()
    }

    /// Defers closing the timer, which knows already that it is closing. Returns whether it did.
    pub(crate) fn defer_close(&self) -> bool {
        let number = self.deferring_number();
        if let Some(number) = number {
            self.defer_as(number, Operation::Close);
        }
        number.is_some()
    }

    /// The timer's number in the pool, if its next change is to be deferred.
    fn deferring_number(&self) -> Option<TimerNumber> {
        self.0.raw.number().filter(|_| !batch::is_single())
    }

    #[inline(always)]
    fn defer_as(&self, number: TimerNumber, operation: impl FnOnce(TimerNumber) -> Operation) {
        batch::defer(|| self.0.common.token(), number, operation);
    }

    /// Starts the timer, as `uv_timer_start`: due `timeout` milliseconds from the loop's
    /// [`now`](Loop::now), and then every `repeat` milliseconds unless that is 0.
    ///
    /// With a timeout of 0 it is due when the loop next looks at its timers. Starting a started
    /// timer replaces its deadline. `HandleClosed` on a closing handle.
    pub fn start(&self, timeout: impl Into<Milliseconds>, repeat: impl Into<Milliseconds>) -> Result<()> {
        self.start_plain(timeout.into().get(), repeat.into().get())
    }

    fn start_plain(&self, timeout: u64, repeat: u64) -> Result<()> {
        if !self.defer(|timer| Operation::Start(StartTimer { timer, timeout, repeat })) {
            self.0.raw.start(timeout, repeat)?;
        }
        Ok(())
    }

    /// Starts the timer with this callback. If that is refused, the callback is not replaced.
    pub fn start_with(
        &self,
        timeout: impl Into<Milliseconds>,
        repeat: impl Into<Milliseconds>,
        callback: impl FnMut(&Self) + 'static,
    ) -> Result<()> {
        self.start(timeout, repeat)?;
        self.set_callback(callback);
        Ok(())
    }

    /// Stops the timer, as `uv_timer_stop`. Nothing happens if it is not started or is closing.
    pub fn stop(&self) {
        if !self.defer(Operation::Stop) {
            self.0.raw.stop();
        }
    }

    /// Starts a repeating timer afresh, with its repeat as the timeout, as `uv_timer_again`.
    ///
    /// Nothing happens if the repeat is 0, also if the timer is active. EINVAL if the timer has
    /// never been started, `HandleClosed` on a closing handle.
    pub fn again(&self) -> Result<()> {
        Ok(self.0.raw.again()?)
    }

    /// The repeat in milliseconds, 0 for none, as `uv_timer_get_repeat`. `HandleClosed` on a
    /// closing handle.
    pub fn repeat(&self) -> Result<u64> {
        Ok(self.0.raw.repeat()?)
    }

    /// Sets the repeat, 0 for none, as `uv_timer_set_repeat`.
    ///
    /// The deadline that is already set does not move: a repeating timer uses the new value when it
    /// is next called. A timer that did not repeat has been stopped before its callback;
    /// [`again`](Self::again) starts it. `HandleClosed` on a closing handle.
    pub fn set_repeat(&self, repeat: impl Into<Milliseconds>) -> Result<()> {
        Ok(self.0.raw.set_repeat(repeat.into().get())?)
    }

    /// Milliseconds from the loop's [`now`](Loop::now) to the deadline, 0 if it has passed, as
    /// `uv_timer_get_due_in`. A stopped timer answers from its last deadline. `HandleClosed` on a
    /// closing handle.
    pub fn due_in(&self) -> Result<u64> {
        Ok(self.0.raw.due_in()?)
    }
}
