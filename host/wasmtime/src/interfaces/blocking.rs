//! `uv:handles/blocking`, in two variants.
//!
//! One is for embedders that let a guest block its thread, the other for guests that are suspended.

use super::run_id;
use crate::bindings::blocking::Host;
use crate::bindings::event_loop::Run;
use crate::bindings::types::{Error, ErrorCode};
use crate::view::UvCtxView;
use wasmtime::component::Resource;

impl Host for UvCtxView<'_> {
    fn wait(&mut self, run: Resource<Run>) -> wasmtime::Result<Result<(), Error>> {
        if self.ctx.is_plugin {
            return Ok(Err(ErrorCode::Enotsup.into()));
        }
        let waited = self.ctx.wait_blocking(run_id(&run));
        self.answer(waited, |()| ())
    }
}

#[cfg(feature = "async")]
mod in_task {
    use super::{Error, ErrorCode, Resource, Run, UvCtxView, run_id};
    use crate::bindings::in_task::blocking::Host;

    impl Host for UvCtxView<'_> {
        async fn wait(&mut self, run: Resource<Run>) -> wasmtime::Result<Result<(), Error>> {
            if self.ctx.is_plugin {
                return Ok(Err(ErrorCode::Enotsup.into()));
            }
            let waited = self.ctx.wait_in_task(run_id(&run)).await;
            self.answer(waited, |()| ())
        }
    }
}
