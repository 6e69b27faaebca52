//! Polls the pollables that a guest's poll handles watch, and reports them to the loops.

pub(crate) use crate::ctx::pollables::is_pollable;

use crate::ctx::UvCtx;
use std::collections::BTreeSet;
use uv_handles_core::{HandleId, LoopId, Readiness};
use wasmtime::component::ResourceTable;

/// The readiness of a ready pollable: all events that the handle asks for.
const READY: Readiness =
    Readiness::READABLE.union(Readiness::WRITABLE).union(Readiness::DISCONNECT).union(Readiness::PRIORITIZED);

impl UvCtx {
    /// Returns the resource table for the store's WASI.
    ///
    /// The store's view of WASI ([`WasiView`](wasmtime_wasi::WasiView), for example) must return this
    /// table if the guest makes poll handles on pollables: the loops watch the pollables that are in
    /// it.
    pub fn table(&mut self) -> &mut ResourceTable {
        self.end_polling();
        self.pollables.table()
    }

    /// Ends the futures of pollables: the next poll makes them again.
    fn end_polling(&mut self) {
        if self.pollables.is_polling() {
            self.pollables.table();
            // Other tasks of the instance may wait for a pollable.
            if self.has_waits() {
                self.pollables.wake_loops();
            }
        }
    }

    /// Takes note of a change of what a poll handle watches. Returns whether it watches a pollable.
    pub(crate) fn pollable_changed(&mut self, handle: HandleId) -> bool {
        let is_on_pollable = self.loops.poll_source(handle).is_some_and(is_pollable);
        if is_on_pollable {
            self.end_polling();
        }
        is_on_pollable
    }

    /// Drops the pollable of a handle that is no longer open, if it has one.
    pub(crate) fn drop_pollable_of(&mut self, handle: HandleId) {
        if self.pollable_changed(handle) {
            self.pollables.close(handle);
        }
    }

    /// Drops the pollables of a loop's handles, which are no longer open.
    pub(crate) fn drop_closed_pollables(&mut self) {
        if !self.pollables.is_empty() {
            self.end_polling();
            let loops = &self.loops;
            self.pollables.close_all(|handle| loops.check_open(handle).is_ok());
        }
    }

    /// Drops the pollables of all handles.
    pub(crate) fn drop_all_pollables(&mut self) {
        self.end_polling();
        self.pollables.close_all(|_| false);
    }

    /// Reports ready pollables to the loops. If none is ready for this loop, it is woken when one is.
    #[inline]
    pub(crate) fn poll_pollables(&mut self, id: LoopId) {
        // The other pollables need a poll only if there is a wait for them.
        if self.pollables.needs_poll(&self.loops) && (!self.loops.has_ready(id) || self.has_waits()) {
            self.poll_all_pollables(id);
        }
    }

    #[inline(never)]
    fn poll_all_pollables(&mut self, id: LoopId) {
        loop {
            let (loops, pollers) = (&self.loops, &mut self.pollers);
            let wakers = |handles: &[HandleId]| {
                let owners: BTreeSet<u32> = handles.iter().map(|&of| loops.loop_of(of).index()).collect();
                owners.into_iter().map(|owner| pollers.waker(LoopId::from_index(owner))).collect()
            };
            let ready = self.pollables.poll(loops, wakers);
            if ready.is_empty() {
                return;
            }
            for &handle in &ready {
                self.loops.poll_ready(handle, READY);
                self.wake_other_loop(id, handle);
            }
            if self.loops.has_ready(id) && !self.has_waits() {
                return;
            }
        }
    }

    /// Ends the wait of a handle's loop, if it is another loop than this one.
    fn wake_other_loop(&mut self, id: LoopId, handle: HandleId) {
        let owner = self.loops.loop_of(handle);
        if owner != id
            && let Err(error) = self.pollers.waker(owner).wake()
        {
            tracing::error!(%error, "cannot wake a loop for a pollable");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atomic_waker::AtomicWaker;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::task::Poll;
    use std::time::Duration;
    use uv_handles_core::PollEvents;
    use wasmtime::component::Resource;
    use wasmtime_wasi::async_trait;
    use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

    /// A condition, and how often it was polled.
    #[derive(Default)]
    struct Condition {
        is_true: AtomicBool,
        polls: AtomicU32,
        waker: AtomicWaker,
    }

    impl Condition {
        fn set(&self) {
            self.is_true.store(true, Ordering::SeqCst);
            self.waker.wake();
        }

        fn polls(&self) -> u32 {
            self.polls.load(Ordering::SeqCst)
        }
    }

    struct Watched(Arc<Condition>);

    #[async_trait]
    impl Pollable for Watched {
        async fn ready(&mut self) {
            std::future::poll_fn(|context| {
                self.0.polls.fetch_add(1, Ordering::SeqCst);
                self.0.waker.register(context.waker());
                match self.0.is_true.load(Ordering::SeqCst) {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await
        }
    }

    /// Makes a started poll handle on the condition. Returns it with the number of its pollable.
    fn watch(ctx: &mut UvCtx, id: LoopId, condition: &Arc<Condition>) -> (HandleId, u32) {
        let watched = ctx.table().push(Watched(condition.clone())).unwrap();
        let pollable = subscribe(ctx.table(), watched).unwrap();
        let source = ctx.pollables.new_source();
        let handle = ctx.loops.make_poll(id, 0, source).unwrap();
        ctx.pollables.insert(handle, &pollable);
        ctx.loops.poll_start(handle, PollEvents::READABLE).unwrap();
        (handle, pollable.rep())
    }

    fn look(ctx: &mut UvCtx, id: LoopId) -> bool {
        ctx.poll(id, Some(Duration::ZERO)).unwrap();
        ctx.loops.has_ready(id)
    }

    #[test]
    fn an_idle_pollable_is_polled_once_however_often_the_loop_polls() {
        let mut ctx = UvCtx::builder().build();
        let id = ctx.loops.make_loop(0).unwrap();
        let condition = Arc::<Condition>::default();
        for _ in 0..1_000 {
            watch(&mut ctx, id, &condition);
        }
        for _ in 0..100 {
            assert!(!look(&mut ctx, id));
        }
        assert_eq!(condition.polls(), 1_000);
        // A function of WASI may change what a pollable waits for.
        ctx.table();
        assert!(!look(&mut ctx, id));
        assert_eq!(condition.polls(), 2_000);
    }

    #[test]
    fn a_pollable_ends_a_wait_from_another_thread() {
        let mut ctx = UvCtx::builder().build();
        let id = ctx.loops.make_loop(0).unwrap();
        let [idle, condition] = [(); 2].map(|()| Arc::<Condition>::default());
        watch(&mut ctx, id, &idle);
        watch(&mut ctx, id, &condition);
        assert!(!look(&mut ctx, id));
        let setter = std::thread::spawn(move || condition.set());
        while !ctx.loops.has_ready(id) {
            ctx.poll(id, None).unwrap();
        }
        setter.join().unwrap();
    }

    #[test]
    fn closing_a_handle_drops_its_pollable_and_stopping_it_keeps_it() {
        let mut ctx = UvCtx::builder().build();
        let id = ctx.loops.make_loop(0).unwrap();
        let condition = Arc::<Condition>::default();
        let (handle, pollable) = watch(&mut ctx, id, &condition);
        let pollable = Resource::<DynPollable>::new_borrow(pollable);
        condition.set();
        ctx.loops.poll_stop(handle);
        ctx.pollable_changed(handle);
        assert!(!look(&mut ctx, id));
        assert!(ctx.table().get(&pollable).is_ok());
        ctx.loops.poll_start(handle, PollEvents::WRITABLE).unwrap();
        assert!(look(&mut ctx, id));
        ctx.close_handle(handle);
        assert!(!ctx.loops.has_ready(id) && ctx.table().get(&pollable).is_err());

        let (_, pollable) = watch(&mut ctx, id, &condition);
        ctx.release_all();
        assert!(ctx.table().get(&Resource::<DynPollable>::new_borrow(pollable)).is_err());
    }

    #[cfg(feature = "concurrent")]
    #[tokio::test]
    async fn a_wait_of_a_task_sees_its_pollable_after_another_task_has_used_wasi() {
        let mut ctx = UvCtx::builder().build();
        let id = ctx.loops.make_loop(0).unwrap();
        let condition = Arc::<Condition>::default();
        watch(&mut ctx, id, &condition);
        let run = ctx.loops.begin_run(id, uv_handles_core::RunMode::Default).unwrap();
        let next = |ctx: &mut UvCtx| {
            use uv_handles_core::{Delivery, Driver};
            matches!(crate::driver::OsDriver(ctx).next(run, 1).unwrap(), Delivery::Wait)
        };
        assert!(next(&mut ctx));
        let mut wait = ctx.begin_concurrent_wait(run).unwrap().expect("nothing is ready");
        // The other task: the wait ends, and begins again.
        ctx.table();
        wait.wait().await.unwrap();
        let mut wait = ctx.begin_concurrent_wait(run).unwrap().expect("nothing is ready");
        condition.set();
        wait.wait().await.unwrap();
        assert!(ctx.begin_concurrent_wait(run).unwrap().is_none());
        assert!(!next(&mut ctx), "there is an event");
    }
}
