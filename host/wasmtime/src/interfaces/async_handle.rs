//! `uv:handles/async-handle`.

use super::{handle_id, handle_resource, loop_id};
use crate::bindings::async_handle::{AsyncHandle, Host, HostAsyncHandle};
use crate::bindings::event_loop::Loop;
use crate::bindings::types::{Error, ErrorCode};
use crate::ctx::denied::Denied;
use crate::grants::async_sender::OpenError;
use crate::view::UvCtxView;
use wasmtime::component::Resource;

impl Host for UvCtxView<'_> {}

impl HostAsyncHandle for UvCtxView<'_> {
    fn create(&mut self, owner: Resource<Loop>, token: u64) -> Result<Resource<AsyncHandle>, Error> {
        Ok(handle_resource(self.ctx.loops.make_async(loop_id(&owner), token)?))
    }

    fn create_named(
        &mut self,
        owner: Resource<Loop>,
        token: u64,
        name: String,
    ) -> Result<Resource<AsyncHandle>, Error> {
        let owner = loop_id(&owner);
        match self.ctx.async_handles.open(&name) {
            Ok(opening) => {
                let handle = self.ctx.loops.make_async(owner, token)?;
                opening.with(handle, self.ctx.pollers.waker(owner));
                Ok(handle_resource(handle))
            }
            Err(error) => {
                if error == OpenError::NotGranted {
                    self.ctx.on_denied.report(Denied::AsyncHandle(&name));
                }
                Err(error.into())
            }
        }
    }

    fn send(&mut self, handle: Resource<AsyncHandle>) -> Result<(), Error> {
        self.ctx.loops.async_send(handle_id(&handle))?;
        self.ctx.recheck_loop_of(handle_id(&handle));
        Ok(())
    }

    fn receive(&mut self, handle: Resource<AsyncHandle>) -> Result<Option<Vec<u8>>, Error> {
        let handle = handle_id(&handle);
        self.ctx.loops.check_open(handle)?;
        self.ctx.async_handles.receive(handle).ok_or(ErrorCode::Enotsup.into())
    }

    fn drop(&mut self, handle: Resource<AsyncHandle>) -> wasmtime::Result<()> {
        self.ctx.release(handle_id(&handle));
        Ok(())
    }
}
