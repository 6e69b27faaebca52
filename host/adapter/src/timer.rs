//! `uv:handles/timer`.

use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::timer::{Guest, GuestTimer, Timer};
use crate::bindings::exports::uv::handles::types::Error;
use crate::{Adapter, Owned, event_loop, with};

impl Guest for Adapter {
    type Timer = Owned;
}

impl GuestTimer for Owned {
    fn create(owner: LoopBorrow<'_>, token: u64) -> Result<Timer, Error> {
        let handle = with(|loops| loops.make_timer(event_loop::id(&owner), token))?;
        Ok(Timer::new(Owned(handle)))
    }

    fn start(&self, timeout: u64, repeat: u64) -> Result<(), Error> {
        Ok(with(|loops| loops.timer_start(self.0, timeout, repeat))?)
    }

    fn stop(&self) {
        with(|loops| loops.timer_stop(self.0));
    }

    fn again(&self) -> Result<(), Error> {
        Ok(with(|loops| loops.timer_again(self.0))?)
    }

    fn repeat(&self) -> Result<u64, Error> {
        Ok(with(|loops| loops.timer_repeat(self.0))?)
    }

    fn set_repeat(&self, repeat: u64) -> Result<(), Error> {
        Ok(with(|loops| loops.timer_set_repeat(self.0, repeat))?)
    }

    fn due_in(&self) -> Result<u64, Error> {
        Ok(with(|loops| loops.timer_due_in(self.0))?)
    }
}
