//! `uv:handles/event-loop` and `uv:handles/plugin-loop`.

use super::{loop_id, run_id};
use crate::bindings::event_loop::{Host, HostLoop, HostRun, Loop, Run, Step};
use crate::bindings::plugin_loop;
use crate::bindings::types::{Error, ErrorCode, RunMode};
use crate::ctx::UvCtx;
use crate::driver::OsDriver;
use crate::view::UvCtxView;
use uv_handles_core::{Delivery, Driver};
use wasmtime::component::Resource;

impl Host for UvCtxView<'_> {}

impl UvCtx {
    fn make_loop(&mut self) -> Result<Resource<Loop>, Error> {
        let id = self.loops.make_loop(self.clock.now())?;
        Ok(Resource::new_own(id.index()))
    }
}

impl plugin_loop::Host for UvCtxView<'_> {
    fn create(&mut self) -> Result<Resource<Loop>, Error> {
        if !self.ctx.is_plugin {
            return Err(ErrorCode::Enotsup.into());
        }
        self.ctx.make_loop()
    }
}

impl HostLoop for UvCtxView<'_> {
    fn create(&mut self) -> Result<Resource<Loop>, Error> {
        if self.ctx.is_plugin {
            return Err(ErrorCode::Enotsup.into());
        }
        self.ctx.make_loop()
    }

    fn begin(&mut self, id: Resource<Loop>, mode: RunMode) -> Result<Resource<Run>, Error> {
        if self.ctx.is_plugin {
            return Err(ErrorCode::Enotsup.into());
        }
        let run = self.ctx.loops.begin_run(loop_id(&id), mode.into())?;
        Ok(Resource::new_own(run.index()))
    }

    fn stop(&mut self, id: Resource<Loop>) {
        self.ctx.loops.stop(loop_id(&id));
        self.ctx.recheck(loop_id(&id));
    }

    fn close(&mut self, id: Resource<Loop>) -> Result<(), Error> {
        self.ctx.loops.close_loop(loop_id(&id))?;
        self.ctx.pollers.remove(loop_id(&id));
        Ok(())
    }

    fn closed(&mut self, id: Resource<Loop>) -> bool {
        self.ctx.loops.loop_closed(loop_id(&id))
    }

    fn alive(&mut self, id: Resource<Loop>) -> bool {
        self.ctx.loops.alive(loop_id(&id))
    }

    fn now(&mut self, id: Resource<Loop>) -> Result<u64, Error> {
        Ok(self.ctx.loops.now(loop_id(&id))?)
    }

    fn update_time(&mut self, id: Resource<Loop>) -> Result<(), Error> {
        let now = self.ctx.clock.now();
        Ok(self.ctx.loops.update_time(loop_id(&id), now)?)
    }

    fn poll_timeout(&mut self, id: Resource<Loop>) -> Result<Option<u32>, Error> {
        Ok(self.ctx.loops.poll_timeout(loop_id(&id))?)
    }

    fn handles(&mut self, id: Resource<Loop>) -> Vec<u64> {
        let handles = self.ctx.loops.handles(loop_id(&id));
        handles.into_iter().map(|handle| self.ctx.loops.token(handle)).collect()
    }

    fn drop(&mut self, id: Resource<Loop>) -> wasmtime::Result<()> {
        let id = loop_id(&id);
        self.ctx.pollers.remove(id);
        self.ctx.collect();
        self.ctx.loops.release_loop(id);
        self.ctx.drop_closed_pollables();
        self.ctx.after_closing();
        Ok(())
    }
}

impl HostRun for UvCtxView<'_> {
    fn next(&mut self, run: Resource<Run>) -> wasmtime::Result<Result<Step, Error>> {
        let delivery = OsDriver(self.ctx).next(run_id(&run), 1);
        self.answer(delivery, |delivery| match delivery {
            Delivery::Event(event) => Step::Event(event.into()),
            Delivery::Wait => Step::Wait,
            Delivery::Finished { alive } => Step::Finished(alive),
            Delivery::Callbacks(_) | Delivery::Polls(_) | Delivery::Closes(_) => {
                unreachable!("a batch has more than one callback")
            }
        })
    }

    fn drop(&mut self, run: Resource<Run>) -> wasmtime::Result<()> {
        self.ctx.loops.release_run(run_id(&run));
        // The end of the callback in progress may have stopped a one-shot signal handle.
        self.ctx.after_closing();
        Ok(())
    }
}
