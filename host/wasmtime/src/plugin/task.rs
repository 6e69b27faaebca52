//! A task that owns a plugin: it drives the loops and takes calls by message, so that nobody can drop a
//! call half-way and make the plugin unusable.

use super::one::Plugin;
use super::requests::{Requests, Taken, requests};
use super::stats::Counters;
use super::stats::PluginStats;
use crate::ctx::interrupt::{InterruptHandle, Interrupted};
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
use wasmtime::Store;

type Call<T> = Box<dyn for<'a> FnOnce(&'a mut Store<T>) -> CallFuture<'a, ()> + Send>;
type CallFuture<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// Calls a plugin that lives in a task, from any other one. Clones call the same plugin; when the last is
/// dropped, the task ends and the plugin with it.
pub struct PluginHandle<T: 'static> {
    requests: Requests<Request<T>>,
    interrupt: InterruptHandle,
    counters: Arc<Counters>,
}

/// The plugin has ended: by a trap, by an interrupt, or because its task was aborted. The result of the task
/// says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the plugin has ended")]
pub struct PluginGone;

/// The name of the wake-up that asks a plugin to come to its end: [`PluginHandle::stop`].
pub const STOP: &str = "stop";

/// How a plugin was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It came to its end by itself: nothing kept it alive any more, or it had failed before.
    ByItself,
    /// It was interrupted, because it took longer than it was given.
    Interrupted,
}

impl<T: UvView> Plugin<T> {
    /// Spawns a task on the current tokio runtime that drives the plugin's loops, and carries out calls
    /// in between.
    ///
    /// The task ends with what ended the plugin - a trap in a callback, an interrupt - or with `Ok` when
    /// it was [stopped](PluginHandle::stop) or the last handle is dropped. An interrupt ends it wherever the plugin
    /// waits, also inside another host function; while it computes only with
    /// [`interrupt_by_epochs_async`](crate::interrupt_by_epochs_async).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn spawn(mut self) -> (PluginHandle<T>, JoinHandle<wasmtime::Result<()>>)
    where
        T: Send,
    {
        let interrupt = self.store().data_mut().uv().ctx.interrupt_handle();
        let (requests, taken) = requests(interrupt.clone());
        let handle = PluginHandle { requests, interrupt: interrupt.clone(), counters: self.counters.clone() };
        let task = tokio::spawn(async move {
            let mut served = pin!(self.serve(&taken));
            std::future::poll_fn(|context| {
                // Also while the plugin waits inside another host function.
                interrupt.shared().task().register(context);
                match served.as_mut().poll(context) {
                    // A call in progress is dropped, and so the store is never called again.
                    Pending if interrupt.is_interrupted() => Ready(Err(Interrupted.into())),
                    served => served,
                }
            })
            .await
        });
        (handle, task)
    }

    async fn serve(mut self, requests: &Taken<Request<T>>) -> wasmtime::Result<()>
    where
        T: Send,
    {
        // Until the plugin is dropped, and with it what others may know it by.
        let _accepting = requests.accepting();
        // Calls and events take turns: neither has to wait until the other has nothing more to do.
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
                    // Whoever asks from now on wakes the task: that is what it waits for.
                    let request = requests.poll();
                    has_waited |= request.is_pending();
                    request.map(Next::Request)
                })
                .await
            };
            requests_first = matches!(next, Next::Ready(_));
            match next {
                Next::Request(Some(Request::Call(call))) => call(self.store()).await,
                Next::Request(Some(Request::Stop)) => {
                    stopping = true;
                    if !self.store().data_mut().uv().ctx.wake_ups.send(STOP) {
                        // It does not want to know.
                        return Ok(());
                    }
                }
                Next::Request(None) => return Ok(()),
                Next::Ready(ready) => {
                    ready?;
                    // What a call needs is there as long as the call: thousands of plugins wait.
                    Box::pin(self.dispatch()).await?;
                }
            }
            let alive = self.alive();
            self.counters.set_alive(alive);
            if !has_waited {
                // A plugin that always has something to do leaves the others their turn.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}

enum Request<T: 'static> {
    Call(Call<T>),
    Stop,
}

enum Next<T: 'static> {
    Request(Option<Request<T>>),
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
        if !self.requests.send(Request::Call(call)) {
            return Err(PluginGone);
        }
        result.await.map_err(|_| PluginGone)
    }

    /// Asks the plugin to come to its end, waits until it has, at most for `grace`, and interrupts it then. When this
    /// returns, nothing of the plugin runs any more.
    ///
    /// Asking is sending the async handle that the plugin has made under the name [`STOP`], if that was granted. The
    /// plugin then closes or dereferences its handles, that one included, in its own time; it has come to its end
    /// when nothing keeps it alive. A plugin without that handle is ended at once. Calls are carried out
    /// meanwhile.
    ///
    /// A plugin that computes without end is interrupted only with
    /// [`interrupt_by_epochs_async`](crate::interrupt_by_epochs_async); without it, this waits for ever.
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

    /// Whether the plugin has ended.
    pub fn is_gone(&self) -> bool {
        self.requests.refuses()
    }

    /// What ends the plugin at once.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.interrupt.clone()
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
        PluginHandle {
            requests: self.requests.clone(),
            interrupt: self.interrupt.clone(),
            counters: self.counters.clone(),
        }
    }
}

impl<T> fmt::Debug for PluginHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginHandle").field("gone", &self.requests.refuses()).finish()
    }
}
