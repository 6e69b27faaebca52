//! Guests that are libraries: their embedder calls their exports and, between calls, drives their loops.
//!
//! A plugin makes handles in any of its exports and returns. What becomes due is handed over by its export
//! `dispatch` of `uv:handles/plugin-events`. Waiting and calling are two steps, because a call that is
//! dropped half-way makes the whole store unusable, whereas a wait can be dropped at any time.

use crate::bindings::types::Event;
use crate::driver::{Next, PullError, Pulled};
use crate::plugin_stats::Counters;
use crate::{Interrupted, UvCtx, UvView};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uv_handles_core::{LoopId, RunMode};
use wasmtime::component::{Instance, TypedFunc};
use wasmtime::{Store, error::Context};

/// A plugin: an instance in a store of its own, whose loops are driven from outside.
///
/// Whoever uses it alternates between [`ready`](Plugin::ready), [`dispatch`](Plugin::dispatch) and calls of
/// the plugin's own exports; [`spawn`](Plugin::spawn) makes a task that does that.
///
/// A trap ends the plugin: the store of an instance that has trapped can not be called again.
pub struct Plugin<T: 'static> {
    store: Store<T>,
    dispatch: TypedFunc<(Option<Event>,), ()>,
    pub(crate) counters: Arc<Counters>,
}

/// What a [`Plugin::dispatch`] has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dispatched {
    /// How many callbacks were called.
    pub callbacks: u64,
    /// The plugin has stopped one of its loops. There it means: no further iteration now.
    pub stopped: bool,
    /// Something keeps one of its loops alive. Otherwise the plugin is parked until one of its exports is
    /// called.
    pub alive: bool,
}

/// After so many callbacks in a row other tasks have a turn.
const CALLBACKS_IN_A_ROW: u64 = 64;

const EVENTS: &str = concat!("uv:handles/plugin-events@", env!("CARGO_PKG_VERSION"));

impl<T: UvView> Plugin<T> {
    /// Takes charge of an instance that was instantiated in this store with
    /// [`add_to_linker_async`](crate::add_to_linker_async).
    ///
    /// # Errors
    ///
    /// If the instance does not export `uv:handles/plugin-events`.
    pub fn new(mut store: Store<T>, instance: &Instance) -> wasmtime::Result<Plugin<T>> {
        let dispatch = (|| {
            let interface = instance.get_export_index(&mut store, None, EVENTS)?;
            instance.get_export_index(&mut store, Some(&interface), "dispatch")
        })();
        let dispatch =
            dispatch.with_context(|| format!("the component is no plugin: it does not export {EVENTS}"))?;
        let dispatch = instance.get_typed_func(&mut store, dispatch)?;
        store.data_mut().uv().ctx.is_plugin = true;
        Ok(Plugin { store, dispatch, counters: Arc::default() })
    }

    /// The store, to call the plugin's exports. A call has to be driven to its end.
    pub fn store(&mut self) -> &mut Store<T> {
        &mut self.store
    }

    /// Waits until one of the plugin's loops has something to do. No code of the plugin runs, and the
    /// future may be dropped at any time, as `select!` does.
    ///
    /// A plugin that is parked or waits for what never comes is never ready.
    ///
    /// # Errors
    ///
    /// The system's, if it has no descriptor to wait with.
    pub async fn ready(&mut self) -> io::Result<()> {
        self.ctx().ready().await
    }

    /// Runs one iteration, as [`RunMode::NoWait`], of each loop that has something to do, and calls the
    /// plugin's callbacks. Other tasks get their turn in between.
    ///
    /// The future has to be driven to its end: one that is dropped makes the store unusable.
    ///
    /// # Errors
    ///
    /// What ended the plugin: a trap in a callback, or [`Interrupted`]; or the system's error if it has no
    /// descriptor to wait with, after which the plugin can go on.
    pub async fn dispatch(&mut self) -> wasmtime::Result<Dispatched>
    where
        T: Send,
    {
        // Also if nothing of it is due any more.
        self.check_interrupt()?;
        if std::mem::take(&mut self.ctx().puts_off) {
            // It was called before it was known to be a plugin: what it has left to its next call comes now.
            self.dispatch.call_async(&mut self.store, (None,)).await?;
        }
        let mut dispatched = Dispatched { callbacks: 0, stopped: false, alive: false };
        let mut next = 0;
        while let Some(id) = self.ctx().open_loop(next) {
            next = id.index() + 1;
            if self.ctx().is_due(id)? {
                self.iterate(id, &mut dispatched).await?;
            }
        }
        dispatched.alive = self.alive();
        Ok(dispatched)
    }

    /// Whether something keeps one of the plugin's loops alive.
    pub fn alive(&mut self) -> bool {
        let ctx = self.ctx();
        ctx.puts_off || ctx.open_loops().any(|id| ctx.loops.alive(id))
    }

    fn ctx(&mut self) -> &mut UvCtx {
        self.store.data_mut().uv().ctx
    }

    /// Ends a plugin that has been interrupted, with all that it has open.
    fn check_interrupt(&mut self) -> wasmtime::Result<()> {
        let ctx = self.ctx();
        if !ctx.interrupt.is_interrupted() {
            return Ok(());
        }
        ctx.release_all();
        Err(Interrupted.into())
    }

    async fn iterate(&mut self, id: LoopId, dispatched: &mut Dispatched) -> wasmtime::Result<()>
    where
        T: Send,
    {
        let ctx = self.ctx();
        dispatched.stopped |= ctx.loops.stopping(id);
        ctx.loops.begin(id, RunMode::NoWait)?;
        loop {
            let event = match self.ctx().next(id) {
                Ok(Next::Pulled(Pulled::Event(event))) => event,
                // A callback may have closed the loop.
                Ok(_) | Err(PullError::Core(_)) => return Ok(()),
                Err(PullError::Os(error)) => return Err(error.into()),
                Err(PullError::Interrupted) => return self.check_interrupt(),
            };
            let ctx = self.ctx();
            let late = ctx.loops.called_deadline(id).map(|deadline| ctx.clock.now().saturating_sub(deadline));
            self.counters.called();
            late.inspect(|&late| self.counters.timer(late));
            self.ctx().has_just_begun = true;
            self.dispatch.call_async(&mut self.store, (Some(event.into()),)).await?;
            dispatched.callbacks += 1;
            let ctx = self.ctx();
            if !ctx.loops.has_loop(id) {
                // The callback has dropped it.
                return Ok(());
            }
            dispatched.stopped |= ctx.loops.stopping(id);
            if dispatched.callbacks.is_multiple_of(CALLBACKS_IN_A_ROW) {
                tokio::task::yield_now().await;
            }
        }
    }
}

impl<T> fmt::Debug for Plugin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").finish_non_exhaustive()
    }
}

impl UvCtx {
    fn open_loops(&self) -> impl Iterator<Item = LoopId> {
        self.loops.all_loops().filter(|&id| !self.loops.loop_closed(id))
    }

    /// The first open loop from this number on.
    fn open_loop(&self, from: u32) -> Option<LoopId> {
        self.open_loops().find(|id| id.index() >= from)
    }

    /// Whether an iteration of the loop would find something to do.
    fn is_due(&mut self, id: LoopId) -> io::Result<bool> {
        // A callback of another loop may have dropped it.
        if !self.loops.has_loop(id) || self.loops.loop_closed(id) || !self.loops.alive(id) {
            return Ok(false);
        }
        self.look_in_task(id)?;
        Ok(self.wait_is_over(id) || self.due_in(id) == Some(0))
    }

    /// Milliseconds until the loop has something to do, if nothing comes from outside; none: never.
    fn due_in(&mut self, id: LoopId) -> Option<u64> {
        let timeout = self.loops.poll_timeout(id).ok().flatten()?;
        let due = self.loops.now(id).ok()?.saturating_add(timeout.into());
        Some(if timeout == 0 { 0 } else { due.saturating_sub(self.clock.now()) })
    }

    async fn ready(&mut self) -> io::Result<()> {
        loop {
            if self.interrupt.is_interrupted() || self.puts_off {
                return Ok(());
            }
            let mut earliest = None;
            let mut next = 0;
            while let Some(id) = self.open_loop(next) {
                next = id.index() + 1;
                if self.is_due(id)? {
                    return Ok(());
                }
                if self.loops.alive(id) {
                    earliest = earliest.into_iter().chain(self.due_in(id)).min();
                }
            }
            if let (Some(earliest), crate::clock::Clock::Virtual(clock)) = (earliest, &self.clock) {
                clock.advance(earliest);
                return Ok(());
            }
            let open: Vec<LoopId> = match self.pollers.is_empty() {
                true => Vec::new(),
                false => self.open_loops().collect(),
            };
            let woken = self.pollers.wait_in_task(&open);
            match earliest {
                None => woken.await?,
                Some(earliest) => {
                    let deadline = Instant::now() + Duration::from_millis(earliest);
                    // Either way, the next round sees what there is.
                    tokio::time::timeout_at(deadline.into(), woken).await.unwrap_or(Ok(()))?;
                }
            }
        }
    }
}
