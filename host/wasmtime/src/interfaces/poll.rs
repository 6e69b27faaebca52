//! `uv:handles/poll`.

use super::{handle_id, handle_resource, loop_id};
use crate::bindings::descriptors::Descriptor;
use crate::bindings::event_loop::Loop;
use crate::bindings::poll::{Host, HostPoll, Poll};
use crate::bindings::types::{Error, ErrorCode, PollEvents};
use crate::ctx::polling::is_pollable;
use crate::view::UvCtxView;
use uv_handles_core::{HandleId, SourceId};
use wasmtime::component::Resource;

impl UvCtxView<'_> {
    fn mark_stale(&mut self, handle: HandleId) -> Result<(), Error> {
        if self.ctx.pollable_changed(handle) {
            return Ok(());
        }
        let owner = self.ctx.loops.loop_of(handle);
        self.ctx.pollers.get(owner)?.mark_stale(handle);
        Ok(())
    }
}

impl Host for UvCtxView<'_> {}

impl HostPoll for UvCtxView<'_> {
    fn create(
        &mut self,
        owner: Resource<Loop>,
        token: u64,
        descriptor: Resource<Descriptor>,
    ) -> Result<Resource<Poll>, Error> {
        let owner = loop_id(&owner);
        let descriptors = &self.ctx.descriptors;
        let open = descriptors.get(descriptor.rep())?;
        let (source, fd) = (descriptors.source(descriptor.rep()), open.fd());
        let handle = self.ctx.loops.make_poll(owner, token, source)?;
        if let Err(error) = self.ctx.pollers.get(owner).and_then(|poller| poller.check(fd)) {
            self.ctx.loops.release(handle);
            return Err(error.into());
        }
        Ok(handle_resource(handle))
    }

    fn start(&mut self, poll: Resource<Poll>, events: PollEvents) -> Result<(), Error> {
        let handle = handle_id(&poll);
        self.ctx.loops.check_open(handle)?;
        let descriptors = &self.ctx.descriptors;
        let is_open = |&source: &SourceId| is_pollable(source) || descriptors.fd(source).is_some();
        if self.ctx.loops.poll_source(handle).filter(is_open).is_none() {
            return Err(ErrorCode::Ebadf.into());
        }
        self.ctx.loops.poll_start(handle, events.into())?;
        self.ctx.recheck_loop_of(handle);
        self.mark_stale(handle)
    }

    fn stop(&mut self, poll: Resource<Poll>) {
        let handle = handle_id(&poll);
        self.ctx.loops.poll_stop(handle);
        let owner = self.ctx.loops.loop_of(handle);
        self.ctx.recheck(owner);
        self.ctx.pollable_changed(handle);
        if let Some(poller) = self.ctx.pollers.made(owner) {
            poller.mark_stale(handle);
        }
    }

    fn drop(&mut self, poll: Resource<Poll>) -> wasmtime::Result<()> {
        self.ctx.release(handle_id(&poll));
        Ok(())
    }
}
