//! A task that owns a plugin: it drives the loops and takes calls by message, so that nobody can drop a
//! call half-way and make the plugin unusable.

use crate::plugin_stats::Counters;
use crate::{Plugin, PluginStats, UvView};
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll::{Pending, Ready};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use wasmtime::Store;

type Call<T> = Box<dyn for<'a> FnOnce(&'a mut Store<T>) -> CallFuture<'a, ()> + Send>;
type CallFuture<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// Calls a plugin that lives in a task, from any other one. Clones call the same plugin; when the last is
/// dropped, the task ends and the plugin with it.
pub struct PluginHandle<T: 'static> {
    calls: mpsc::UnboundedSender<Call<T>>,
    counters: Arc<Counters>,
}

/// The plugin has ended: by a trap, by an interrupt, or because its task was aborted. The result of the task
/// says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the plugin has ended")]
pub struct PluginGone;

impl<T: UvView> Plugin<T> {
    /// Spawns a task on the current tokio runtime that drives the plugin's loops, and carries out calls
    /// in between.
    ///
    /// The task ends with what ended the plugin - a trap in a callback, an interrupt - or with `Ok` when
    /// the last handle is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn spawn(self) -> (PluginHandle<T>, JoinHandle<wasmtime::Result<()>>)
    where
        T: Send,
    {
        let (calls, taken) = mpsc::unbounded_channel();
        let counters = self.counters.clone();
        (PluginHandle { calls, counters }, tokio::spawn(self.serve(taken)))
    }

    async fn serve(mut self, mut calls: mpsc::UnboundedReceiver<Call<T>>) -> wasmtime::Result<()>
    where
        T: Send,
    {
        // Calls and events take turns: neither has to wait until the other has nothing more to do.
        let mut calls_first = true;
        loop {
            let next = {
                let mut ready = pin!(self.ready());
                std::future::poll_fn(|context| {
                    if calls_first && let Ready(call) = calls.poll_recv(context) {
                        return Ready(Next::Call(call));
                    }
                    match ready.as_mut().poll(context) {
                        Ready(ready) => Ready(Next::Ready(ready)),
                        Pending => calls.poll_recv(context).map(Next::Call),
                    }
                })
                .await
            };
            calls_first = matches!(next, Next::Ready(_));
            match next {
                Next::Call(Some(call)) => call(self.store()).await,
                Next::Call(None) => return Ok(()),
                Next::Ready(ready) => {
                    ready?;
                    self.dispatch().await?;
                }
            }
            let alive = self.alive();
            self.counters.set_alive(alive);
            // A plugin that always has something to do leaves the others their turn.
            tokio::task::yield_now().await;
        }
    }
}

enum Next<T: 'static> {
    Call(Option<Call<T>>),
    Ready(std::io::Result<()>),
}

impl<T: Send> PluginHandle<T> {
    /// Calls the plugin: `call` gets its store, between two deliveries of events, and its result comes back.
    /// It is carried out to its end, also when this future is dropped.
    ///
    /// ```no_run
    /// # use uv_handles_host::{PluginHandle, PluginGone};
    /// # async fn example<T: Send>(plugin: PluginHandle<T>, greet: wasmtime::component::TypedFunc<(), (u32,)>)
    /// # -> wasmtime::Result<()> {
    /// let (answer,) = plugin.call(move |store| Box::pin(async move { greet.call_async(store, ()).await })).await??;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`PluginGone`], if the plugin has ended.
    pub async fn call<R: Send + 'static>(
        &self,
        call: impl for<'a> FnOnce(&'a mut Store<T>) -> CallFuture<'a, R> + Send + 'static,
    ) -> Result<R, PluginGone> {
        let (send, result) = oneshot::channel();
        let call: Call<T> = Box::new(|store| {
            Box::pin(async move {
                // Nobody may wait for it any more.
                let _ = send.send(call(store).await);
            })
        });
        self.calls.send(call).map_err(|_| PluginGone)?;
        result.await.map_err(|_| PluginGone)
    }
}

impl<T> PluginHandle<T> {
    /// What the plugin has done so far; also when it has ended.
    pub fn stats(&self) -> PluginStats {
        self.counters.stats()
    }
}

impl<T> Clone for PluginHandle<T> {
    fn clone(&self) -> PluginHandle<T> {
        PluginHandle { calls: self.calls.clone(), counters: self.counters.clone() }
    }
}

impl<T> fmt::Debug for PluginHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginHandle").field("ended", &self.calls.is_closed()).finish()
    }
}
