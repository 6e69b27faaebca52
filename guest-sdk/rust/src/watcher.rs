//! Idle, prepare and check handles: a callback in every iteration of the loop.
//!
//! The kinds differ in their phase alone. libuv, too, has one source file for the three.

use crate::batch::Synced;
use crate::error::Result;
use crate::event_loop::Loop;
use crate::handle::handle_kind;
use crate::imports::check::Check as RawCheck;
use crate::imports::idle::Idle as RawIdle;
use crate::imports::prepare::Prepare as RawPrepare;

macro_rules! watcher {
    ($(#[$attribute:meta])* $kind:ident($raw:ident), $name:literal) => {
        handle_kind! {
            $(#[$attribute])*
            ///
            /// Handles of this kind are called last-started first, and keep that order afterwards.
            /// One that is started, or stopped and started again, while they are being called has
            /// its turn in the next iteration, before all others.
            $kind(Synced<$raw>), $kind, callback(handle: &$kind) of EventKind::Callback
        }

        impl $kind {
            /// Makes the handle. `LoopClosed` on a closed loop, ENOMEM when the guest has as many
            /// handles as the host allows.
            pub fn new(event_loop: &Loop) -> Result<Self> {
                Self::make(event_loop, $raw::create)
            }

            #[doc = concat!("Starts the handle, as `uv_", $name, "_start`. Nothing happens if it is")]
            /// started already. `HandleClosed` on a closing handle.
            pub fn start(&self) -> Result<()> {
                Ok(self.0.raw.start()?)
            }

            /// Starts the handle with this callback, which replaces the one before, also if the
            /// handle is started already (libuv would keep the old one). If starting is refused,
            /// the callback is not replaced.
            pub fn start_with(&self, callback: impl FnMut(&Self) + 'static) -> Result<()> {
                self.start()?;
                self.set_callback(callback);
                Ok(())
            }

            #[doc = concat!("Stops the handle, as `uv_", $name, "_stop`. Nothing happens if it is")]
            /// not started or is closing.
            pub fn stop(&self) {
                self.0.raw.stop();
            }
        }
    };
}

watcher! {
    /// An idle handle, as libuv's `uv_idle_t`: called once per iteration, right before the prepare
    /// handles. While one is active, the loop does not wait for events. It is meant for work in
    /// slices; stop it when there is no more work.
    Idle(RawIdle), "idle"
}

watcher! {
    /// A prepare handle, as libuv's `uv_prepare_t`: called once per iteration, right before the
    /// loop waits for events.
    Prepare(RawPrepare), "prepare"
}

watcher! {
    /// A check handle, as libuv's `uv_check_t`: called once per iteration, right after the loop has
    /// waited for events.
    Check(RawCheck), "check"
}
