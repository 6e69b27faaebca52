//! Signal handles: a callback when the process receives a signal.

use crate::batch::Synced;
use crate::error::Result;
use crate::event_loop::Loop;
use crate::handle::handle_kind;
use crate::imports::signal::Signal as RawSignal;
use crate::not_granted;
use crate::signum::Signum;

handle_kind! {
    /// A signal handle, as libuv's `uv_signal_t`. Signals are those of the host's process; a guest
    /// can watch the ones that it was granted.
    ///
    /// Every handle of the process that watches a signal is called for each delivery, after the
    /// other events of the same poll.
    ///
    /// ```no_run
    /// # use uv_handles::{Handle, Loop, Result, Signal, Signum};
    /// # fn main() -> Result<()> {
    /// # let event_loop = Loop::new()?;
    /// let interrupt = Signal::new(&event_loop)?;
    /// interrupt.start_with(Signum::SIGINT, |signal, signum| {
    ///     println!("{signum}: ending");
    ///     signal.event_loop().stop();
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    Signal(Synced<RawSignal>), Signal, callback(handle: &Signal, signal: Signum) of EventKind::Signal(signum) => Signum::new(signum)
}

impl Signal {
    /// Makes a signal handle. `LoopClosed` on a closed loop, ENOMEM when the guest has as many
    /// handles as the host allows.
    pub fn new(event_loop: &Loop) -> Result<Self> {
        Self::make(event_loop, RawSignal::create)
    }

    /// Watches a signal, as `uv_signal_start`.
    ///
    /// If the handle watches another one, it is stopped first, and stays stopped if the new one is
    /// refused. If it watches this one already, nothing happens, except that a one-shot watch
    /// becomes a lasting one.
    ///
    /// EINVAL for 0, a number out of range, SIGKILL and SIGSTOP, and for those that the host itself
    /// depends on (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, 32, 33); EACCES for a signal
    /// that was not granted; `HandleClosed` on a closing handle.
    pub fn start(&self, signum: Signum) -> Result<()> {
        not_granted::signal(signum, self.0.raw.start(signum.number()))
    }

    /// Watches a signal with this callback. If that is refused, the callback is not replaced.
    pub fn start_with(&self, signum: Signum, callback: impl FnMut(&Self, Signum) + 'static) -> Result<()> {
        self.start(signum)?;
        self.set_callback(callback);
        Ok(())
    }

    /// Watches a signal for one callback, as `uv_signal_start_oneshot`: the handle is stopped right
    /// after it.
    ///
    /// The same rules and errors as for [`start`](Self::start); a lasting watch of the same signal
    /// stays a lasting one.
    pub fn start_oneshot(&self, signum: Signum) -> Result<()> {
        not_granted::signal(signum, self.0.raw.start_oneshot(signum.number()))
    }

    /// Watches a signal for one call of this callback. If that is refused, the callback is not
    /// replaced.
    pub fn start_oneshot_with(
        &self,
        signum: Signum,
        callback: impl FnMut(&Self, Signum) + 'static,
    ) -> Result<()> {
        self.start_oneshot(signum)?;
        self.set_callback(callback);
        Ok(())
    }

    /// Stops watching, as `uv_signal_stop`. Nothing happens if it is not started or is closing.
    pub fn stop(&self) {
        self.0.raw.stop();
    }

    /// The signal that the handle watches, none if it is stopped. `HandleClosed` on a closing
    /// handle.
    pub fn signum(&self) -> Result<Option<Signum>> {
        let number = self.0.raw.signum()?;
        Ok((number != 0).then_some(Signum::new(number)))
    }
}
