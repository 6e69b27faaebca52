//! The wait that suspends one task of an instance while others continue.
//!
//! The store is accessible only between suspensions. A suspension therefore owns everything that
//! can end it.

use crate::ctx::UvCtx;
use crate::driver::RunError;
use crate::os::pollers::OwnedWait;
use crate::os::task_waker::TaskWaker;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use tokio::time::{Instant, timeout_at};
use uv_handles_core::RunId;

/// One suspension of a wait.
pub(crate) struct PendingWait {
    deadline: Option<Instant>,
    wait: OwnedWait,
}

impl UvCtx {
    /// Begins a suspension. Returns `None` if the run can continue.
    pub(crate) fn begin_concurrent_wait(&mut self, run: RunId) -> Result<Option<PendingWait>, RunError> {
        let Some((id, wait)) = self.wait_of(run)? else {
            return Ok(None);
        };
        // Register before the check, so that an event after the check ends the suspension.
        let owned = self.pollers.owned_wait(id);
        self.poll_ready_outside_run(id)?;
        let left = self.remaining(wait);
        if self.must_end_wait(id) || left.is_some_and(|left| left.is_zero()) {
            self.waited(id)?;
            return Ok(None);
        }
        let wait = self.pollers.watch_for(id, owned)?;
        let deadline = left.and_then(|left| Instant::now().checked_add(left));
        Ok(Some(PendingWait { deadline, wait }))
    }
}

impl PendingWait {
    /// Waits until there may be an event for the run. The start of the next suspension detects the
    /// deadline and a wake without a cause.
    pub(crate) async fn wait(&mut self) -> io::Result<()> {
        match self.deadline {
            None => self.wait.woken().await,
            Some(deadline) => timeout_at(deadline, self.wait.woken()).await.unwrap_or(Ok(())),
        }
    }
}

/// Lets the runtime's other tasks run. tokio's `yield_now` completes when it is polled again, and
/// wasmtime polls a future that is not ready again without returning to the runtime.
pub(crate) async fn yield_to_runtime() {
    let yielded = Arc::<TaskWaker>::default();
    // The runtime keeps this waker until its other tasks have had their turn.
    let waker = Waker::from(yielded.clone());
    let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&waker));
    poll_fn(|context| yielded.poll_woken(context)).await;
}

#[cfg(test)]
mod tests {
    use super::PendingWait;
    use crate::bindings::async_handle::HostAsyncHandle;
    use crate::bindings::batch::{Change, HostTimerPool, OpenAndStartTimer, Operation};
    use crate::bindings::event_loop::HostLoop;
    use crate::bindings::handle::{self, AnyHandle};
    use crate::bindings::timer::HostTimer;
    use crate::ctx::UvCtx;
    use crate::driver::OsDriver;
    use crate::view::UvCtxView;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};
    use uv_handles_core::{Delivery, Driver, LoopId, RunId, RunMode};
    use wasmtime::component::Resource;

    const LOOPS: u32 = 50;

    /// Makes a loop with a handle that keeps it alive, and begins to run it. Returns the number of
    /// the handle.
    fn waiting(ctx: &mut UvCtx) -> (LoopId, u32, RunId) {
        let id = ctx.loops.make_loop(0).unwrap();
        let handle = ctx.loops.make_async(id, 0).unwrap();
        let run = ctx.loops.begin_run(id, RunMode::Default).unwrap();
        assert_eq!(OsDriver(ctx).next(run, 1).unwrap(), Delivery::Wait);
        (id, handle.index(), run)
    }

    /// The waits that have ended, by their place.
    fn ended(waits: &mut [PendingWait]) -> Vec<usize> {
        let context = &mut Context::from_waker(Waker::noop());
        let mut is_over = |wait: &mut PendingWait| pin!(wait.wait()).poll(context).is_ready();
        (0..waits.len()).filter(|&at| is_over(&mut waits[at])).collect()
    }

    #[tokio::test]
    async fn a_change_of_a_loop_ends_the_waits_for_that_loop_alone() {
        let mut builder = UvCtx::builder();
        let (sender, interrupt) = (builder.async_sender("go"), builder.interrupt_handle());
        let mut ctx = builder.build();
        let all: Vec<_> = (0..LOOPS).map(|_| waiting(&mut ctx)).collect();
        let (id, handle, _) = all[7];
        let timer_number = ctx.loops.make_timer(id, 0).unwrap().index();
        let pool = ctx.loops.make_pool().unwrap();
        let pooled = ctx.loops.allocate_timers(pool, id, 1).unwrap()[0].index();
        let view = &mut UvCtxView { ctx: &mut ctx };
        HostAsyncHandle::create_named(view, Resource::new_borrow(id.index()), 0, "go".into()).unwrap();

        let start = OpenAndStartTimer { timer: pooled, token: 0, timeout: 1 << 30, repeat: 0 };
        let change = Change { position: 0, operation: Operation::OpenAndStart(start) };
        type Call = Box<dyn FnMut(&mut UvCtxView<'_>)>;
        let mut calls: Vec<(&str, Call)> = vec![
            (
                "timer.start",
                Box::new(move |view| {
                    HostTimer::start(view, Resource::new_borrow(timer_number), 1 << 30, 0).unwrap();
                }),
            ),
            (
                "timer.stop",
                Box::new(move |view| {
                    HostTimer::stop(view, Resource::new_borrow(timer_number));
                }),
            ),
            (
                "batch",
                Box::new(move |view| {
                    HostTimerPool::flush(view, Resource::new_borrow(pool.index()), vec![change]);
                }),
            ),
            (
                "dereference",
                Box::new(move |view| {
                    handle::Host::dereference(view, AnyHandle::Timer(Resource::new_borrow(timer_number)))
                        .unwrap();
                }),
            ),
            (
                "close",
                Box::new(move |view| {
                    handle::Host::close(view, AnyHandle::Timer(Resource::new_borrow(timer_number)));
                }),
            ),
            ("sender", Box::new(move |_| sender.send().unwrap())),
            (
                "async-handle.send",
                Box::new(move |view| {
                    HostAsyncHandle::send(view, Resource::new_borrow(handle)).unwrap();
                }),
            ),
            ("loop.stop", Box::new(move |view| HostLoop::stop(view, Resource::new_borrow(id.index())))),
        ];
        // Each wait begins before any of the calls: the loop itself need not wait any more.
        for (name, call) in &mut calls {
            let mut waits: Vec<PendingWait> = all.iter().map(|&(id, ..)| wait_for(&mut ctx, id)).collect();
            assert!(ended(&mut waits).is_empty(), "{name}");
            call(&mut UvCtxView { ctx: &mut ctx });
            assert_eq!(ended(&mut waits), [7], "{name}");
        }
        let mut waits: Vec<PendingWait> = all.iter().map(|&(id, ..)| wait_for(&mut ctx, id)).collect();
        interrupt.interrupt();
        assert_eq!(ended(&mut waits).len(), LOOPS as usize);
    }

    #[tokio::test]
    async fn a_yield_is_over_when_the_runtime_has_run_other_tasks() {
        let other = tokio::spawn(async {});
        let mut yields = pin!(super::yield_to_runtime());
        for _ in 0..3 {
            assert!(yields.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        yields.await;
        assert!(other.is_finished());
    }

    #[tokio::test]
    async fn a_wait_sees_the_events_of_a_poller_that_is_made_meanwhile() {
        let mut ctx = UvCtx::builder().build();
        let (id, _, run) = waiting(&mut ctx);
        let mut waits = [ctx.begin_concurrent_wait(run).unwrap().expect("nothing is due")];
        assert!(ended(&mut waits).is_empty());
        ctx.pollers.get(id).unwrap();
        assert_eq!(ended(&mut waits), [0]);
    }

    fn wait_for(ctx: &mut UvCtx, id: LoopId) -> PendingWait {
        let owned = ctx.pollers.owned_wait(id);
        PendingWait { deadline: None, wait: ctx.pollers.watch_for(id, owned).unwrap() }
    }
}
