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
use uv_handles_core::{Delivery, Driver, NO_READY_TOKEN, NO_TOKEN_PAIR, RunId};
use wasmtime::component::Resource;

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
        let run = self.ctx.loops.run_of_key(key);
        let mut delivery = self.deliver(run, max, position, pool, changes);
        while let (Some(run), Ok(Delivery::Wait)) = (run, &delivery) {
            let waited = self.ctx.wait_blocking(run);
            delivery = waited.and_then(|()| OsDriver(self.ctx).next(run, max));
        }
        self.answer(delivery, Into::into)
    }

    fn next_callbacks(&mut self, key: u64) -> wasmtime::Result<u64> {
        let Some(run) = self.blocking_run(key) else {
            return Ok(NO_TOKEN_PAIR);
        };
        // Called directly, and so inlined: a result that goes through memory costs as much as a tenth of
        // an iteration.
        match OsDriver(self.ctx).next_pair(run) {
            Ok(Some(pair)) => Ok(pair),
            other => {
                let pair = self.wait_in_brief(run, other, |driver, run| driver.next_pair(run))?;
                Ok(pair.unwrap_or(NO_TOKEN_PAIR))
            }
        }
    }

    fn next_ready(&mut self, key: u64) -> wasmtime::Result<u64> {
        let Some(run) = self.blocking_run(key) else {
            return Ok(NO_READY_TOKEN);
        };
        match OsDriver(self.ctx).next_ready(run) {
            Ok(Some(ready)) => Ok(ready),
            other => {
                let ready = self.wait_in_brief(run, other, |driver, run| driver.next_ready(run))?;
                Ok(ready.unwrap_or(NO_READY_TOKEN))
            }
        }
    }
}

/// A form of `next` that returns what fits in a number.
type Brief = fn(&mut OsDriver<'_>, RunId) -> Result<Option<u64>, RunError>;

impl UvCtxView<'_> {
    /// Waits while that is all that a form of `next` brings.
    #[inline(never)]
    fn wait_in_brief(
        &mut self,
        run: RunId,
        mut brought: Result<Option<u64>, RunError>,
        next: Brief,
    ) -> wasmtime::Result<Option<u64>> {
        while matches!(brought, Ok(None)) && self.ctx.loops.take_stashed_wait(run) {
            let waited = self.ctx.wait_blocking(run);
            brought = waited.and_then(|()| next(&mut OsDriver(self.ctx), run));
        }
        self.answer_in_brief(brought)
    }

    /// Returns the run with this key, unless the guest must not block.
    fn blocking_run(&self, key: u64) -> Option<RunId> {
        self.ctx.loops.run_of_key(key).filter(|_| !self.ctx.is_plugin)
    }
}

#[cfg(feature = "async")]
mod in_task {
    use super::{
        BatchStep, Brief, Change, Delivery, Driver, Error, ErrorCode, NO_READY_TOKEN, NO_TOKEN_PAIR,
        OsDriver, Resource, Run, TimerPool, UvCtxView, run_id,
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
            let run = self.ctx.loops.run_of_key(key);
            let mut delivery = self.deliver(run, max, position, pool, changes);
            while let (Some(run), Ok(Delivery::Wait)) = (run, &delivery) {
                let waited = self.ctx.wait_in_task(run).await;
                delivery = waited.and_then(|()| OsDriver(self.ctx).next(run, max));
            }
            self.answer(delivery, Into::into)
        }

        async fn next_callbacks(&mut self, key: u64) -> wasmtime::Result<u64> {
            let pair = self.in_brief(key, |driver, run| driver.next_pair(run)).await?;
            Ok(pair.unwrap_or(NO_TOKEN_PAIR))
        }

        async fn next_ready(&mut self, key: u64) -> wasmtime::Result<u64> {
            let ready = self.in_brief(key, |driver, run| driver.next_ready(run)).await?;
            Ok(ready.unwrap_or(NO_READY_TOKEN))
        }
    }

    impl UvCtxView<'_> {
        async fn in_brief(&mut self, key: u64, next: Brief) -> wasmtime::Result<Option<u64>> {
            let Some(run) = self.blocking_run(key) else {
                return Ok(None);
            };
            let mut brought = next(&mut OsDriver(self.ctx), run);
            while matches!(brought, Ok(None)) && self.ctx.loops.take_stashed_wait(run) {
                let waited = self.ctx.wait_in_task(run).await;
                brought = waited.and_then(|()| next(&mut OsDriver(self.ctx), run));
            }
            self.answer_in_brief(brought)
        }
    }
}

#[cfg(all(test, feature = "async"))]
mod tests {
    use crate::bindings::async_handle::HostAsyncHandle;
    use crate::bindings::batch::{BatchStep, Host as _};
    use crate::bindings::in_task::blocking_batch::Host;
    use crate::bindings::types::Event;
    use crate::ctx::UvCtx;
    use crate::ctx::builder::UvCtxBuilder;
    use crate::ctx::interrupt::Interrupted;
    use crate::grants::async_sender::AsyncSender;
    use crate::view::UvCtxView;
    use std::pin::{Pin, pin};
    use std::task::{Context, Waker};
    use uv_handles_core::RunMode;
    use wasmtime::component::Resource;

    const TOKEN: u64 = 7;

    /// Makes a guest that runs a loop with an async handle. Returns the key of the run.
    fn running(builder: &mut UvCtxBuilder) -> (UvCtx, AsyncSender, u64) {
        let sender = builder.async_sender("go");
        let mut ctx = builder.build();
        let id = ctx.loops.make_loop(0).unwrap();
        let view = &mut UvCtxView { ctx: &mut ctx };
        HostAsyncHandle::create_named(view, Resource::new_borrow(id.index()), TOKEN, "go".into()).unwrap();
        let run = view.ctx.loops.begin_run(id, RunMode::Default).unwrap();
        let key = view.key(Resource::new_borrow(run.index()));
        (ctx, sender, key)
    }

    fn is_pending<F: Future>(future: Pin<&mut F>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[tokio::test]
    async fn a_task_that_is_dropped_while_it_waits_loses_no_event() {
        for is_sent_first in [false, true] {
            let (mut ctx, sender, key) = running(&mut UvCtx::builder());
            let view = &mut UvCtxView { ctx: &mut ctx };
            {
                let mut next = pin!(Host::next(view, key, 8, None, None, Vec::new()));
                assert!(is_pending(next.as_mut()) && is_pending(next));
                if is_sent_first {
                    sender.send().unwrap();
                }
            }
            if !is_sent_first {
                sender.send().unwrap();
            }
            let step = Host::next(view, key, 8, None, None, Vec::new()).await.unwrap().unwrap();
            assert!(matches!(step, BatchStep::Event(Event { token: TOKEN, .. })), "{step:?}");
        }
    }

    #[tokio::test]
    async fn a_short_call_that_is_dropped_while_it_waits_loses_no_event() {
        for is_sent_first in [false, true] {
            let (mut ctx, sender, key) = running(&mut UvCtx::builder());
            let view = &mut UvCtxView { ctx: &mut ctx };
            {
                let mut next = pin!(Host::next_callbacks(view, key));
                assert!(is_pending(next.as_mut()) && is_pending(next));
                if is_sent_first {
                    sender.send().unwrap();
                }
            }
            if !is_sent_first {
                sender.send().unwrap();
            }
            let pair = Host::next_callbacks(view, key).await.unwrap();
            assert_eq!((pair as u32, (pair >> 32) as u32), (TOKEN as u32, u32::MAX));
        }
    }

    #[tokio::test]
    async fn an_interrupt_ends_the_short_call() {
        let mut builder = UvCtx::builder();
        let interrupt = builder.interrupt_handle();
        let (mut ctx, _, key) = running(&mut builder);
        let view = &mut UvCtxView { ctx: &mut ctx };
        let mut next = pin!(Host::next_callbacks(view, key));
        assert!(is_pending(next.as_mut()));
        interrupt.interrupt();
        assert!(next.await.unwrap_err().is::<Interrupted>());
    }

    #[tokio::test]
    async fn an_interrupt_ends_the_wait_and_the_guest() {
        let mut builder = UvCtx::builder();
        let interrupt = builder.interrupt_handle();
        let (mut ctx, _, key) = running(&mut builder);
        let view = &mut UvCtxView { ctx: &mut ctx };
        {
            let mut next = pin!(Host::next(view, key, 8, None, None, Vec::new()));
            assert!(is_pending(next.as_mut()));
            interrupt.interrupt();
            assert!(next.await.unwrap_err().is::<Interrupted>());
        }
        for _ in 0..2 {
            let refused = Host::next(view, key, 8, None, None, Vec::new()).await;
            assert!(!matches!(refused, Ok(Ok(_))), "the guest has nothing left: {refused:?}");
        }
    }
}
