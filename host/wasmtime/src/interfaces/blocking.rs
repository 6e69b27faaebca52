//! `uv:handles/blocking` and `uv:handles/blocking-batch`, in two variants.
//!
//! One is for embedders that let a guest block its thread, the other for guests that are suspended.

use super::run_id;
use crate::bindings::batch::{BatchStep, Change, TimerPool};
use crate::bindings::event_loop::Run;
use crate::bindings::types::{Error, ErrorCode};
use crate::bindings::{blocking, blocking_batch};
use crate::driver::{OsDriver, RunError};
use crate::view::UvCtxView;
use uv_handles_core::{Delivery, Driver, RunId};
use wasmtime::component::Resource;

impl UvCtxView<'_> {
    /// Returns the run to wait for, if the guest would be told to wait.
    fn run_to_wait_for(&self, key: u64, delivery: &Result<Delivery, RunError>) -> Option<RunId> {
        match delivery {
            Ok(Delivery::Wait) => self.ctx.loops.run_of_key(key),
            _ => None,
        }
    }
}

impl blocking::Host for UvCtxView<'_> {
    fn wait(&mut self, run: Resource<Run>) -> wasmtime::Result<Result<(), Error>> {
        if self.ctx.is_plugin {
            return Ok(Err(ErrorCode::Enotsup.into()));
        }
        let waited = self.ctx.wait_blocking(run_id(&run));
        self.answer(waited, |()| ())
    }
}

impl blocking_batch::Host for UvCtxView<'_> {
    fn next(
        &mut self,
        key: u64,
        max: u32,
        position: Option<u32>,
        pool: Option<Resource<TimerPool>>,
        changes: Vec<Change>,
    ) -> wasmtime::Result<Result<BatchStep, Error>> {
        if self.ctx.is_plugin {
            return Ok(Err(ErrorCode::Enotsup.into()));
        }
        let mut delivery = self.deliver(key, max, position, pool, changes);
        if let Some(run) = self.run_to_wait_for(key, &delivery) {
            let waited = self.ctx.wait_blocking(run);
            delivery = waited.and_then(|()| OsDriver(self.ctx).next(run, max));
        }
        self.answer(delivery, Into::into)
    }
}

#[cfg(feature = "async")]
mod in_task {
    use super::{
        BatchStep, Change, Driver, Error, ErrorCode, OsDriver, Resource, Run, TimerPool, UvCtxView, run_id,
    };
    use crate::bindings::in_task::{blocking, blocking_batch};

    impl blocking::Host for UvCtxView<'_> {
        async fn wait(&mut self, run: Resource<Run>) -> wasmtime::Result<Result<(), Error>> {
            if self.ctx.is_plugin {
                return Ok(Err(ErrorCode::Enotsup.into()));
            }
            let waited = self.ctx.wait_in_task(run_id(&run)).await;
            self.answer(waited, |()| ())
        }
    }

    impl blocking_batch::Host for UvCtxView<'_> {
        async fn next(
            &mut self,
            key: u64,
            max: u32,
            position: Option<u32>,
            pool: Option<Resource<TimerPool>>,
            changes: Vec<Change>,
        ) -> wasmtime::Result<Result<BatchStep, Error>> {
            if self.ctx.is_plugin {
                return Ok(Err(ErrorCode::Enotsup.into()));
            }
            let mut delivery = self.deliver(key, max, position, pool, changes);
            if let Some(run) = self.run_to_wait_for(key, &delivery) {
                let waited = self.ctx.wait_in_task(run).await;
                delivery = waited.and_then(|()| OsDriver(self.ctx).next(run, max));
            }
            self.answer(delivery, Into::into)
        }
    }
}
