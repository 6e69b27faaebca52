//! `uv:handles/handle`: what all kinds have in common, and the way in which each kind's resource
//! is dropped.

use super::handle_id;
use crate::bindings::handle::{AnyHandle, Host};
use crate::bindings::types::{Error, StatusCode};
use crate::ctx::UvCtx;
use crate::os::descriptors::number_of;
use crate::view::UvCtxView;
use uv_handles_core::HandleId;

fn id(handle: &AnyHandle) -> HandleId {
    match handle {
        AnyHandle::Timer(resource) => handle_id(resource),
        AnyHandle::Idle(resource) => handle_id(resource),
        AnyHandle::Prepare(resource) => handle_id(resource),
        AnyHandle::Check(resource) => handle_id(resource),
        AnyHandle::AsyncHandle(resource) => handle_id(resource),
        AnyHandle::Poll(resource) => handle_id(resource),
        AnyHandle::Signal(resource) => handle_id(resource),
    }
}

impl UvCtx {
    /// Releases the handle of a resource that the guest drops.
    pub(super) fn release(&mut self, handle: HandleId) {
        self.close(handle);
        let owner = self.loops.loop_of(handle);
        if let Some(poller) = self.pollers.made(owner) {
            poller.forget(handle);
        }
        self.loops.release(handle);
    }

    pub(crate) fn close(&mut self, handle: HandleId) {
        // A guest may say it as often as a list of changes is long.
        if self.loops.handle_closing(handle) {
            return;
        }
        // What was delivered before counts by what was watched before.
        self.collect();
        self.loops.close(handle);
        let owner = self.loops.loop_of(handle);
        if let (Some(_), Some(poller)) = (self.loops.poll_source(handle), self.pollers.made(owner)) {
            poller.touch(handle);
        }
        self.after_closing();
    }

    /// No kind of handle has buffers of its own: sockets are descriptors here.
    fn no_buffers<T>(&self, handle: HandleId) -> Result<T, Error> {
        self.loops.check_open(handle)?;
        Err(StatusCode::Einval.into())
    }
}

impl Host for UvCtxView<'_> {
    fn close(&mut self, handle: AnyHandle) {
        self.ctx.close(id(&handle));
    }

    fn active(&mut self, handle: AnyHandle) -> bool {
        self.ctx.loops.active(id(&handle))
    }

    fn closing(&mut self, handle: AnyHandle) -> bool {
        self.ctx.loops.handle_closing(id(&handle))
    }

    fn closed(&mut self, handle: AnyHandle) -> bool {
        self.ctx.loops.handle_closed(id(&handle))
    }

    fn referenced(&mut self, handle: AnyHandle) -> bool {
        self.ctx.loops.referenced(id(&handle))
    }

    fn reference(&mut self, handle: AnyHandle) -> Result<(), Error> {
        Ok(self.ctx.loops.reference(id(&handle))?)
    }

    fn dereference(&mut self, handle: AnyHandle) -> Result<(), Error> {
        Ok(self.ctx.loops.dereference(id(&handle))?)
    }

    fn fileno(&mut self, handle: AnyHandle) -> Result<u32, Error> {
        self.ctx.loops.check_open(id(&handle))?;
        match self.ctx.loops.poll_source(id(&handle)) {
            Some(source) => Ok(number_of(source)),
            None => Err(StatusCode::Einval.into()),
        }
    }

    fn send_buffer_size(&mut self, handle: AnyHandle) -> Result<u32, Error> {
        self.ctx.no_buffers(id(&handle))
    }

    fn set_send_buffer_size(&mut self, handle: AnyHandle, _: u32) -> Result<(), Error> {
        self.ctx.no_buffers(id(&handle))
    }

    fn receive_buffer_size(&mut self, handle: AnyHandle) -> Result<u32, Error> {
        self.ctx.no_buffers(id(&handle))
    }

    fn set_receive_buffer_size(&mut self, handle: AnyHandle, _: u32) -> Result<(), Error> {
        self.ctx.no_buffers(id(&handle))
    }
}
