//! A task that owns a plugin.
//!
//! The task runs the plugin's loops and receives calls as messages. A call can therefore not be
//! dropped half-way, which would make the plugin unusable.

use super::call_error::CallError;
use super::one::Plugin;
use super::requests::{RequestQueue, RequestSender, requests};
use super::stats::Counters;
use super::stats::PluginStats;
use super::timing::plugin_span;
use crate::ctx::UvCtx;
use crate::ctx::interrupt::{InterruptHandle, Interrupted};
use crate::ctx::watch::DeadlineExceeded;
use crate::grants::async_sender::AsyncSender;
use crate::view::UvView;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll::{Pending, Ready};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use wasmtime::Store;

type Call<T> = Box<dyn for<'a> FnOnce(&'a mut Store<T>) -> CallFuture<'a, ()> + Send>;
type ExportCall<T> = Box<dyn for<'a> FnOnce(&'a mut Store<T>) -> CallFuture<'a, wasmtime::Result<()>> + Send>;
type CallFuture<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;
#[cfg(feature = "concurrent")]
pub(super) type ConcurrentCall<T> =
    Box<dyn for<'a> FnOnce(&'a wasmtime::component::Accessor<T>) -> CallFuture<'a, ()> + Send>;

/// Calls a plugin that lives in a task, from any task. Clones call the same plugin. When the last
/// one is dropped, the task ends and drops the plugin.
pub struct PluginHandle<T: 'static> {
    requests: RequestSender<Request<T>>,
    interrupt: InterruptHandle,
    counters: Arc<Counters>,
    /// Of the async handles that were granted before the task began.
    senders: Arc<[AsyncSender]>,
}

/// The plugin has ended: by a trap, by an interrupt, or because its task was aborted. The task's
/// result has the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the plugin has ended")]
pub struct PluginGone;

/// The name of the async handle that asks a plugin to shut down: see [`PluginHandle::stop`].
pub const STOP: &str = "stop";

/// The way in which a plugin was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// The plugin ended by itself: none of its loops was alive any more, or it had failed before.
    ByItself,
    /// The plugin was interrupted because it exceeded the grace period.
    Interrupted,
}

impl<T: UvView> Plugin<T> {
    /// Spawns a task on the current tokio runtime that runs the plugin's loops, and performs calls
    /// in between.
    ///
    /// The task ends with the error that ended the plugin (a trap in a callback, an interrupt), or
    /// with `Ok` when it was [stopped](PluginHandle::stop) or the last handle is dropped. An
    /// interrupt ends it while the plugin waits, also inside another host function. While the
    /// plugin computes, an interrupt needs
    /// [`interrupt_by_epochs_async`](crate::interrupt_by_epochs_async).
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub fn spawn(mut self) -> (PluginHandle<T>, JoinHandle<wasmtime::Result<()>>)
    where
        T: Send,
    {
        let interrupt = self.store().data_mut().uv().ctx.interrupt_handle();
        let (requests, taken) = requests(interrupt.clone());
        let ctx = self.ctx();
        let (span, senders) = (plugin_span(ctx), ctx.async_handles.senders().collect());
        let counters = self.counters.clone();
        let handle = PluginHandle { requests, interrupt: interrupt.clone(), counters, senders };
        let task = async move {
            let mut served = pin!(self.serve(&taken));
            std::future::poll_fn(|context| {
                // This also wakes the task while the plugin waits inside another host function.
                interrupt.shared().task().register(context);
                match served.as_mut().poll(context) {
                    // A call in progress is dropped, so the store is never called again.
                    Pending if interrupt.is_interrupted() => Ready(Err(Interrupted.into())),
                    served => served,
                }
            })
            .await
        };
        (handle, tokio::spawn(task.instrument(span)))
    }

    async fn serve(mut self, requests: &RequestQueue<Request<T>>) -> wasmtime::Result<()>
    where
        T: Send,
    {
        // It exists until the plugin is dropped, and with it the plugin's grants.
        let _accepting = requests.accepting();
        // Calls and events take turns, so that neither starves the other.
        let mut requests_first = true;
        let mut stopping = false;
        while !stopping || self.alive() {
            let mut has_waited = false;
            let next = {
                let mut ready = pin!(self.ready());
                std::future::poll_fn(|context| {
                    if requests_first && let Ready(request) = requests.poll() {
                        return Ready(Next::Request(request));
                    }
                    if let Ready(ready) = ready.as_mut().poll(context) {
                        return Ready(Next::Ready(ready));
                    }
                    // RequestSender after this poll wake the task.
                    let request = requests.poll();
                    has_waited |= request.is_pending();
                    request.map(Next::Request)
                })
                .await
            };
            requests_first = matches!(next, Next::Ready(_));
            match next {
                Next::Request(Some(Request::Call(call))) => call(self.store()).await,
                Next::Request(Some(Request::Export(call, deadline))) => {
                    Box::pin(self.call_within(call, deadline)).await?;
                }
                #[cfg(feature = "concurrent")]
                Next::Request(Some(Request::Concurrent(call))) => {
                    Box::pin(self.serve_concurrent(call, requests)).await?;
                }
                Next::Request(Some(Request::Stop)) => {
                    stopping = true;
                    if !self.store().data_mut().uv().ctx.async_handles.send(STOP) {
                        // The plugin does not have the async handle open.
                        return Ok(());
                    }
                }
                Next::Request(None) => return Ok(()),
                Next::Ready(ready) => {
                    ready?;
                    // Box the future so that thousands of waiting plugins do not hold a call's
                    // state.
                    Box::pin(self.dispatch()).await?;
                }
            }
            let alive = self.alive();
            self.counters.set_alive(alive);
            self.counters.set_handles(self.store.data_mut().uv().ctx.open_handles());
            if !has_waited {
                // Yield, because a plugin that always has something to do would starve other tasks.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}

impl<T: UvView + Send> Plugin<T> {
    /// Calls an export until the deadline. An error ends the plugin.
    async fn call_within(&mut self, call: ExportCall<T>, deadline: Instant) -> wasmtime::Result<()> {
        if deadline <= Instant::now() {
            // Its caller has given up before the plugin was called.
            return Ok(());
        }
        let set_deadline = |ctx: &mut UvCtx, deadline: Option<Instant>| {
            if let Some(watch) = &mut ctx.watch {
                watch.set_deadline(deadline.map(Instant::into_std));
            }
        };
        set_deadline(self.ctx(), Some(deadline));
        // A call that is dropped here makes the store unusable, so the plugin ends.
        let called =
            timeout_at(deadline, call(self.store()).instrument(tracing::debug_span!("export"))).await;
        set_deadline(self.ctx(), None);
        called.unwrap_or_else(|_| Err(DeadlineExceeded::Call.into()))
    }
}

pub(super) enum Request<T: 'static> {
    Call(Call<T>),
    Export(ExportCall<T>, Instant),
    #[cfg(feature = "concurrent")]
    Concurrent(ConcurrentCall<T>),
    Stop,
}

enum Next<T: 'static> {
    Request(Option<Request<T>>),
    Ready(std::io::Result<()>),
}

impl<T: Send> PluginHandle<T> {
    /// Calls the plugin between two deliveries of events. `call` receives its store, and its result
    /// is returned.
    ///
    /// The call runs to its end, even if this future is dropped.
    ///
    /// A trap in an export is in the result of `call`. wasmtime does not let a trapped instance be
    /// called again, so the task ends with an error at the next event, and until then
    /// [`is_gone`](PluginHandle::is_gone) returns false and senders are accepted.
    /// [`call_within`](PluginHandle::call_within) ends the plugin at once.
    ///
    /// ```no_run
    /// # use uv_handles_host::{PluginHandle, PluginGone};
    /// # use wasmtime::component::TypedFunc;
    /// # async fn example<T: Send>(
    /// #     plugin: PluginHandle<T>,
    /// #     greet: TypedFunc<(), (u32,)>,
    /// # ) -> wasmtime::Result<()> {
    /// let greeting = plugin.call(move |store| {
    ///     Box::pin(async move { greet.call_async(store, ()).await })
    /// });
    /// let (answer,) = greeting.await??;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`PluginGone`] if the plugin has ended.
    pub async fn call<R: Send + 'static>(
        &self,
        call: impl for<'a> FnOnce(&'a mut Store<T>) -> CallFuture<'a, R> + Send + 'static,
    ) -> Result<R, PluginGone> {
        let (send, result) = oneshot::channel();
        let call: Call<T> = Box::new(|store| {
            Box::pin(async move {
                // The caller may have dropped its future.
                let _ = send.send(call(store).await);
            })
        });
        if !self.requests.send(Request::Call(call)) {
            return Err(PluginGone);
        }
        result.await.map_err(|_| PluginGone)
    }

    /// Calls the plugin as [`call`](PluginHandle::call), for at most this long.
    ///
    /// A call that has not begun at its deadline is not made, and the plugin continues. A call that
    /// has begun is dropped, and the plugin ends with
    /// [`DeadlineExceeded::Call`](crate::DeadlineExceeded::Call).
    /// While the plugin computes, that needs
    /// [`interrupt_by_epochs_async`](crate::interrupt_by_epochs_async). An error that `call` returns
    /// ends the plugin too, because a trapped instance cannot be called again; it is the task's
    /// result.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is no result.
    pub async fn call_within<R: Send + 'static>(
        &self,
        limit: Duration,
        call: impl for<'a> FnOnce(&'a mut Store<T>) -> CallFuture<'a, wasmtime::Result<R>> + Send + 'static,
    ) -> Result<R, CallError> {
        let now = Instant::now();
        // A limit that long is none.
        let deadline = now.checked_add(limit).unwrap_or_else(|| now + Duration::from_secs(1 << 31));
        let (send, result) = oneshot::channel();
        let call: ExportCall<T> = Box::new(|store| {
            Box::pin(async move {
                let (result, outcome) = match call(store).await {
                    Ok(result) => (Ok(result), Ok(())),
                    Err(error) if error.is::<DeadlineExceeded>() => {
                        (Err(CallError::DeadlineExceeded), Err(error))
                    }
                    Err(error) => (Err(CallError::Failed(format!("{error:#}"))), Err(error)),
                };
                // The caller may have dropped its future.
                let _ = send.send(result);
                outcome
            })
        });
        if !self.requests.send(Request::Export(call, deadline)) {
            return Err(CallError::Gone);
        }
        match timeout_at(deadline, result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) if Instant::now() < deadline => Err(CallError::Gone),
            Ok(Err(_)) | Err(_) => Err(CallError::DeadlineExceeded),
        }
    }

    /// Calls an async export of the plugin, beside other such calls. While all of them are
    /// suspended, the plugin's callbacks are called.
    ///
    /// As [`call`](PluginHandle::call) otherwise. The engine needs the component model's async
    /// functions: see [`Plugin::run_concurrent`]. A `call` waits until all concurrent calls before it
    /// have completed.
    ///
    /// ```no_run
    /// # use uv_handles_host::{PluginHandle, PluginGone};
    /// # use wasmtime::component::TypedFunc;
    /// # async fn example<T: Send>(
    /// #     plugin: PluginHandle<T>,
    /// #     fetch: TypedFunc<(u32,), (u32,)>,
    /// # ) -> wasmtime::Result<()> {
    /// let fetched = plugin.call_concurrent(move |store| {
    ///     Box::pin(async move { fetch.call_concurrent(store, (1,)).await })
    /// });
    /// let (answer,) = fetched.await??;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`PluginGone`] if the plugin has ended.
    #[cfg(feature = "concurrent")]
    pub async fn call_concurrent<R: Send + 'static>(
        &self,
        call: impl for<'a> FnOnce(&'a wasmtime::component::Accessor<T>) -> CallFuture<'a, R> + Send + 'static,
    ) -> Result<R, PluginGone> {
        let (send, result) = oneshot::channel();
        let call: ConcurrentCall<T> = Box::new(|store| {
            Box::pin(async move {
                // The caller may have dropped its future.
                let _ = send.send(call(store).await);
            })
        });
        if !self.requests.send(Request::Concurrent(call)) {
            return Err(PluginGone);
        }
        result.await.map_err(|_| PluginGone)
    }

    /// Asks the plugin to shut down, waits up to `grace` until it has ended, and then interrupts
    /// it. When this returns, the plugin no longer runs.
    ///
    /// The request is a send of the async handle that the plugin has made under the name [`STOP`],
    /// if that was granted. The plugin then closes or dereferences its handles, that one included.
    /// It has ended when none of its loops is alive. A plugin without the handle is ended at once.
    /// Calls are performed meanwhile.
    ///
    /// A plugin that computes without end is interrupted only with
    /// [`interrupt_by_epochs_async`](crate::interrupt_by_epochs_async). Otherwise this future never
    /// completes.
    pub async fn stop(&self, grace: Duration) -> Stopped {
        if !self.requests.send(Request::Stop) {
            return Stopped::ByItself;
        }
        if tokio::time::timeout(grace, self.requests.gone()).await.is_ok() {
            return Stopped::ByItself;
        }
        self.interrupt.interrupt();
        self.requests.gone().await;
        Stopped::Interrupted
    }

    /// Returns whether the plugin has ended.
    pub fn is_gone(&self) -> bool {
        self.requests.refuses()
    }

    /// Returns a handle that interrupts the plugin.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.interrupt.clone()
    }
}

impl<T> PluginHandle<T> {
    /// Returns the plugin's counters, also after it has ended.
    pub fn stats(&self) -> PluginStats {
        let mut stats = self.counters.stats();
        for sender in &*self.senders {
            let (messages, bytes) = sender.depth();
            stats.mailbox_messages += messages as u64;
            stats.mailbox_bytes += bytes as u64;
        }
        stats
    }
}

impl<T> Clone for PluginHandle<T> {
    fn clone(&self) -> PluginHandle<T> {
        PluginHandle {
            requests: self.requests.clone(),
            interrupt: self.interrupt.clone(),
            counters: self.counters.clone(),
            senders: self.senders.clone(),
        }
    }
}

impl<T> fmt::Debug for PluginHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginHandle").field("gone", &self.requests.refuses()).finish()
    }
}
