//! A plugin in a tokio task.
//!
//! Waiting and calling are separate functions. A dropped call makes the whole store unusable,
//! whereas a wait can be dropped at any time.

use super::loops::{Dispatched, Due};
use super::stats::Counters;
use super::timing::{begin_callback, end_callback};
use super::{Dispatch, dispatch_of, mark};
use crate::ctx::UvCtx;
use crate::engine::begin_epochs;
use crate::view::UvView;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument;
use uv_handles_core::LoopId;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

/// A plugin: an instance in its own store, whose loops the host runs.
///
/// The embedder alternates between [`ready`](Plugin::ready), [`dispatch`](Plugin::dispatch) and
/// calls of the plugin's own exports. [`spawn`](Plugin::spawn) starts a task that does that. Very
/// many plugins cost less in a [`PluginSet`](crate::PluginSet).
///
/// A trap ends the plugin: the store of a trapped instance cannot be called again.
pub struct Plugin<T: 'static> {
    pub(super) store: Store<T>,
    pub(super) dispatch: Dispatch,
    pub(super) counters: Arc<Counters>,
    /// The number of callbacks since the task last yielded.
    in_a_row: u64,
}

/// The number of callbacks in a row after which the task yields.
pub(super) const CALLBACKS_IN_A_ROW: u64 = 64;

impl<T: UvView> Plugin<T> {
    /// Instantiates a plugin in this store.
    ///
    /// The component must be linked with [`add_to_linker_async`](crate::add_to_linker_async). The
    /// store's context is marked as a plugin's before any code of the component runs.
    ///
    /// # Errors
    ///
    /// Returns an error if the component does not export `uv:handles/plugin-events`, and wasmtime's
    /// errors.
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

    /// Creates a plugin from an instance in this store, for embedders that instantiate components
    /// themselves. The context must have been [built for a plugin](crate::UvCtxBuilder::plugin).
    ///
    /// # Errors
    ///
    /// Returns an error if the context was built for a program, or the instance does not export
    /// `uv:handles/plugin-events`.
    pub fn new(mut store: Store<T>, instance: &Instance) -> wasmtime::Result<Plugin<T>> {
        let dispatch = dispatch_of(&mut store, instance)?;
        Ok(Plugin { store, dispatch, counters: Arc::default(), in_a_row: 0 })
    }

    /// Returns the store, to call the plugin's exports. The future of a call must be driven to its
    /// end. The time of the plugin's loops is refreshed, so that a timer which the export starts
    /// counts from now.
    pub fn store(&mut self) -> &mut Store<T> {
        self.ctx().lend();
        &mut self.store
    }

    /// Waits until one of the plugin's loops has something to do.
    ///
    /// No code of the plugin runs. The future may be dropped at any time, as `select!` does. It
    /// never completes for a parked plugin, or one whose events never come.
    ///
    /// # Errors
    ///
    /// Returns the OS's error if no descriptor to wait with is available.
    pub async fn ready(&mut self) -> io::Result<()> {
        self.ctx().ready().await
    }

    /// Runs one iteration, as [`RunMode::NoWait`](uv_handles_core::RunMode::NoWait), of each loop
    /// that has something to do, and calls the plugin's callbacks. It yields to other tasks after
    /// every 64 callbacks, those of earlier calls included.
    ///
    /// The future must be driven to its end. Dropping it makes the store unusable.
    ///
    /// # Errors
    ///
    /// Returns the error that ended the plugin: a trap in a callback, or
    /// [`Interrupted`](crate::Interrupted). Returns the OS's error if no descriptor to wait with is
    /// available; the plugin can then continue.
    pub async fn dispatch(&mut self) -> wasmtime::Result<Dispatched>
    where
        T: Send,
    {
        // Check this even if nothing is due.
        self.ctx().check_interrupt()?;
        let mut dispatched = Dispatched::default();
        let mut next = 0;
        while let Some(id) = self.ctx().begin_iteration(&mut next)? {
            while let Some(event) = self.next_callback(id, &mut dispatched)? {
                begin_epochs(&mut self.store);
                let begun = begin_callback(self.ctx());
                let call = self.dispatch.call_async(&mut self.store, (event,));
                call.instrument(tracing::trace_span!("callback")).await?;
                end_callback(self.store.data_mut().uv().ctx, &self.counters, begun);
                self.in_a_row += 1;
                if self.in_a_row >= CALLBACKS_IN_A_ROW {
                    tokio::task::yield_now().await;
                    self.in_a_row = 0;
                }
            }
        }
        dispatched.alive = self.alive();
        Ok(dispatched)
    }

    /// Returns whether one of the plugin's loops is alive.
    pub fn alive(&mut self) -> bool {
        self.ctx().alive()
    }

    pub(super) fn ctx(&mut self) -> &mut UvCtx {
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
                    // The next iteration collects the events in both cases.
                    tokio::time::timeout_at(deadline.into(), woken).await.unwrap_or(Ok(()))?;
                }
            }
        }
    }
}
