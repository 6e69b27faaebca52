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

/// Makes a stream of ticks on the loop of the running task, as [`Interval::new`].
///
/// # Panics
///
/// Where no loop is known: see [`current_loop`](crate::task::current_loop).
pub fn interval(period: impl Into<Milliseconds>) -> Result<Interval> {
    Interval::new(&current_loop(), period)
}

/// A stream of ticks, by a repeating [`Timer`]. It does not end.
///
/// The first tick is one period after the making. Like the timer, the stream does not catch up.
/// Ticks coalesce: those that come before the next call of [`tick`](Self::tick) are one. Dropping
/// the stream closes the timer; dropping a future of `tick` loses no tick.
///
/// It keeps the loop alive, as its timer does.
pub struct Interval {
    timer: Owned<Timer>,
    tick: Rc<Slot<()>>,
}

impl Interval {
    /// Makes the stream and starts its timer, counting from the clock. EINVAL for 0, and the errors
    /// of [`Timer::new`].
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

    /// The timer, to restart it, to change its period or to dereference it. Its callback belongs to
    /// the stream.
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
