//! `uv:handles/signal`.

use super::{handle_id, handle_resource, loop_id};
use crate::bindings::event_loop::Loop;
use crate::bindings::signal::{Host, HostSignal, Signal};
use crate::bindings::types::Error;
use crate::ctx::denied::Denied;
use crate::view::UvCtxView;
use uv_handles_core::HandleId;
use wasmtime::component::Resource;

impl UvCtxView<'_> {
    fn watch(&mut self, signal: HandleId, signum: i32, oneshot: bool) -> Result<(), Error> {
        // Earlier deliveries go to the handles that watched at the time.
        self.ctx.collect();
        let granted = self.ctx.signals.granted;
        let is_granted = |signum: i32| granted & (1 << (signum - 1)) != 0;
        let started = self.ctx.loops.signal_start(signal, signum, oneshot, is_granted);
        if started == Err(uv_handles_core::Error::AccessDenied) {
            self.ctx.on_denied.report(Denied::Signal(signum));
        }
        // This is necessary after an error too: a refused start may have stopped the handle.
        if let Err(error) = self.ctx.catch_signals() {
            self.ctx.loops.signal_stop(signal);
            return Err(error.into());
        }
        self.ctx.recheck_loop_of(signal);
        Ok(started?)
    }
}

impl Host for UvCtxView<'_> {}

impl HostSignal for UvCtxView<'_> {
    fn create(&mut self, owner: Resource<Loop>, token: u64) -> Result<Resource<Signal>, Error> {
        Ok(handle_resource(self.ctx.loops.make_signal(loop_id(&owner), token)?))
    }

    fn start(&mut self, signal: Resource<Signal>, signum: i32) -> Result<(), Error> {
        self.watch(handle_id(&signal), signum, false)
    }

    fn start_oneshot(&mut self, signal: Resource<Signal>, signum: i32) -> Result<(), Error> {
        self.watch(handle_id(&signal), signum, true)
    }

    fn stop(&mut self, signal: Resource<Signal>) {
        self.ctx.collect();
        self.ctx.loops.signal_stop(handle_id(&signal));
        self.ctx.recheck_loop_of(handle_id(&signal));
        self.ctx.after_closing();
    }

    fn signum(&mut self, signal: Resource<Signal>) -> Result<i32, Error> {
        Ok(self.ctx.loops.signal_signum(handle_id(&signal))?)
    }

    fn drop(&mut self, signal: Resource<Signal>) -> wasmtime::Result<()> {
        self.ctx.release(handle_id(&signal));
        Ok(())
    }
}
