//! The pollables that poll handles watch, and the resource table that they are in.
//!
//! wasmtime-wasi represents a pollable by a function that makes a future, and the future borrows the
//! table. The futures of all watched pollables exist until one of them is ready, or until WASI needs
//! the table for something else. An idle pollable therefore costs nothing in an iteration in which
//! the guest calls no function of WASI.

use crate::ctx::UvCtx;
use crate::os::Waker;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake};
use uv_handles_core::{HandleId, LoopId, Loops, Readiness, SourceId};
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::poll::{Host, HostPollable};
use wasmtime_wasi::runtime::with_ambient_tokio_runtime;

/// Marks the numbers of pollables among those of all sources.
const POLLABLE: u64 = 1 << 63;

/// Returns whether a source is a pollable.
pub(crate) fn is_pollable(source: SourceId) -> bool {
    source.0 & POLLABLE != 0
}

/// The pollables of a guest's poll handles.
#[derive(Debug, Default)]
pub(crate) struct Pollables {
    table: Table,
    /// The pollable of each poll handle that has one and is open, by the representation of its
    /// resource.
    of_handles: BTreeMap<HandleId, u32>,
    /// The number of pollables so far.
    count: u64,
    woken: Arc<Woken>,
}

/// The resource table of WASI.
enum Table {
    Free(ResourceTable),
    Polling(Polling),
}

/// The futures of pollables, and the table that they borrow.
struct Polling {
    future: Pin<Box<dyn Future<Output = Polled> + Send>>,
    /// Ends the future, which returns the table.
    cancelled: Arc<AtomicBool>,
    /// The handle of each pollable.
    handles: Vec<HandleId>,
    /// Handles whose pollables were ready and are not polled again before the event is delivered.
    reported: Vec<HandleId>,
}

/// The table, and the positions of ready pollables unless the poll was canceled.
type Polled = (ResourceTable, Option<wasmtime::Result<Vec<u32>>>);

/// Wakes the loops whose pollables are polled.
#[derive(Debug, Default)]
struct Woken {
    is_woken: AtomicBool,
    loops: Mutex<Vec<Arc<Waker>>>,
}

impl Woken {
    fn loops(&self) -> MutexGuard<'_, Vec<Arc<Waker>>> {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Woken>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Woken>) {
        self.is_woken.store(true, Ordering::SeqCst);
        for waker in self.loops().iter() {
            if let Err(error) = waker.wake() {
                tracing::error!(%error, "cannot wake a loop for a pollable");
            }
        }
    }
}

impl Pollables {
    /// Returns the table, for any use of WASI. It ends the futures of the pollables.
    fn table(&mut self) -> &mut ResourceTable {
        if let Table::Polling(_) = self.table {
            self.table = Table::Free(mem::take(&mut self.table).into_free());
        }
        match &mut self.table {
            Table::Free(table) => table,
            Table::Polling(_) => unreachable!("the futures have ended"),
        }
    }

    /// Returns whether the pollables are polled: a wake tells when one is ready.
    fn is_polling(&self) -> bool {
        matches!(self.table, Table::Polling(_))
    }

    /// Returns the number of a new source.
    pub(crate) fn new_source(&mut self) -> SourceId {
        self.count += 1;
        SourceId(POLLABLE | self.count)
    }

    /// Gives a pollable to a handle.
    pub(crate) fn insert(&mut self, handle: HandleId, pollable: &Resource<DynPollable>) {
        self.of_handles.insert(handle, pollable.rep());
    }

    /// Drops a pollable that the guest gave away.
    pub(crate) fn drop_pollable(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        HostPollable::drop(self.table(), pollable)
    }

    /// Drops the pollable of a handle that is no longer open, if it had one.
    pub(crate) fn close(&mut self, handle: HandleId) {
        if let Some(pollable) = self.of_handles.remove(&handle)
            && let Err(error) = self.drop_pollable(Resource::new_own(pollable))
        {
            tracing::error!(%error, "cannot drop a pollable");
        }
    }

    /// Drops the pollables of all handles that are no longer open.
    pub(crate) fn close_all(&mut self, mut is_open: impl FnMut(HandleId) -> bool) {
        let closed: Vec<HandleId> =
            self.of_handles.keys().copied().filter(|&handle| !is_open(handle)).collect();
        closed.into_iter().for_each(|handle| self.close(handle));
    }

    /// Returns whether polling could report anything: a pollable may have become ready, or one is not
    /// polled.
    fn needs_poll(&self, loops: &Loops) -> bool {
        match &self.table {
            Table::Free(_) => !self.of_handles.is_empty(),
            Table::Polling(polling) => {
                self.woken.is_woken.load(Ordering::SeqCst) || polling.misses_any(loops)
            }
        }
    }

    /// Polls the pollables of active handles, and returns the handles whose pollables are ready. If
    /// there is none, the loops with these wakers are woken when one is.
    fn poll(&mut self, loops: &Loops, wakers: impl FnOnce(&[HandleId]) -> Vec<Arc<Waker>>) -> Vec<HandleId> {
        if let Table::Polling(polling) = &self.table
            && polling.misses_any(loops)
        {
            self.table();
        }
        if !self.is_polling() {
            let (mut handles, mut pollables, mut reported) = (Vec::new(), Vec::new(), Vec::new());
            for (&handle, &pollable) in &self.of_handles {
                if loops.has_reported(handle) {
                    reported.push(handle);
                } else if loops.active(handle) {
                    handles.push(handle);
                    pollables.push(Resource::new_borrow(pollable));
                }
            }
            if handles.is_empty() {
                return handles;
            }
            *self.woken.loops() = wakers(&handles);
            let table = mem::take(self.table());
            self.table = Table::Polling(Polling::new(table, handles, pollables, reported));
        }
        let Table::Polling(polling) = &mut self.table else {
            return Vec::new();
        };
        // A wake from here on is for the next poll.
        self.woken.is_woken.store(false, Ordering::SeqCst);
        let waker = self.woken.clone().into();
        let Poll::Ready((table, ready)) = polling.poll(&mut Context::from_waker(&waker)) else {
            return Vec::new();
        };
        let handles = mem::take(&mut polling.handles);
        self.table = Table::Free(table);
        match ready {
            Some(Ok(ready)) => ready.into_iter().map(|at| handles[at as usize]).collect(),
            Some(Err(error)) => {
                tracing::error!(%error, "cannot poll pollables");
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Checks that the guest's pollable is in the table.
    pub(crate) fn check(&mut self, pollable: &Resource<DynPollable>) -> Result<(), ResourceTableError> {
        self.table().get(pollable).map(|_| ())
    }
}

/// What a ready pollable means: all events that the handle asks for.
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
                Wake::wake_by_ref(&self.pollables.woken);
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
        if !self.pollables.of_handles.is_empty() {
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

impl Table {
    fn into_free(self) -> ResourceTable {
        match self {
            Table::Free(table) => table,
            Table::Polling(polling) => polling.cancel(),
        }
    }
}

impl Default for Table {
    fn default() -> Table {
        Table::Free(ResourceTable::new())
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Table::Free(_) => "Free",
            Table::Polling(_) => "Polling",
        })
    }
}

impl Polling {
    fn new(
        mut table: ResourceTable,
        handles: Vec<HandleId>,
        pollables: Vec<Resource<DynPollable>>,
        reported: Vec<HandleId>,
    ) -> Polling {
        let cancelled = Arc::new(AtomicBool::new(false));
        let is_cancelled = cancelled.clone();
        let future = Box::pin(async move {
            let ready = {
                let mut ready = pin!(Host::poll(&mut table, pollables));
                std::future::poll_fn(|context| match is_cancelled.load(Ordering::SeqCst) {
                    true => Poll::Ready(None),
                    false => ready.as_mut().poll(context).map(Some),
                })
                .await
            };
            (table, ready)
        });
        Polling { future, cancelled, handles, reported }
    }

    /// Returns whether a pollable is not polled, because its event has been delivered since.
    fn misses_any(&self, loops: &Loops) -> bool {
        // A handle that was closed since then has ended the futures.
        self.reported.iter().any(|&handle| !loops.has_reported(handle))
    }

    /// Polls the futures. Those of wasmtime-wasi need a tokio runtime around them.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Polled> {
        with_ambient_tokio_runtime(|| self.future.as_mut().poll(context))
    }

    fn cancel(mut self) -> ResourceTable {
        self.cancelled.store(true, Ordering::SeqCst);
        match self.poll(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready((table, _)) => table,
            Poll::Pending => unreachable!("a canceled poll ends at once"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atomic_waker::AtomicWaker;
    use std::sync::atomic::AtomicU32;
    use std::time::Duration;
    use uv_handles_core::PollEvents;
    use wasmtime_wasi::async_trait;
    use wasmtime_wasi::p2::{Pollable, subscribe};

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
