//! `uv:handles/handle`: functions common to all kinds of handles.

use super::handle_id;
use crate::bindings::handle::{AnyHandle, Host};
use crate::bindings::types::{Error, ErrorCode};
use crate::ctx::polling::is_pollable;
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

impl Host for UvCtxView<'_> {
    fn close(&mut self, handle: AnyHandle) {
        self.ctx.close_handle(id(&handle));
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
        self.ctx.loops.reference(id(&handle))?;
        self.ctx.recheck_loop_of(id(&handle));
        Ok(())
    }

    fn dereference(&mut self, handle: AnyHandle) -> Result<(), Error> {
        self.ctx.loops.dereference(id(&handle))?;
        self.ctx.recheck_loop_of(id(&handle));
        Ok(())
    }

    fn fileno(&mut self, handle: AnyHandle) -> Result<u32, Error> {
        self.ctx.loops.check_open(id(&handle))?;
        match self.ctx.loops.poll_source(id(&handle)) {
            Some(source) if !is_pollable(source) => Ok(number_of(source)),
            _ => Err(ErrorCode::Einval.into()),
        }
    }
}
