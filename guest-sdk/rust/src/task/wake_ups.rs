//! A stream of wake-ups.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::async_handle::Async;
use crate::error::Result;
use crate::event_loop::Loop;
use crate::task::owned::Owned;
use crate::task::slot::Slot;

/// A stream of wake-ups, by an [`Async`] handle. It does not end.
///
/// Wake-ups coalesce: those that come while nobody waits are one. Dropping it closes the handle; a future of
/// [`recv`](Self::recv) can be dropped without losing a wake-up.
///
/// It keeps the loop alive, as its handle does.
pub struct WakeUps {
    handle: Owned<Async>,
    woken: Rc<Slot<()>>,
}

impl WakeUps {
    /// Makes the stream of a handle that only the guest itself sends, by [`handle`](Self::handle), with the
    /// errors of [`Async::new`].
    pub fn new(event_loop: &Loop) -> Result<Self> {
        Async::new(event_loop).map(Self::of)
    }

    /// Makes the stream of the wake-ups that the host sends under a name, with the errors of [`Async::named`].
    pub fn named(event_loop: &Loop, name: &str) -> Result<Self> {
        Async::named(event_loop, name).map(Self::of)
    }

    fn of(handle: Async) -> Self {
        let woken = Rc::new(Slot::new());
        let callback = woken.clone();
        handle.set_callback(move |_| callback.put(()));
        Self { handle: Owned(handle), woken }
    }

    /// Waits for the next wake-up.
    pub async fn recv(&mut self) {
        poll_fn(|cx| self.woken.poll_take(cx)).await;
    }

    /// The handle: to send it, to dereference it. Its callback is the stream's.
    pub fn handle(&self) -> &Async {
        &self.handle
    }
}

impl Stream for WakeUps {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.woken.poll_take(cx).map(Some)
    }
}

impl fmt::Debug for WakeUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WakeUps").field(&self.handle.0).finish()
    }
}
