//! `uv:handles/signal`: handles can be made; starting one is refused, by the core's rules or with
//! ENOSYS.

use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::signal::{Guest, GuestSignal, Signal};
use crate::bindings::exports::uv::handles::types::Error;
use crate::{Adapter, Owned, event_loop, with};

impl Guest for Adapter {
    type Signal = Owned;
}

impl Owned {
    fn watch(&self, signum: i32, oneshot: bool) -> Result<(), Error> {
        Ok(with(|loops| loops.signal_start(self.0, signum, oneshot, |_| false))?)
    }
}

impl GuestSignal for Owned {
    fn create(owner: LoopBorrow<'_>, token: u64) -> Result<Signal, Error> {
        let handle = with(|loops| loops.make_signal(event_loop::id(&owner), token))?;
        Ok(Signal::new(Owned(handle)))
    }

    fn start(&self, signum: i32) -> Result<(), Error> {
        self.watch(signum, false)
    }

    fn start_oneshot(&self, signum: i32) -> Result<(), Error> {
        self.watch(signum, true)
    }

    fn stop(&self) {
        with(|loops| loops.signal_stop(self.0));
    }

    fn signum(&self) -> Result<i32, Error> {
        Ok(with(|loops| loops.signal_signum(self.0))?)
    }
}
