//! `uv:handles/event-loop`.

use super::loop_id;
use crate::bindings::event_loop::{Host, HostLoop, Loop};
use crate::bindings::types::{Error, RunMode, StatusCode};
use crate::view::UvCtxView;
use wasmtime::component::Resource;

impl Host for UvCtxView<'_> {}

impl HostLoop for UvCtxView<'_> {
    fn create(&mut self) -> Result<Resource<Loop>, Error> {
        let id = self.ctx.loops.make_loop(self.ctx.clock.now())?;
        Ok(Resource::new_own(id.index()))
    }

    fn begin(&mut self, id: Resource<Loop>, mode: RunMode) -> Result<(), Error> {
        if self.ctx.is_plugin {
            return Err(StatusCode::Enotsup.into());
        }
        self.ctx.loops.begin(loop_id(&id), mode.into())?;
        // The end of a run that nobody asked about.
        self.ctx.take_found(loop_id(&id));
        Ok(())
    }

    fn stop(&mut self, id: Resource<Loop>) {
        self.ctx.loops.stop(loop_id(&id));
    }

    fn close(&mut self, id: Resource<Loop>) -> Result<(), Error> {
        self.ctx.loops.close_loop(loop_id(&id))?;
        self.ctx.pollers.remove(loop_id(&id));
        self.ctx.take_found(loop_id(&id));
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
        self.ctx.batch.forget(id);
        self.ctx.take_found(id);
        self.ctx.pulled_last.take_if(|pulled| *pulled == id);
        self.ctx.collect();
        self.ctx.loops.release_loop(id);
        self.ctx.after_closing();
        Ok(())
    }
}
