//! Async handles: a callback that can be requested from anywhere, also from outside the guest.

use crate::batch::Synced;
use crate::error::Result;
use crate::event_loop::Loop;
use crate::handle::handle_kind;
use crate::imports::async_handle::AsyncHandle as RawAsync;
use crate::not_granted::{self, Kind};

handle_kind! {
    /// An async handle, as libuv's `uv_async_t`: called after it has been sent, in the phase in
    /// which the loop waits for events.
    ///
    /// It is active, and so keeps its loop alive, from its making until it is closed or
    /// [dereferenced](crate::Handle::dereference). A guest has one thread, so other threads are the
    /// host's: they send a [named](Self::named) handle. The guest itself uses [`send`](Self::send)
    /// to defer work to a later phase of the loop.
    Async(Synced<RawAsync>), AsyncHandle, callback(handle: &Async) of EventKind::Callback
}

impl Async {
    /// Makes an async handle that only the guest itself can send. `LoopClosed` on a closed loop,
    /// ENOMEM when the guest has as many handles as the host allows.
    pub fn new(event_loop: &Loop) -> Result<Self> {
        Self::make(event_loop, RawAsync::create)
    }

    /// Makes an async handle that the host can send too, under a name that it granted. ENOENT if
    /// the name was not granted, EBUSY if a handle with that name is open already, and the errors
    /// of [`new`](Self::new).
    pub fn named(event_loop: &Loop, name: &str) -> Result<Self> {
        let create = |event_loop: &_, token| RawAsync::create_named(event_loop, token, name);
        not_granted::named(Kind::AsyncHandle, name, Self::make(event_loop, create))
    }

    /// Requests the callback, as `uv_async_send`.
    ///
    /// Sends coalesce: all sends before the callback begins cause one call, a send after that
    /// causes another one, and none is lost. `HandleClosed` on a closing handle; a send that was
    /// pending when the handle was closed is not delivered.
    pub fn send(&self) -> Result<()> {
        Ok(self.0.raw.send()?)
    }

    /// Requests this callback, which replaces the one before, also for sends that are pending. If
    /// sending is refused, the callback is not replaced.
    pub fn send_with(&self, callback: impl FnMut(&Self) + 'static) -> Result<()> {
        self.send()?;
        self.set_callback(callback);
        Ok(())
    }

    /// Takes the oldest message from the mailbox of this [named](Self::named) handle, `None` when
    /// the mailbox is empty.
    ///
    /// Sends coalesce and messages do not, so a callback takes messages until there is none:
    ///
    /// ```no_run
    /// # use uv_handles::{Async, Loop, Result};
    /// # fn main() -> Result<()> {
    /// # let event_loop = Loop::new()?;
    /// let jobs = Async::named(&event_loop, "jobs")?;
    /// jobs.set_callback(|jobs| {
    ///     while let Ok(Some(message)) = jobs.receive() {
    ///         println!("{} bytes", message.len());
    ///     }
    /// });
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// ENOTSUP on a handle without a name, `HandleClosed` on a closing one. Closing the handle
    /// drops the messages that are left.
    pub fn receive(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.0.raw.receive()?)
    }
}
