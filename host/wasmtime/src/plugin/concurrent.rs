//! Plugins with async exports: callbacks are called while an export is suspended.

use super::Dispatch;
use super::loops::{Dispatched, Due};
use super::one::{CALLBACKS_IN_A_ROW, Plugin};
use super::requests::RequestQueue;
use super::stats::Counters;
use super::task::{ConcurrentCall, Request};
use super::timing::{begin_callback, end_callback};
use crate::ctx::UvCtx;
use crate::driver::concurrent::yield_to_runtime;
use crate::engine::begin_epochs;
use crate::view::UvView;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll::{Pending, Ready};
use std::time::Duration;
use tokio::time::Instant;
use uv_handles_core::LoopId;
use wasmtime::component::Accessor;

impl<T: UvView> Plugin<T> {
    /// Calls async exports of the plugin, and runs its loops until `call` has completed.
    ///
    /// `call` gets an [`Accessor`], to call any number of exports at a time. While all of them are
    /// suspended, due callbacks are called, as [`ready`](Plugin::ready) and
    /// [`dispatch`](Plugin::dispatch) do between calls. The engine needs the component model's
    /// async functions
    /// ([`Config::wasm_component_model_async`](wasmtime::Config::wasm_component_model_async)).
    ///
    /// The future must be driven to its end. Dropping it makes the store unusable.
    ///
    /// ```no_run
    /// # use uv_handles_host::{Plugin, UvView};
    /// # use wasmtime::component::TypedFunc;
    /// # async fn example<T: UvView + Send>(
    /// #     mut plugin: Plugin<T>,
    /// #     fetch: TypedFunc<(u32,), (u32,)>,
    /// # ) -> wasmtime::Result<()> {
    /// // Both calls wait at the same time, and the plugin's timers fire meanwhile.
    /// let (first, second) = plugin
    ///     .run_concurrent(async |store| {
    ///         tokio::join!(fetch.call_concurrent(store, (1,)), fetch.call_concurrent(store, (2,)))
    ///     })
    ///     .await?;
    /// let ((first,), (second,)) = (first?, second?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the error that ended the plugin: a trap, or [`Interrupted`](crate::Interrupted).
    /// Returns the OS's error if no descriptor to wait with is available.
    pub async fn run_concurrent<R>(
        &mut self,
        call: impl AsyncFnOnce(&Accessor<T>) -> R,
    ) -> wasmtime::Result<R>
    where
        T: Send + 'static,
    {
        let ctx = self.ctx();
        ctx.check_interrupt()?;
        ctx.lend();
        ctx.pollers.recheck_wakes_task();
        let (dispatch, counters) = (self.dispatch, self.counters.clone());
        let driver = async |store: &Accessor<T>| {
            let mut call = pin!(call(store));
            let mut in_a_row = 0;
            loop {
                if let Some(deadline) = with_ctx(store, UvCtx::begin_wait)? {
                    let mut event = pin!(wait(store, deadline));
                    // The callbacks may have brought what the call waits for.
                    let first = poll_fn(|context| match call.as_mut().poll(context) {
                        Ready(result) => Ready(First::Call(result)),
                        Pending => event.as_mut().poll(context).map(First::Event),
                    });
                    match first.await {
                        First::Call(result) => return Ok::<R, wasmtime::Error>(result),
                        First::Event(waited) => waited?,
                    }
                }
                // An iteration that has begun is completed, also if the call completes first.
                let mut iteration = pin!(iterate(store, dispatch, &counters, &mut in_a_row));
                let mut result = None;
                poll_fn(|context| {
                    if result.is_none()
                        && let Ready(completed) = call.as_mut().poll(context)
                    {
                        result = Some(completed);
                    }
                    iteration.as_mut().poll(context)
                })
                .await?;
                if let Some(result) = result {
                    return Ok::<R, wasmtime::Error>(result);
                }
            }
        };
        self.store.run_concurrent(driver).await?
    }
}

impl<T: UvView> Plugin<T> {
    /// Performs this call, and those that are requested meanwhile, all at a time.
    pub(super) async fn serve_concurrent(
        &mut self,
        first: ConcurrentCall<T>,
        requests: &RequestQueue<Request<T>>,
    ) -> wasmtime::Result<()>
    where
        T: Send + 'static,
    {
        self.run_concurrent(async |store| {
            let mut calls = vec![first(store)];
            poll_fn(|context| {
                while let Some(Request::Concurrent(call)) =
                    requests.take_if(|request| matches!(request, Request::Concurrent(_)))
                {
                    calls.push(call(store));
                }
                calls.retain_mut(|call| call.as_mut().poll(context).is_pending());
                if calls.is_empty() { Ready(()) } else { Pending }
            })
            .await;
        })
        .await
    }
}

enum First<R> {
    Call(R),
    Event(io::Result<()>),
}

/// Runs one iteration of each loop that has something to do, as [`Plugin::dispatch`].
async fn iterate<T: UvView + 'static>(
    store: &Accessor<T>,
    dispatch: Dispatch,
    counters: &Counters,
    in_a_row: &mut u64,
) -> wasmtime::Result<()> {
    with_ctx(store, UvCtx::check_interrupt)?;
    let (mut next, mut dispatched) = (0, Dispatched::default());
    while let Some(id) = with_ctx(store, |ctx| ctx.begin_iteration(&mut next))? {
        while let Some(event) = with_ctx(store, |ctx| ctx.next_callback(id, counters, &mut dispatched))? {
            store.with(|mut access| begin_epochs(&mut access));
            let begun = with_ctx(store, begin_callback);
            dispatch.call_concurrent(store, (event,)).await?;
            with_ctx(store, |ctx| end_callback(ctx, counters, begun));
            *in_a_row += 1;
            if *in_a_row >= CALLBACKS_IN_A_ROW {
                yield_to_runtime().await;
                *in_a_row = 0;
            }
        }
    }
    Ok(())
}

/// Waits until there may be something due.
async fn wait<T: UvView + 'static>(store: &Accessor<T>, deadline: Option<Instant>) -> io::Result<()> {
    let woken = poll_fn(|context| with_ctx(store, |ctx| ctx.pollers.poll_in_task(context)));
    match deadline {
        None => woken.await,
        Some(deadline) => tokio::time::timeout_at(deadline, woken).await.unwrap_or(Ok(())),
    }
}

fn with_ctx<T: UvView + 'static, R>(store: &Accessor<T>, call: impl FnOnce(&mut UvCtx) -> R) -> R {
    store.with(|mut access| call(access.get().uv().ctx))
}

impl UvCtx {
    /// Begins a wait for the plugin's loops, and returns its deadline. `None` if something is due.
    fn begin_wait(&mut self) -> io::Result<Option<Option<Instant>>> {
        let deadline = match self.when_due()? {
            Due::Now => return Ok(None),
            Due::At(at) => {
                let left = Duration::from_millis(at.saturating_sub(self.clock.now()));
                Instant::now().checked_add(left)
            }
            Due::Never => None,
        };
        let open: Vec<LoopId> = self.open_loops().collect();
        self.pollers.watch_in_task(&open)?;
        Ok(Some(deadline))
    }
}
