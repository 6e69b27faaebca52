//! A stream of the sends of an async handle.

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

/// A stream of the sends of an [`Async`] handle. It does not end.
///
/// Sends coalesce: those that come before the next call of [`recv`](Self::recv) are one item.
/// Dropping the stream closes the handle; dropping a future of `recv` loses no send.
///
/// It keeps the loop alive, as its handle does.
pub struct WakeUps {
    handle: Owned<Async>,
    sent: Rc<Slot<()>>,
}

impl WakeUps {
    /// Makes an async handle that only the guest itself can send, through [`handle`](Self::handle),
    /// and its stream, with the errors of [`Async::new`].
    pub fn new(event_loop: &Loop) -> Result<Self> {
        Async::new(event_loop).map(Self::of)
    }

    /// Makes an async handle that the host can send, and its stream, with the errors of
    /// [`Async::named`].
    pub fn named(event_loop: &Loop, name: &str) -> Result<Self> {
        Async::named(event_loop, name).map(Self::of)
    }

    fn of(handle: Async) -> Self {
        let sent = Rc::new(Slot::new());
        let callback = sent.clone();
        handle.set_callback(move |_| callback.put(()));
        Self { handle: Owned(handle), sent }
    }

    /// Waits for the next send.
    pub async fn recv(&mut self) {
        poll_fn(|cx| self.sent.poll_take(cx)).await;
    }

    /// The handle, to send it or to dereference it. Its callback belongs to the stream.
    pub fn handle(&self) -> &Async {
        &self.handle
    }
}

impl Stream for WakeUps {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.sent.poll_take(cx).map(Some)
    }
}

impl fmt::Debug for WakeUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WakeUps").field(&self.handle.0).finish()
    }
}
