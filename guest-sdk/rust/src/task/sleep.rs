//! A future that is ready after a time.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::error::Result;
use crate::milliseconds::Milliseconds;
use crate::task::executor::current_loop;
use crate::task::owned::Owned;
use crate::task::slot::Slot;
use crate::timer::Timer;

/// Waits for a time, by a [`Timer`] of its own.
///
/// The time counts from the clock when the future is first polled, and not from the beginning of
/// the iteration: the loop's time is refreshed first, as by
/// [`Loop::update_time`](crate::Loop::update_time). A time of 0 is over in the next timers phase.
/// ENOMEM when the guest has as many handles as the host allows.
///
/// ```no_run
/// # use uv_handles::{Result, task::sleep};
/// # async fn example() -> Result<()> {
/// use std::time::Duration;
///
/// sleep(100).await?;
/// sleep(Duration::from_secs(1)).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// When it is first polled where no loop is known: see [`current_loop`](crate::task::current_loop).
pub fn sleep(time: impl Into<Milliseconds>) -> Sleep {
    Sleep(Stage::Unpolled(time.into()))
}

/// The future that [`sleep`] returns. Dropping it closes its timer.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Sleep(Stage);

enum Stage {
    Unpolled(Milliseconds),
    Waiting { _timer: Owned<Timer>, over: Rc<Slot<()>> },
    Over,
}

impl Future for Sleep {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if let Stage::Unpolled(time) = self.0 {
            self.0 = Stage::Over;
            let event_loop = current_loop();
            // The loop's time has stood still since the iteration began.
            event_loop.update_time()?;
            let timer = Owned(Timer::new(&event_loop)?);
            let over = Rc::new(Slot::new());
            let callback = over.clone();
            timer.start_with(time, 0, move |_| callback.put(()))?;
            self.0 = Stage::Waiting { _timer: timer, over };
        }
        if let Stage::Waiting { over, .. } = &self.0 {
            std::task::ready!(over.poll_take(cx));
            self.0 = Stage::Over;
        }
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}
