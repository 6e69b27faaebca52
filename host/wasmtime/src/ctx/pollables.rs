//! The pollables that poll handles watch, and the resource table that they are in.
//!
//! wasmtime-wasi represents a pollable by a function that makes a future, and the future borrows the
//! table. The futures of all watched pollables exist until one of them is ready, or until WASI needs
//! the table for something else. An idle pollable therefore costs nothing in an iteration in which
//! the guest calls no function of WASI.

use crate::os::Waker;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake};
use uv_handles_core::{HandleId, Loops, SourceId};
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
#[repr(C)]
pub(crate) struct Pollables {
    /// The pollable of each poll handle that has one and is open, by the representation of its
    /// resource.
    of_handles: BTreeMap<HandleId, u32>,
    table: Table,
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
    pub(super) fn table(&mut self) -> &mut ResourceTable {
        if let Table::Polling(_) = self.table {
            self.table = Table::Free(mem::take(&mut self.table).into_free());
        }
        match &mut self.table {
            Table::Free(table) => table,
            Table::Polling(_) => unreachable!("the futures have ended"),
        }
    }

    /// Returns whether the pollables are polled: a wake tells when one is ready.
    pub(super) fn is_polling(&self) -> bool {
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

    /// Returns whether no handle has a pollable.
    pub(super) fn is_empty(&self) -> bool {
        self.of_handles.is_empty()
    }

    /// Wakes the loops whose pollables were polled, because that has ended.
    pub(super) fn wake_loops(&self) {
        self.woken.wake_by_ref();
    }

    /// Drops the pollables of all handles that are no longer open.
    pub(crate) fn close_all(&mut self, mut is_open: impl FnMut(HandleId) -> bool) {
        let closed: Vec<HandleId> =
            self.of_handles.keys().copied().filter(|&handle| !is_open(handle)).collect();
        closed.into_iter().for_each(|handle| self.close(handle));
    }

    /// Returns whether polling could report anything: a pollable may have become ready, or one is not
    /// polled.
    pub(super) fn needs_poll(&self, loops: &Loops) -> bool {
        if self.of_handles.is_empty() {
            return false;
        }
        match &self.table {
            Table::Free(_) => true,
            Table::Polling(polling) => {
                self.woken.is_woken.load(Ordering::SeqCst) || polling.misses_any(loops)
            }
        }
    }

    /// Polls the pollables of active handles, and returns the handles whose pollables are ready. If
    /// there is none, the loops with these wakers are woken when one is.
    pub(super) fn poll(
        &mut self,
        loops: &Loops,
        wakers: impl FnOnce(&[HandleId]) -> Vec<Arc<Waker>>,
    ) -> Vec<HandleId> {
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
