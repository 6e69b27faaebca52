//! A stream of messages.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::async_handle::Async;
use crate::error::Result;
use crate::event_loop::Loop;
use crate::task::wake_ups::WakeUps;

/// A stream of the messages that are sent to a [named](Async::named) async handle. It ends when the
/// handle is closed.
///
/// Messages do not coalesce: each is an item, in the order of sending, also those that come while
/// no task waits. A send without a message is no item. Dropping the stream closes the handle and
/// drops the messages that are left; dropping a future of [`recv`](Self::recv) loses no message.
///
/// It keeps the loop alive, as its handle does.
pub struct Messages(WakeUps);

impl Messages {
    /// Makes the handle with this name and the stream of its messages, with the errors of
    /// [`Async::named`].
    pub fn named(event_loop: &Loop, name: &str) -> Result<Self> {
        WakeUps::named(event_loop, name).map(Self)
    }

    /// Waits for the next message. `None` when the handle has been closed.
    pub async fn recv(&mut self) -> Option<Vec<u8>> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// The handle, for instance to dereference it. Its callback belongs to the stream.
    pub fn handle(&self) -> &Async {
        self.0.handle()
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        loop {
            match self.handle().receive() {
                // One send may stand for any number of messages.
                Ok(None) => drop(ready!(Pin::new(&mut self.0).poll_next(cx))),
                Ok(message) => return Poll::Ready(message),
                // The handle has a name, so it is closed.
                Err(_) => return Poll::Ready(None),
            }
        }
    }
}

impl Stream for Messages {
    type Item = Vec<u8>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        self.get_mut().poll_recv(cx)
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Messages").field(self.handle()).finish()
    }
}
