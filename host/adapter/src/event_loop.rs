//! `uv:handles/event-loop`.

use crate::bindings::exports::uv::handles::event_loop::{Guest, GuestLoop, Loop, LoopBorrow};
use crate::bindings::exports::uv::handles::types::{Error, RunMode};
use crate::{Adapter, blocking, wait, with};
use uv_handles_core::LoopId;

/// What stands behind the resource of a loop.
pub struct Owned(LoopId);

impl Drop for Owned {
    fn drop(&mut self) {
        blocking::forget(self.0);
        with(|loops| loops.release_loop(self.0));
    }
}

/// The loop that a function got.
pub fn id(event_loop: &LoopBorrow<'_>) -> LoopId {
    event_loop.get::<Owned>().0
}

impl Guest for Adapter {
    type Loop = Owned;
}

impl GuestLoop for Owned {
    fn create() -> Result<Loop, Error> {
        let now = wait::now();
        Ok(Loop::new(Owned(with(|loops| loops.make_loop(now))?)))
    }

    fn begin(&self, mode: RunMode) -> Result<(), Error> {
        with(|loops| loops.begin(self.0, mode.into()))?;
        blocking::forget_found(self.0);
        Ok(())
    }

    fn stop(&self) {
        with(|loops| loops.stop(self.0));
    }

    fn close(&self) -> Result<(), Error> {
        with(|loops| loops.close_loop(self.0))?;
        blocking::forget_found(self.0);
        Ok(())
    }

    fn closed(&self) -> bool {
        with(|loops| loops.loop_closed(self.0))
    }

    fn alive(&self) -> bool {
        with(|loops| loops.alive(self.0))
    }

    fn now(&self) -> Result<u64, Error> {
        Ok(with(|loops| loops.now(self.0))?)
    }

    fn update_time(&self) -> Result<(), Error> {
        let now = wait::now();
        Ok(with(|loops| loops.update_time(self.0, now))?)
    }

    fn poll_timeout(&self) -> Result<Option<u32>, Error> {
        Ok(with(|loops| loops.poll_timeout(self.0))?)
    }

    fn handles(&self) -> Vec<u64> {
        with(|loops| loops.handles(self.0).into_iter().map(|handle| loops.token(handle)).collect())
    }
}
