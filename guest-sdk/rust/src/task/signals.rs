//! A stream of the deliveries of a signal.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::Result;
use crate::event_loop::Loop;
use crate::signal::Signal;
use crate::signum::Signum;
use crate::task::executor::current_loop;
use crate::task::owned::Owned;
use crate::task::slot::Slot;

/// Makes a stream of the deliveries of a signal on the loop of the running task, as
/// [`Signals::new`].
///
/// # Panics
///
/// Where no loop is known: see [`current_loop`](crate::task::current_loop).
pub fn signal(signum: Signum) -> Result<Signals> {
    Signals::new(&current_loop(), signum)
}

/// A stream of the deliveries of a signal, by a [`Signal`] handle. It does not end.
///
/// Each delivery after the making is an item, also those that come while no task waits. Dropping
/// the stream closes the handle; dropping a future of [`recv`](Self::recv) loses no delivery.
///
/// It keeps the loop alive, as its handle does.
pub struct Signals {
    handle: Owned<Signal>,
    signum: Signum,
    /// The number of deliveries that have not been taken.
    count: Rc<Slot<u64>>,
}

impl Signals {
    /// Makes the stream and starts its handle, with the errors of [`Signal::new`] and
    /// [`Signal::start`].
    pub fn new(event_loop: &Loop, signum: Signum) -> Result<Self> {
        let handle = Owned(Signal::new(event_loop)?);
        let count = Rc::new(Slot::new());
        let callback = count.clone();
        handle.start_with(signum, move |_, _| callback.put(callback.take().unwrap_or(0) + 1))?;
        Ok(Self { handle, signum, count })
    }

    /// Waits for the next delivery.
    pub async fn recv(&mut self) -> Signum {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// The handle, for instance to dereference it. Its callback belongs to the stream.
    pub fn handle(&self) -> &Signal {
        &self.handle
    }

    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Signum> {
        let count = std::task::ready!(self.count.poll_take(cx));
        if count > 1 {
            self.count.put(count - 1);
        }
        Poll::Ready(self.signum)
    }
}

impl Stream for Signals {
    type Item = Signum;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Signum>> {
        self.poll_recv(cx).map(Some)
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signals").field(&self.handle.0).field(&self.signum).finish()
    }
}
