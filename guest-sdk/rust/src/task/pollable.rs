//! A pollable of WASI that a task waits for.

use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll as Progress};

use wasip2::io::poll::Pollable;

use crate::error::Result;
use crate::event_loop::Loop;
use crate::poll::Poll;
use crate::poll_events::PollEvents;
use crate::task::owned::Owned;
use crate::task::slot::Slot;

/// A [`Poll`] handle on a pollable, for a task to wait with.
///
/// It turns every API of WASI 0.2 into an async one. The handle is active only while a task waits,
/// and one task waits at a time. Dropping the value closes the handle and drops the pollable, which
/// must happen before the stream or socket of the pollable is dropped.
///
/// ```no_run
/// # use uv_handles::task::{AsyncPollable, current_loop};
/// # use uv_handles::Result;
/// # async fn example() -> Result<()> {
/// let stdin = wasip2::cli::stdin::get_stdin();
/// let waits = AsyncPollable::new(&current_loop(), stdin.subscribe())?;
/// waits.ready().await?;
/// let bytes = stdin.read(4096);
/// # drop(waits);
/// # Ok(())
/// # }
/// ```
pub struct AsyncPollable {
    poll: Owned<Poll>,
    ready: Rc<Slot<()>>,
    is_waiting: Rc<Cell<bool>>,
}

impl AsyncPollable {
    /// Makes the handle, with the errors of [`Poll::on_pollable`].
    pub fn new(event_loop: &Loop, pollable: Pollable) -> Result<Self> {
        let poll = Owned(Poll::on_pollable(event_loop, pollable)?);
        let (ready, is_waiting) = (Rc::new(Slot::new()), Rc::new(Cell::new(false)));
        let (is_ready, waits) = (ready.clone(), is_waiting.clone());
        poll.set_callback(move |poll, _| {
            poll.stop();
            waits.set(false);
            is_ready.put(());
        });
        Ok(Self { poll, ready, is_waiting })
    }

    /// Waits until it is ready. Readiness may be spurious. Dropping the future stops the handle.
    pub fn ready(&self) -> Ready<'_> {
        Ready { pollable: self, is_over: false }
    }

    /// As [`ready`](Self::ready), for the functions of traits. The handle stays active if the task
    /// does not ask again.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Progress<Result<()>> {
        if let Progress::Ready(()) = self.ready.poll_take(cx) {
            return Progress::Ready(Ok(()));
        }
        if !self.is_waiting.get() {
            self.poll.start(PollEvents::READABLE)?;
            self.is_waiting.set(true);
        }
        Progress::Pending
    }
}

impl fmt::Debug for AsyncPollable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncPollable").field(&*self.poll).finish()
    }
}

/// The future that [`AsyncPollable::ready`] returns.
#[must_use = "a future does nothing unless it is awaited"]
#[derive(Debug)]
pub struct Ready<'a> {
    pollable: &'a AsyncPollable,
    is_over: bool,
}

impl Future for Ready<'_> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Progress<Result<()>> {
        let ready = self.pollable.poll_ready(cx);
        self.is_over = ready.is_ready();
        ready
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // It may be out of date for the next wait.
            self.pollable.ready.take();
            if self.pollable.is_waiting.replace(false) {
                self.pollable.poll.stop();
            }
        }
    }
}
