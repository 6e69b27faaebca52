//! A stream of ticks.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::{Error, Result};
use crate::event_loop::Loop;
use crate::milliseconds::Milliseconds;
use crate::status::StatusCode;
use crate::task::executor::current_loop;
use crate::task::owned::Owned;
use crate::task::slot::Slot;
use crate::timer::Timer;

/// A tick every so many milliseconds, on the loop of the running task: [`Interval::new`].
///
/// # Panics
///
/// Where no task is running.
pub fn interval(period: impl Into<Milliseconds>) -> Result<Interval> {
    Interval::new(&current_loop(), period)
}

/// A stream of ticks, by a repeating [`Timer`]. It does not end.
///
/// The first tick is one period after the making. As the timer it does not catch up, and ticks do not pile up: those
/// that come while nobody waits are one. Dropping it closes the timer; a future of [`tick`](Self::tick) can be
/// dropped without losing a tick.
///
/// It keeps the loop alive, as its timer does.
pub struct Interval {
    timer: Owned<Timer>,
    tick: Rc<Slot<()>>,
}

impl Interval {
    /// Makes the stream and starts its timer. EINVAL for 0, and the errors of [`Timer::new`].
    pub fn new(event_loop: &Loop, period: impl Into<Milliseconds>) -> Result<Self> {
        let period = period.into();
        if period == Milliseconds::default() {
            return Err(Error::Status(StatusCode::EINVAL));
        }
        event_loop.update_time()?;
        let timer = Owned(Timer::new(event_loop)?);
        let tick = Rc::new(Slot::new());
        let callback = tick.clone();
        timer.start_with(period, period, move |_| callback.put(()))?;
        Ok(Self { timer, tick })
    }

    /// Waits for the next tick.
    pub async fn tick(&mut self) {
        poll_fn(|cx| self.tick.poll_take(cx)).await;
    }

    /// The timer: to start it afresh, for another period, to dereference it. Its callback is the stream's.
    pub fn timer(&self) -> &Timer {
        &self.timer
    }
}

impl Stream for Interval {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.tick.poll_take(cx).map(Some)
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interval").field(&self.timer.0).finish()
    }
}
