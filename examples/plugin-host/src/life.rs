//! One life of a plugin: an instance in a store of its own, from its grants to the sentence about
//! its end.

use crate::component::{Exports, Version, in_one_line};
use crate::grants::{self, Granted, Listeners, Mailboxes};
use crate::guest::Guest;
use crate::log::Log;
use crate::output::Output;
use crate::restart::Ending;
use crate::text::one_line;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use uv_handles_host::{
    Interrupted, MemoryLimit, MemoryUsage, Plugin, PluginHandle, PluginStats, Stopped,
    interrupt_by_epochs_async,
};
use wasmtime::Store;
use wasmtime_wasi::I32Exit;

/// A running plugin. Dropping this drops the plugin in any state.
pub struct Life {
    handle: PluginHandle<Guest>,
    task: Task,
    traces: Traces,
}

/// The result of a life.
struct Traces {
    output: Arc<Output>,
    memory: MemoryUsage,
    limit: usize,
}

/// The reason for the end of a life: its kind, and a sentence without its subject and its full
/// stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    pub ending: Ending,
    pub reason: String,
}

/// The task that a plugin runs in. Dropping this ends the task at some later time; [`Task::end`]
/// waits for it.
pub struct Task(JoinHandle<wasmtime::Result<()>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Task {
    /// Ends the task in any state, and waits until everything that it had is closed, because the
    /// next life may open the same.
    pub async fn end(mut self) {
        self.0.abort();
        // The result does not matter.
        let _ = (&mut self.0).await;
    }
}

impl End {
    fn failed(reason: impl Into<String>) -> End {
        End { ending: Ending::Failed, reason: reason.into() }
    }
}

impl Life {
    /// Makes the grants and the instance, and calls `init`. The future may be dropped; the task that it may
    /// have left in `begun` is to be ended then.
    pub async fn begin(
        log: &Arc<Log>,
        version: &Version,
        mailboxes: &Mailboxes,
        listeners: &mut Listeners,
        begun: &mut Option<Task>,
    ) -> Result<(Life, Granted), End> {
        let manifest = &version.manifest;
        let (mut granted, network) =
            grants::make(log, manifest, mailboxes, listeners).await.map_err(End::failed)?;
        let limit = manifest.limits.memory.0;
        let memory = MemoryLimit::new(limit);
        let traces = Traces { output: Output::new(log), memory: memory.usage(), limit };
        let uv = std::mem::replace(&mut granted.uv, uv_handles_host::UvCtx::builder().build());
        let guest = Guest::new(uv, network, &traces.output, memory);
        let mut store = Store::new(version.pre.engine(), guest);
        store.limiter(|guest| &mut guest.memory);
        // A plugin that computes without end lets others have their turn, and can be stopped.
        interrupt_by_epochs_async(&mut store);

        let start = manifest.limits.start.0;
        let config = manifest.config.iter().map(|(key, value)| (key.clone(), value.0.clone())).collect();
        let handle = timeout(start, begin(store, version, config, &traces, begun)).await;
        match (handle.unwrap_or_else(|_| Err(too_slow(start))), begun.take()) {
            (Ok(handle), Some(task)) => Ok((Life { handle, task, traces }, granted)),
            (Ok(_), None) => Err(End::failed("it has no task")),
            (Err(end), task) => {
                if let Some(task) = task {
                    task.end().await;
                }
                Err(end)
            }
        }
    }

    /// Waits until the plugin ends by itself.
    pub async fn ended(&mut self) -> End {
        let result = (&mut self.task.0).await;
        self.traces.end(result)
    }

    pub fn stats(&self) -> PluginStats {
        self.handle.stats()
    }

    pub fn memory(&self) -> usize {
        self.traces.memory.bytes()
    }

    /// Asks the plugin to end, and interrupts it after the time. Returns whether it ended by
    /// itself, and its counters.
    pub async fn stop(self, grace: Duration) -> (bool, PluginStats) {
        let stopped = self.handle.stop(grace).await;
        self.task.end().await;
        (matches!(stopped, Stopped::ByItself), self.handle.stats())
    }
}

async fn begin(
    store: Store<Guest>,
    version: &Version,
    config: Vec<(String, String)>,
    traces: &Traces,
    begun: &mut Option<Task>,
) -> Result<PluginHandle<Guest>, End> {
    let failed = |error: wasmtime::Error| traces.failure(&error);
    let (mut plugin, instance) =
        Plugin::instantiate(store, version.pre.instance_pre()).await.map_err(failed)?;
    let exports = Exports::new(plugin.store(), &instance).map_err(failed)?;
    let (handle, task) = plugin.spawn();
    let task = begun.insert(Task(task));
    let init = handle.call(move |store| Box::pin(async move { exports.call_init(store, &config).await }));
    match init.await {
        Ok(Ok(Ok(()))) => Ok(handle),
        Ok(Ok(Err(reason))) => Err(End::failed(format!("its init refused: {}", one_line(&reason)))),
        Ok(Err(error)) => Err(traces.in_init(&error)),
        Err(_) => Err(traces.end((&mut task.0).await)),
    }
}

fn too_slow(start: Duration) -> End {
    End::failed(format!("its start took longer than {} s (limits.start)", start.as_secs_f64()))
}

impl Traces {
    fn end(&self, result: Result<wasmtime::Result<()>, JoinError>) -> End {
        match result {
            // Its last handle was dropped, so the result has no receiver.
            Ok(Ok(())) => End { ending: Ending::Finished, reason: "it was stopped".into() },
            Ok(Err(error)) => self.failure(&error),
            Err(error) => End::failed(format!("its task has ended: {error}")),
        }
    }

    fn in_init(&self, error: &wasmtime::Error) -> End {
        let End { ending, reason } = self.failure(error);
        End { ending, reason: format!("{reason}, in its init") }
    }

    /// Describes the error of a call of the plugin.
    fn failure(&self, error: &wasmtime::Error) -> End {
        if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
            let ending = if *code == 0 { Ending::Finished } else { Ending::Failed };
            return End { ending, reason: format!("it exited with status {code}") };
        }
        if error.downcast_ref::<Interrupted>().is_some() {
            return End::failed("it was interrupted");
        }
        if self.memory.was_refused() {
            let limit = crate::page::bytes(self.limit);
            return End::failed(format!("it needed more memory than its limit of {limit} (limits.memory)"));
        }
        match (self.output.panic(), error.downcast_ref::<wasmtime::Trap>()) {
            (Some(panic), _) => End::failed(format!("it panicked: {}", one_line(panic))),
            (None, Some(trap)) => End::failed(format!("it trapped: {trap}")),
            (None, None) => End::failed(format!("it failed: {}", in_one_line(error))),
        }
    }
}
