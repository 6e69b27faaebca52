//! A plugin in a task of tokio's. Waiting and calling are two steps, because a call that is dropped half-way makes the whole
//! store unusable, whereas a wait can be dropped at any time.

use super::loops::{Dispatched, Due};
use super::stats::Counters;
use super::{Dispatch, dispatch_of, mark};
use crate::ctx::UvCtx;
use crate::ctx::epoch_deadline::EpochDeadline;
use crate::engine::begin_epochs;
use crate::view::UvView;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uv_handles_core::LoopId;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

/// A plugin: an instance in a store of its own, whose loops are driven from outside.
///
/// Whoever uses it alternates between [`ready`](Plugin::ready), [`dispatch`](Plugin::dispatch) and calls of
/// the plugin's own exports; [`spawn`](Plugin::spawn) makes a task that does that. Very many plugins cost less in a
/// [`PluginSet`](crate::PluginSet).
///
/// A trap ends the plugin: the store of an instance that has trapped can not be called again.
pub struct Plugin<T: 'static> {
    store: Store<T>,
    dispatch: Dispatch,
    pub(super) counters: Arc<Counters>,
}

/// After so many callbacks in a row other tasks have a turn.
const CALLBACKS_IN_A_ROW: u64 = 64;

impl<T: UvView> Plugin<T> {
    /// Instantiates a plugin in this store. The component was linked with
    /// [`add_to_linker_async`](crate::add_to_linker_async).
    ///
    /// The store's context is that of a plugin from now on, before any code of the component runs.
    ///
    /// # Errors
    ///
    /// If the component does not export `uv:handles/plugin-events`, and wasmtime's.
    pub async fn instantiate(
        mut store: Store<T>,
        pre: &InstancePre<T>,
    ) -> wasmtime::Result<(Plugin<T>, Instance)>
    where
        T: Send,
    {
        mark(&mut store, pre.component())?;
        let instance = pre.instantiate_async(&mut store).await?;
        Ok((Plugin::new(store, &instance)?, instance))
    }

    /// Takes charge of an instance in this store, whose context was
    /// [built for a plugin](crate::UvCtxBuilder::plugin). For embedders that instantiate by themselves.
    ///
    /// # Errors
    ///
    /// If the context was built for a program, or the instance does not export
    /// `uv:handles/plugin-events`.
    pub fn new(mut store: Store<T>, instance: &Instance) -> wasmtime::Result<Plugin<T>> {
        let dispatch = dispatch_of(&mut store, instance)?;
        Ok(Plugin { store, dispatch, counters: Arc::default() })
    }

    /// The store, to call the plugin's exports. A call has to be driven to its end.
    pub fn store(&mut self) -> &mut Store<T> {
        self.ctx().epochs = EpochDeadline::Lent;
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

    /// Runs one iteration, as [`RunMode::NoWait`](uv_handles_core::RunMode::NoWait), of each loop that has something to
    /// do, and calls the plugin's callbacks. Other tasks get their turn in between.
    ///
    /// The future has to be driven to its end: one that is dropped makes the store unusable.
    ///
    /// # Errors
    ///
    /// What ended the plugin: a trap in a callback, or [`Interrupted`](crate::Interrupted); or the system's error if it has
    /// no descriptor to wait with, after which the plugin can go on.
    pub async fn dispatch(&mut self) -> wasmtime::Result<Dispatched>
    where
        T: Send,
    {
        // Also if nothing of it is due any more.
        self.ctx().check_interrupt()?;
        let mut dispatched = Dispatched::default();
        let mut next = 0;
        while let Some(id) = self.ctx().begin_iteration(&mut next)? {
            while let Some(event) = self.next_callback(id, &mut dispatched)? {
                begin_epochs(&mut self.store);
                self.dispatch.call_async(&mut self.store, (event,)).await?;
                if dispatched.callbacks.is_multiple_of(CALLBACKS_IN_A_ROW) {
                    tokio::task::yield_now().await;
                }
            }
        }
        dispatched.alive = self.alive();
        Ok(dispatched)
    }

    /// Whether something keeps one of the plugin's loops alive.
    pub fn alive(&mut self) -> bool {
        self.ctx().alive()
    }

    fn ctx(&mut self) -> &mut UvCtx {
        self.store.data_mut().uv().ctx
    }

    fn next_callback(
        &mut self,
        id: LoopId,
        dispatched: &mut Dispatched,
    ) -> wasmtime::Result<Option<crate::bindings::types::Event>> {
        self.store.data_mut().uv().ctx.next_callback(id, &self.counters, dispatched)
    }
}

impl<T> fmt::Debug for Plugin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").finish_non_exhaustive()
    }
}

impl UvCtx {
    async fn ready(&mut self) -> io::Result<()> {
        loop {
            let left = match self.when_due()? {
                Due::Now => return Ok(()),
                Due::At(at) => match at.saturating_sub(self.clock.now()) {
                    0 => return Ok(()),
                    left => Some(Duration::from_millis(left)),
                },
                Due::Never => None,
            };
            let open: Vec<LoopId> = match self.pollers.is_empty() {
                true => Vec::new(),
                false => self.open_loops().collect(),
            };
            let woken = self.pollers.wait_in_task(&open);
            match left {
                None => woken.await?,
                Some(left) => {
                    let deadline = Instant::now() + left;
                    // Either way, the next round sees what there is.
                    tokio::time::timeout_at(deadline.into(), woken).await.unwrap_or(Ok(()))?;
                }
            }
        }
    }
}
