//! `uv:handles/timer`.

use super::{handle_id, handle_resource, loop_id};
use crate::bindings::event_loop::Loop;
use crate::bindings::timer::{Host, HostTimer, Timer};
use crate::bindings::types::Error;
use crate::view::UvCtxView;
use wasmtime::component::Resource;

impl Host for UvCtxView<'_> {}

impl HostTimer for UvCtxView<'_> {
    fn create(&mut self, owner: Resource<Loop>, token: u64) -> Result<Resource<Timer>, Error> {
        Ok(handle_resource(self.ctx.loops.make_timer(loop_id(&owner), token)?))
    }

    fn start(&mut self, timer: Resource<Timer>, timeout: u64, repeat: u64) -> Result<(), Error> {
        self.ctx.loops.timer_start(handle_id(&timer), timeout, repeat)?;
        self.ctx.recheck_loop_of(handle_id(&timer));
        Ok(())
    }

    fn stop(&mut self, timer: Resource<Timer>) {
        self.ctx.loops.timer_stop(handle_id(&timer));
        self.ctx.recheck_loop_of(handle_id(&timer));
    }

    fn again(&mut self, timer: Resource<Timer>) -> Result<(), Error> {
        self.ctx.loops.timer_again(handle_id(&timer))?;
        self.ctx.recheck_loop_of(handle_id(&timer));
        Ok(())
    }

    fn repeat(&mut self, timer: Resource<Timer>) -> Result<u64, Error> {
        Ok(self.ctx.loops.timer_repeat(handle_id(&timer))?)
    }

    fn set_repeat(&mut self, timer: Resource<Timer>, repeat: u64) -> Result<(), Error> {
        Ok(self.ctx.loops.timer_set_repeat(handle_id(&timer), repeat)?)
    }

    fn due_in(&mut self, timer: Resource<Timer>) -> Result<u64, Error> {
        Ok(self.ctx.loops.timer_due_in(handle_id(&timer))?)
    }

    fn drop(&mut self, timer: Resource<Timer>) -> wasmtime::Result<()> {
        self.ctx.release(handle_id(&timer));
        Ok(())
    }
}
