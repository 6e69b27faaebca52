//! Sending an async handle of another guest.

use std::fmt;

use crate::batch::{self, Synced};
use crate::error::Result;
use crate::imports::async_sender::AsyncSender as RawSender;
use crate::not_granted::{self, Kind};

/// The sending end of another guest's [named](crate::Async::named) async handle, under the name
/// that the host gave to the connection.
///
/// No call waits for the other guest. Sending fails with ENOTCONN when the other guest has not made
/// the handle yet, and with EPIPE when it has closed the handle or is gone. It may make the handle
/// again later.
pub struct AsyncSender(Synced<RawSender>);

impl AsyncSender {
    /// Opens a connection. ENOENT if the host has made none of this name, EBUSY while it is open
    /// already. Dropping the value closes it.
    pub fn open(name: &str) -> Result<Self> {
        batch::sync();
        Ok(Self(Synced::new(not_granted::named(Kind::AsyncSender, name, RawSender::open(name))?)))
    }

    /// Requests the callback of the other guest's handle, as `uv_async_send`. Sends before the
    /// callback begins coalesce into one call; none that was accepted is lost.
    pub fn send(&self) -> Result<()> {
        Ok(self.0.send()?)
    }

    /// Puts a message into the handle's mailbox and sends the handle. The other guest takes it with
    /// [`Async::receive`](crate::Async::receive). EAGAIN when the mailbox is full for now, EMSGSIZE
    /// when the message is larger than the mailbox will ever be; nothing is sent then.
    pub fn send_message(&self, message: &[u8]) -> Result<()> {
        Ok(self.0.send_message(message)?)
    }
}

impl fmt::Debug for AsyncSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncSender").finish_non_exhaustive()
    }
}
