//! One life of a plugin in a task: an instance in a store of its own.

use super::end::End;
use super::exports::{LifeExports, check_state};
use super::log::PluginLog;
use super::spec::{PluginSpec, PluginState, Traces};
use crate::engine::interrupt_by_epochs_async;
use crate::grants::async_sender::AsyncSender;
use crate::plugin::{Plugin, PluginHandle, PluginStats, STOP, Stopped};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use wasmtime::Store;
use wasmtime::component::Instance;

/// A running plugin. Dropping this drops the plugin in any state.
pub(crate) struct Life<T: 'static> {
    pub handle: PluginHandle<T>,
    pub instance: Instance,
    exports: Option<LifeExports>,
    task: Task,
    traces: Traces,
}

/// The task that a plugin runs in. Dropping this ends the task at some later time; [`Task::end`]
/// waits for it.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<wasmtime::Result<()>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Task {
    /// Ends the task in any state, and waits until everything that it had is closed, because the
    /// next life may open the same.
    pub(crate) async fn end(mut self) {
        self.0.abort();
        // The result does not matter.
        let _ = (&mut self.0).await;
    }
}

/// The start of a life.
pub(crate) struct Start<'a, T: 'static> {
    pub spec: &'a PluginSpec<T>,
    pub log: &'a Arc<PluginLog>,
    pub mailbox: &'a AsyncSender,
    /// The state of the instance before, which is paused.
    pub state: Option<Vec<u8>>,
}

/// A plugin that is paused between its callbacks, with the state that it has handed over. It
/// continues when this is dropped.
#[derive(Debug)]
pub(crate) struct Paused {
    pub state: Option<Vec<u8>>,
    _resume: oneshot::Sender<()>,
}

/// The result of a hand-over.
#[derive(Debug)]
pub(crate) enum HandOver {
    Paused(Paused),
    /// The plugin continues, for the reason in this sentence.
    Refused(String),
    /// The plugin has not returned, and was interrupted.
    TooSlow,
    /// The plugin has ended, for the reason in this sentence.
    Failed(String),
}

impl<T: PluginState + Send> Life<T> {
    /// Makes the grants and the instance, and calls `init`. The future may be dropped; the task that it
    /// may have left in `begun` is to be ended then.
    pub(crate) async fn begin(start: Start<'_, T>, begun: &mut Option<Task>) -> Result<Life<T>, End> {
        let limit = start.spec.life_limits().start;
        let result = timeout(limit, begin(start, begun)).await.unwrap_or_else(|_| Err(too_slow(limit)));
        match (result, begun.take()) {
            (Ok(New { handle, instance, exports, traces }), Some(task)) => {
                Ok(Life { handle, instance, exports, task, traces })
            }
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
    pub(crate) async fn ended(&mut self) -> End {
        let result = (&mut self.task.0).await;
        task_end(&self.traces, result)
    }

    pub(crate) fn stats(&self) -> PluginStats {
        self.handle.stats()
    }

    pub(crate) fn memory(&self) -> usize {
        self.traces.memory.bytes()
    }

    /// Whether the plugin has a state to hand over, so that nothing of it has to be completed once it
    /// has done so.
    pub(crate) fn hands_over(&self) -> bool {
        self.exports.is_some()
    }

    /// Asks the plugin for its state, and pauses it.
    pub(crate) async fn pause(&self, spec: &PluginSpec<T>) -> HandOver {
        let limits = spec.life_limits();
        let (time, bytes) = (limits.hand_over, limits.state);
        let (state_sender, handed_over) = oneshot::channel();
        let (resume, resumed) = oneshot::channel::<()>();
        let (handle, exports) = (self.handle.clone(), self.exports);
        tokio::spawn(async move {
            let call = handle.call(move |store| {
                Box::pin(async move {
                    let state = match exports {
                        None => Ok(Ok(None)),
                        Some(exports) => hand_over(store, exports, bytes).await,
                    };
                    // The supervisor may have stopped waiting.
                    if state_sender.send(state).is_ok() {
                        // It is dropped to resume.
                        let _ = resumed.await;
                    }
                })
            });
            // The plugin may have ended.
            let _ = call.await;
        });
        match timeout(time, handed_over).await {
            Ok(Ok(Ok(Ok(state)))) => HandOver::Paused(Paused { state, _resume: resume }),
            Ok(Ok(Ok(Err(refused)))) => HandOver::Refused(refused),
            Ok(Ok(Err(error))) => HandOver::Failed(self.traces.failure(&error).reason),
            Ok(Err(_)) => HandOver::Failed("it has ended".into()),
            Err(_) => {
                self.handle.interrupt_handle().interrupt();
                HandOver::TooSlow
            }
        }
    }

    /// Asks the plugin to end, and interrupts it after the time. Returns whether it ended by
    /// itself, and its counters.
    pub(crate) async fn stop(self, grace: Duration) -> (bool, PluginStats) {
        let stopped = self.handle.stop(grace).await;
        self.task.end().await;
        (matches!(stopped, Stopped::ByItself), self.handle.stats())
    }

    /// Ends the plugin in any state. Returns its counters.
    pub(crate) async fn end(self) -> PluginStats {
        self.task.end().await;
        self.handle.stats()
    }
}

/// A life whose task is not held yet.
struct New<T: 'static> {
    handle: PluginHandle<T>,
    instance: Instance,
    exports: Option<LifeExports>,
    traces: Traces,
}

async fn begin<T: PluginState + Send>(start: Start<'_, T>, begun: &mut Option<Task>) -> Result<New<T>, End> {
    let Start { spec, log, mailbox, state } = start;
    spec.check().map_err(|error| End::unfit(&error))?;
    let (mut seat, traces) = spec.seat(log);
    seat.uv.take_over_async_sender(mailbox).async_sender(STOP);
    // It may connect or look names up. Its panic is its own.
    let making = spec.clone();
    let made = tokio::task::spawn_blocking(move || making.store(seat)).await;
    let made = made.map_err(|error| End::failed(format!("its grants fail: {error}")))?;
    let mut store = made.map_err(|error| End::not_made(&error))?;
    // A plugin that computes without end lets others have their turn, and can be stopped.
    interrupt_by_epochs_async(&mut store);

    let (mut plugin, instance) =
        Plugin::instantiate(store, spec.pre()).await.map_err(|error| traces.failure(&error))?;
    let exports = LifeExports::of(plugin.store(), &instance).map_err(|error| traces.failure(&error))?;
    let (handle, task) = plugin.spawn();
    let task = begun.insert(Task(task));
    let (config, hook) = (spec.life_config().to_vec(), spec.start_hook_async());
    let init = handle.call(move |store| {
        Box::pin(async move {
            if let Some(exports) = exports {
                let (begun,) = exports.init.call_async(&mut *store, (config, state)).await?;
                if let Err(refused) = begun {
                    return Ok(Err(refused));
                }
            }
            match hook {
                Some(hook) => hook(store, instance).await,
                None => Ok(Ok(())),
            }
        })
    });
    match init.await {
        Ok(Ok(Ok(()))) => Ok(New { handle, instance, exports, traces }),
        Ok(Ok(Err(refused))) => Err(End::refused(&refused)),
        Ok(Err(error)) => Err(traces.in_init(&error)),
        Err(_) => {
            let result = (&mut task.0).await;
            Err(task_end(&traces, result))
        }
    }
}

/// Calls for the state, within the plugin's task.
async fn hand_over<T: Send>(
    store: &mut Store<T>,
    exports: LifeExports,
    limit: usize,
) -> wasmtime::Result<Result<Option<Vec<u8>>, String>> {
    let (state,) = exports.hand_over.call_async(&mut *store, ()).await?;
    Ok(check_state(state, limit))
}

fn too_slow(start: Duration) -> End {
    End::failed(format!("its start took longer than {} s (limits.start)", start.as_secs_f64()))
}

fn task_end(traces: &Traces, result: Result<wasmtime::Result<()>, JoinError>) -> End {
    match result {
        // Its last handle was dropped, so the result has no receiver.
        Ok(Ok(())) => End::finished("it was stopped"),
        Ok(Err(error)) => traces.failure(&error),
        Err(error) => End::failed(format!("its task has ended: {error}")),
    }
}

impl<T> fmt::Debug for Life<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Life").field("handle", &self.handle).finish_non_exhaustive()
    }
}
