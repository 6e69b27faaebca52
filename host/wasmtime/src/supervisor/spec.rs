//! The description of a plugin: its component, grants, limits and restart policy.

use super::log::{PluginLog, guarded};
use super::output::PluginOutput;
use super::restart::Restart;
#[cfg(feature = "wasi")]
use super::wasi_output::PluginStream;
use crate::ctx::UvCtx;
use crate::ctx::builder::UvCtxBuilder;
use crate::engine::{MemoryLimit, MemoryUsage};
use crate::plugin::check_is_plugin;
use crate::view::UvView;
use std::fmt;
#[cfg(feature = "async")]
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

/// The data in the store of a supervised plugin.
pub trait PluginState: UvView + 'static {
    /// Returns the limit of the plugin's memory, which the [`Seat`] brought.
    fn memory(&mut self) -> &mut MemoryLimit;
}

/// The parts of a supervised plugin's store. The embedder adds grants to [`uv`](Seat::uv), and makes
/// the store's data of them.
///
/// A [`Supervisor`](super::Supervisor) has granted the context the async handles
/// [`STOP`](crate::STOP) and [`MAILBOX`](super::MAILBOX).
#[derive(Debug)]
#[non_exhaustive]
pub struct Seat {
    /// The builder of the plugin's context.
    pub uv: UvCtxBuilder,
    /// The limit of the plugin's memory.
    pub memory: MemoryLimit,
    /// The plugin's output, whose lines are logged.
    pub output: Arc<PluginOutput>,
    /// The plugin's log.
    pub log: Arc<PluginLog>,
}

impl Seat {
    /// Returns the plugin's name.
    pub fn name(&self) -> &str {
        self.log.plugin()
    }

    /// Returns WASI's standard output of the plugin, whose lines are logged.
    #[cfg(feature = "wasi")]
    pub fn stdout(&self) -> PluginStream {
        PluginStream::new(&self.output, false)
    }

    /// Returns WASI's standard error of the plugin, whose lines are logged.
    #[cfg(feature = "wasi")]
    pub fn stderr(&self) -> PluginStream {
        PluginStream::new(&self.output, true)
    }
}

/// The limits of a plugin's life. Those on handles and mailboxes are [`Limits`](crate::Limits) of
/// the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LifeLimits {
    /// The bytes of memory. Default: 64 MiB.
    pub memory: usize,
    /// The time of a start: grants, instantiation, `init`. Default: 10 seconds.
    pub start: Duration,
    /// The time that a plugin has to stop. Default: 5 seconds.
    pub stop: Duration,
    /// The time of a call. Default: 30 seconds.
    pub call: Duration,
    /// The time of a callback, beyond which the plugin is ended while it computes. Default: no limit
    /// in a task, where other plugins have their turns meanwhile, and 5 seconds in a
    /// [`SupervisedSet`](super::SupervisedSet), where they wait. Without a limit, a callback that never
    /// returns is not noticed.
    pub callback: Option<Duration>,
    /// The time to hand over the state. Default: 5 seconds.
    pub hand_over: Duration,
    /// The bytes of the state that is handed over. The state is copied before it is measured, so
    /// that `memory` bounds the time of the copy. Default: 16 MiB.
    pub state: usize,
    /// The time of a callback beyond which it is reported as slow. Default: none is.
    pub slow_callback: Option<Duration>,
}

impl Default for LifeLimits {
    fn default() -> LifeLimits {
        let seconds = Duration::from_secs;
        LifeLimits {
            memory: 64 << 20,
            start: seconds(10),
            stop: seconds(5),
            call: seconds(30),
            callback: None,
            hand_over: seconds(5),
            state: 16 << 20,
            slow_callback: None,
        }
    }
}

type Make<T> = Arc<dyn Fn(Seat) -> wasmtime::Result<T> + Send + Sync>;
/// The result of a hook at the start: an error of the call, or the plugin's reason not to start.
pub(crate) type HookResult = wasmtime::Result<Result<(), String>>;
type OnStart<T> = Arc<dyn Fn(&mut Store<T>, &Instance) -> HookResult + Send + Sync>;
type OnSlow = Arc<dyn Fn(&str, Duration) + Send + Sync>;
#[cfg(feature = "async")]
pub(crate) type OnStartAsync<T> = Arc<
    dyn for<'a> Fn(&'a mut Store<T>, Instance) -> Pin<Box<dyn Future<Output = HookResult> + Send + 'a>>
        + Send
        + Sync,
>;

/// Describes a plugin: the component, how the data of its store is made, and its limits. Cloning is
/// cheap, and plugins of the same kind can share a description.
pub struct PluginSpec<T: 'static> {
    shared: Arc<Shared<T>>,
}

struct Shared<T: 'static> {
    pre: InstancePre<T>,
    make: Make<T>,
    config: Vec<u8>,
    restart: Restart,
    limits: LifeLimits,
    on_start: Option<OnStart<T>>,
    #[cfg(feature = "async")]
    on_start_async: Option<OnStartAsync<T>>,
    on_slow: Option<OnSlow>,
}

impl<T: PluginState> PluginSpec<T> {
    /// Describes a plugin by its component, and by a function that makes the data of its store.
    ///
    /// The function is called for each start, and may block. Its error is the reason why the plugin
    /// cannot start.
    pub fn new(
        pre: &InstancePre<T>,
        make: impl Fn(Seat) -> wasmtime::Result<T> + Send + Sync + 'static,
    ) -> PluginSpec<T> {
        PluginSpec {
            shared: Arc::new(Shared {
                pre: pre.clone(),
                make: Arc::new(make),
                config: Vec::new(),
                restart: Restart::default(),
                limits: LifeLimits::default(),
                on_start: None,
                #[cfg(feature = "async")]
                on_start_async: None,
                on_slow: None,
            }),
        }
    }

    /// Sets the configuration that the plugin's `init` of `uv:handles/plugin-life` receives.
    pub fn config(self, config: impl Into<Vec<u8>>) -> PluginSpec<T> {
        self.with(|shared| shared.config = config.into())
    }

    /// Sets the restart policy.
    pub fn restart(self, restart: Restart) -> PluginSpec<T> {
        self.with(|shared| shared.restart = restart)
    }

    /// Sets limits.
    pub fn limits(self, set: impl FnOnce(&mut LifeLimits)) -> PluginSpec<T> {
        self.with(|shared| set(&mut shared.limits))
    }

    /// Sets a function that completes the start of a plugin in a
    /// [`SupervisedSet`](super::SupervisedSet), by calls of exports of its own. It runs after `init`
    /// of `uv:handles/plugin-life`. An inner error is the plugin's reason why it cannot start.
    pub fn on_start(
        self,
        hook: impl Fn(&mut Store<T>, &Instance) -> wasmtime::Result<Result<(), String>> + Send + Sync + 'static,
    ) -> PluginSpec<T> {
        self.with(|shared| shared.on_start = Some(Arc::new(hook)))
    }

    /// The same for a plugin of a [`Supervisor`](super::Supervisor).
    #[cfg(feature = "async")]
    pub fn on_start_async(
        self,
        hook: impl for<'a> Fn(&'a mut Store<T>, Instance) -> Pin<Box<dyn Future<Output = HookResult> + Send + 'a>>
        + Send
        + Sync
        + 'static,
    ) -> PluginSpec<T> {
        self.with(|shared| shared.on_start_async = Some(Arc::new(hook)))
    }

    /// Sets a function that is called with the plugin's name after each callback that took longer than
    /// [`LifeLimits::slow_callback`]. Without a function, such a callback is logged.
    ///
    /// In a task the time includes the turns of other tasks of the thread: a plugin of a
    /// [`Supervisor`](super::Supervisor) may be reported because another task has kept the thread. A
    /// callback that never returns is not reported; [`LifeLimits::callback`] ends it.
    pub fn on_slow_callback(self, hook: impl Fn(&str, Duration) + Send + Sync + 'static) -> PluginSpec<T> {
        self.with(|shared| shared.on_slow = Some(Arc::new(hook)))
    }

    fn with(mut self, set: impl FnOnce(&mut Shared<T>)) -> PluginSpec<T> {
        match Arc::get_mut(&mut self.shared) {
            Some(shared) => set(shared),
            None => {
                let mut shared = Shared::clone(&self.shared);
                set(&mut shared);
                self.shared = Arc::new(shared);
            }
        }
        self
    }

    pub(crate) fn pre(&self) -> &InstancePre<T> {
        &self.shared.pre
    }

    /// Returns an error if the component is no plugin.
    pub(crate) fn check(&self) -> wasmtime::Result<()> {
        check_is_plugin(self.shared.pre.component())
    }

    pub(crate) fn life_config(&self) -> &[u8] {
        &self.shared.config
    }

    pub(crate) fn restart_policy(&self) -> Restart {
        self.shared.restart
    }

    pub(crate) fn life_limits(&self) -> &LifeLimits {
        &self.shared.limits
    }

    pub(crate) fn start_hook(&self) -> Option<&OnStart<T>> {
        self.shared.on_start.as_ref()
    }

    #[cfg(feature = "async")]
    pub(crate) fn start_hook_async(&self) -> Option<OnStartAsync<T>> {
        self.shared.on_start_async.clone()
    }

    /// Prepares the seat of a life.
    pub(crate) fn seat(&self, log: &Arc<PluginLog>) -> (Seat, Traces) {
        let limits = self.shared.limits;
        log.begin_life();
        let memory = MemoryLimit::new(limits.memory);
        let output = PluginOutput::new(log);
        let traces = Traces { output: output.clone(), memory: memory.usage(), limit: limits.memory };
        let mut uv = UvCtx::builder();
        uv.name(log.plugin().clone());
        let denied = log.clone();
        uv.on_denied(move |request| {
            denied.denied(format_args!("it asks for {request:?}, which is not granted"));
        });
        if let Some(limit) = limits.callback {
            uv.callback_deadline(limit);
        }
        if let Some(limit) = limits.slow_callback {
            let (log, hook) = (log.clone(), self.shared.on_slow.clone());
            uv.on_slow_callback(limit, move |took| match &hook {
                Some(hook) => guarded(log.plugin(), "slow callback", || hook(log.plugin(), took)),
                None => log.tell(tracing::Level::WARN, &format!("a callback took {took:?}")),
            });
        }
        (Seat { uv, memory, output, log: log.clone() }, traces)
    }

    /// Makes the store of a life.
    pub(crate) fn store(&self, seat: Seat) -> wasmtime::Result<Store<T>> {
        let mut store = Store::new(self.shared.pre.engine(), (self.shared.make)(seat)?);
        store.limiter(|data| data.memory());
        // wasmtime's own limit would end a plugin that hands over a larger state. The memory limit
        // bounds the state as well.
        let copied_at_once = store.hostcall_fuel().max(self.shared.limits.memory);
        store.set_hostcall_fuel(copied_at_once);
        Ok(store)
    }
}

/// The traces that a life leaves, from which the reason for its end is told.
#[derive(Debug)]
pub(crate) struct Traces {
    pub output: Arc<PluginOutput>,
    pub memory: MemoryUsage,
    pub limit: usize,
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared {
            pre: self.pre.clone(),
            make: self.make.clone(),
            config: self.config.clone(),
            restart: self.restart,
            limits: self.limits,
            on_start: self.on_start.clone(),
            #[cfg(feature = "async")]
            on_start_async: self.on_start_async.clone(),
            on_slow: self.on_slow.clone(),
        }
    }
}

impl<T> Clone for PluginSpec<T> {
    fn clone(&self) -> PluginSpec<T> {
        PluginSpec { shared: self.shared.clone() }
    }
}

impl<T> fmt::Debug for PluginSpec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginSpec").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}
