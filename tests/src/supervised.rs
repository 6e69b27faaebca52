//! Supervised plugins: the data of their stores, and descriptions of the tests' plugin for them
//! (tests/guest-supervised).

use crate::component;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uv_handles_host::supervisor::{LogLine, LogSource, PluginSpec, PluginState, Restart};
use uv_handles_host::{EpochTicker, MemoryLimit, UvCtx, UvCtxView, UvView};
use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The data of a supervised plugin's store.
#[allow(missing_debug_implementations, reason = "WASI's context has none")]
pub struct Supervised {
    uv: UvCtx,
    wasi: WasiCtx,
    memory: MemoryLimit,
}

impl Supervised {
    /// The data of a plugin without a supervisor.
    #[must_use]
    pub fn plain(uv: UvCtx) -> Supervised {
        Supervised { uv, wasi: WasiCtx::builder().build(), memory: MemoryLimit::new(usize::MAX) }
    }
}

impl PluginState for Supervised {
    fn memory(&mut self) -> &mut MemoryLimit {
        &mut self.memory
    }
}

impl UvView for Supervised {
    fn uv(&mut self) -> UvCtxView<'_> {
        UvCtxView { ctx: &mut self.uv }
    }
}

impl WasiView for Supervised {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: self.uv.table() }
    }
}

/// The plugin, compiled for an engine whose epochs pass.
#[allow(missing_debug_implementations, reason = "InstancePre has none")]
pub struct SupervisedPlugins {
    pre: InstancePre<Supervised>,
    _ticker: EpochTicker,
}

impl SupervisedPlugins {
    /// For plugins in tasks.
    ///
    /// # Errors
    ///
    /// wasmtime's.
    pub fn in_tasks() -> Result<SupervisedPlugins> {
        SupervisedPlugins::new(|linker| {
            uv_handles_host::add_to_linker_async(linker)?;
            wasmtime_wasi::p2::add_to_linker_async(linker)
        })
    }

    /// For plugins on one thread.
    ///
    /// # Errors
    ///
    /// wasmtime's.
    pub fn in_set() -> Result<SupervisedPlugins> {
        SupervisedPlugins::new(|linker| {
            uv_handles_host::add_to_linker_sync(linker)?;
            wasmtime_wasi::p2::add_to_linker_sync(linker)
        })
    }

    fn new(link: impl FnOnce(&mut Linker<Supervised>) -> Result<()>) -> Result<SupervisedPlugins> {
        let engine = Engine::new(&crate::plugins::config())?;
        let mut linker = Linker::new(&engine);
        link(&mut linker)?;
        uv_handles_host::add_pollables_to_linker(&mut linker)?;
        let component = Component::from_file(&engine, component("supervised-guest"))?;
        let ticker = EpochTicker::start(&engine, Duration::from_millis(1))?;
        Ok(SupervisedPlugins { pre: linker.instantiate_pre(&component)?, _ticker: ticker })
    }

    /// A plugin with this configuration. It is started again a millisecond after a failure.
    #[must_use]
    pub fn spec(&self, config: &str) -> PluginSpec<Supervised> {
        let restart = Restart {
            initial: Duration::from_millis(1),
            max: Duration::from_millis(1),
            ..Restart::default()
        };
        let spec = PluginSpec::new(&self.pre, |mut seat| {
            let mut wasi = WasiCtx::builder();
            wasi.stdout(seat.stdout()).stderr(seat.stderr());
            Ok(Supervised { uv: seat.uv.build(), wasi: wasi.build(), memory: seat.memory })
        });
        spec.config(config).restart(restart)
    }

    /// The engine whose epochs pass.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    /// The plugin, linked.
    #[must_use]
    pub fn pre(&self) -> &InstancePre<Supervised> {
        &self.pre
    }

    /// Begins an instance that is not supervised.
    ///
    /// # Errors
    ///
    /// wasmtime's.
    ///
    /// # Panics
    ///
    /// If the plugin has no such export, or refuses the configuration.
    pub fn init(&self, store: &mut Store<Supervised>, instance: &Instance, config: &str) -> Result<()> {
        let life = instance.get_export_index(&mut *store, None, "uv:handles/plugin-life@0.2.0");
        let init = instance.get_export_index(&mut *store, life.as_ref(), "init").expect("it has a life");
        let init = instance.get_typed_func::<(&[u8], Option<&[u8]>), (std::result::Result<(), String>,)>(
            &mut *store,
            init,
        )?;
        let (begun,) = init.call(store, (config.as_bytes(), None))?;
        begun.expect("it begins");
        Ok(())
    }

    /// A component without exports.
    ///
    /// # Errors
    ///
    /// wasmtime's.
    pub fn no_plugin(&self) -> Result<PluginSpec<Supervised>> {
        const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
        let pre = Linker::new(self.engine()).instantiate_pre(&Component::new(self.engine(), EMPTY)?)?;
        Ok(PluginSpec::new(&pre, |_| unreachable!("a component that is no plugin gets no grants")))
    }

    /// The plugin with grants that panic.
    #[must_use]
    pub fn panicking(&self) -> PluginSpec<Supervised> {
        PluginSpec::new(&self.pre, |_| panic!("a hook of the embedder's"))
    }
}

/// The lines of all plugins' logs.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<(String, LogSource, String)>>>);

impl Log {
    /// The function for a supervisor.
    pub fn sink(&self) -> impl Fn(&LogLine<'_>) + Send + Sync + 'static {
        let lines = self.0.clone();
        move |line| {
            let (plugin, text) = (line.plugin.to_owned(), line.text.to_owned());
            lines.lock().expect("the lock is never poisoned").push((plugin, line.source, text));
        }
    }

    /// The lines of a plugin from this source.
    ///
    /// # Panics
    ///
    /// If a sink has panicked.
    #[must_use]
    pub fn lines(&self, plugin: &str, source: LogSource) -> Vec<String> {
        let lines = self.0.lock().expect("the lock is never poisoned");
        let of = lines.iter().filter(|(name, from, _)| name == plugin && *from == source);
        of.map(|(_, _, text)| text.clone()).collect()
    }
}
