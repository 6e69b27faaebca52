//! `uv:wasi/pollables`.

use super::{handle_resource, loop_id};
use crate::bindings::event_loop::Loop;
use crate::bindings::on_wasi::pollables::Host;
use crate::bindings::poll::Poll;
use crate::bindings::types::Error;
use crate::view::UvCtxView;
use wasmtime::component::Resource;
use wasmtime::error::Context;
use wasmtime_wasi::p2::DynPollable;

impl Host for UvCtxView<'_> {
    fn create(
        &mut self,
        owner: Resource<Loop>,
        token: u64,
        pollable: Resource<DynPollable>,
    ) -> wasmtime::Result<Result<Resource<Poll>, Error>> {
        let pollables = &mut self.ctx.pollables;
        pollables.check(&pollable).context("the store's WASI does not use the table of UvCtx::table")?;
        let source = pollables.new_source();
        match self.ctx.loops.make_poll(loop_id(&owner), token, source) {
            Ok(handle) => {
                self.ctx.pollables.insert(handle, &pollable);
                Ok(Ok(handle_resource(handle)))
            }
            Err(error) => {
                self.ctx.pollables.drop_pollable(pollable)?;
                Ok(Err(error.into()))
            }
        }
    }
}
