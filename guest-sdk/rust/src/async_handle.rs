//! Async handles: a callback that can be asked for from anywhere, also from outside the guest.

use crate::batch::Synced;
use crate::bindings::uv::handles::async_handle::AsyncHandle as RawAsync;
use crate::error::Result;
use crate::event_loop::Loop;
use crate::handle::handle_kind;

handle_kind! {
    /// An async handle, as libuv's `uv_async_t`: called after it has been sent, in the phase in
    /// which the loop waits for events.
    ///
    /// It is active, and so keeps its loop alive, from its making until it is closed or
    /// [dereferenced](crate::Handle::dereference). A guest has one thread, so the threads that wake
    /// it are the host's: they send a [named](Self::named) handle. [`send`](Self::send) is how the
    /// guest itself puts something off until the loop comes round.
    Async(Synced<RawAsync>), AsyncHandle, callback(&Async) of EventKind::Callback
}

impl Async {
    /// Makes an async handle that only the guest itself can send. `LoopClosed` on a closed loop,
    /// ENOMEM when the guest has as many handles as the host allows.
    pub fn new(event_loop: &Loop) -> Result<Self> {
        Self::make(event_loop, RawAsync::create)
    }

    /// Makes an async handle that the host can send too, under a name that it granted. ENOENT if no
    /// wake-up of that name was granted, EBUSY if a handle with that name is open already, and the
    /// errors of [`new`](Self::new).
    pub fn named(event_loop: &Loop, name: &str) -> Result<Self> {
        Self::make(event_loop, |event_loop, token| RawAsync::create_named(event_loop, token, name))
    }

    /// Asks for the callback, as `uv_async_send`.
    ///
    /// Sends before the callback begins are answered by one call of it, a send after it began
    /// causes another one; none is lost. `HandleClosed` on a closing handle; what was pending when
    /// the handle was closed is not delivered.
    pub fn send(&self) -> Result<()> {
        Ok(self.0.raw.send()?)
    }

    /// Asks for this callback, which replaces the one before, also for sends that are pending. If
    /// sending is refused, the callback is not replaced.
    pub fn send_with(&self, callback: impl FnMut(&Self) + 'static) -> Result<()> {
        self.send()?;
        self.set_callback(callback);
        Ok(())
    }

    /// Takes the oldest message that was sent with a wake-up of this [named](Self::named) handle, `None`
    /// when there is none.
    ///
    /// Sends coalesce, messages do not, so a callback takes messages until there is none:
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
    /// ENOTSUP on a handle without a name, `HandleClosed` on a closing one: what was not taken by
    /// then is gone.
    pub fn receive(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.0.raw.receive()?)
    }
}
