//! Instances of the tests' plugin, each in a store of its own.

use crate::{PATIENCE, State, async_linker, component, linker};
use std::sync::Arc;
use uv_handles_host::{
    Plugin, PluginHandle, PluginId, PluginSet, UvCtx, UvCtxBuilder, interrupt_by_epochs_async,
    interrupt_by_epochs_sync,
};
use wasmtime::component::{Component, Instance, InstancePre};
use wasmtime::{Config, Engine, Result, Store};
use wasmtime_wasi::WasiCtx;

mod bindings {
    #![allow(missing_docs, missing_debug_implementations, reason = "generated code")]

    wasmtime::component::bindgen!({
        path: "guest-plugin/wit",
        world: "plugin",
        exports: { default: async },
    });
}

mod synchronous {
    #![allow(missing_docs, missing_debug_implementations, reason = "generated code")]

    wasmtime::component::bindgen!({ path: "guest-plugin/wit", world: "plugin" });
}

/// The plugin's exports.
pub use bindings::Plugin as Exports;
/// The same, called synchronously.
pub use synchronous::Plugin as SyncExports;

/// The plugin, compiled for an engine.
#[allow(missing_debug_implementations, reason = "InstancePre has none")]
pub struct Plugins {
    pre: InstancePre<State>,
}

impl Plugins {
    /// Compiles the plugin.
    ///
    /// # Errors
    ///
    /// wasmtime's, for a configuration that is none.
    pub fn new(config: &Config) -> Result<Plugins> {
        let engine = Engine::new(config)?;
        let component = Component::from_file(&engine, component("plugin-guest"))?;
        Ok(Plugins { pre: async_linker(&engine)?.instantiate_pre(&component)? })
    }

    /// The engine whose epoch the instances obey.
    pub fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    /// Makes a plugin in a store of its own.
    ///
    /// # Errors
    ///
    /// wasmtime's, if the engine has no room.
    pub async fn start(&self, uv: UvCtx) -> Result<(Plugin<State>, Exports)> {
        let mut store = self.store(uv);
        interrupt_by_epochs_async(&mut store);
        self.start_in(store).await
    }

    /// A store for a plugin, without interruption by epochs.
    pub fn store(&self, uv: UvCtx) -> Store<State> {
        Store::new(self.engine(), State::new(uv, WasiCtx::builder().build()))
    }

    /// Makes a plugin in this store.
    ///
    /// # Errors
    ///
    /// wasmtime's, if the engine has no room, and the plugin's trap.
    pub async fn start_in(&self, store: Store<State>) -> Result<(Plugin<State>, Exports)> {
        let (mut plugin, instance) = Plugin::instantiate(store, &self.pre).await?;
        let exports = Exports::new(plugin.store(), &instance)?;
        Ok((plugin, exports))
    }

    /// Makes an instance that is not driven yet, in a context that was built for a plugin.
    ///
    /// # Errors
    ///
    /// wasmtime's, if the engine has no room.
    pub async fn instance(&self, uv: UvCtx) -> Result<(Store<State>, Instance, Exports)> {
        let mut store = Store::new(self.engine(), State::new(uv, WasiCtx::builder().build()));
        interrupt_by_epochs_async(&mut store);
        let instance = self.pre.instantiate_async(&mut store).await?;
        let exports = Exports::new(&mut store, &instance)?;
        Ok((store, instance, exports))
    }
}

/// The plugin, for sets.
#[allow(missing_debug_implementations, reason = "InstancePre has none")]
pub struct SyncPlugins {
    pre: InstancePre<State>,
}

impl SyncPlugins {
    /// Compiles the plugin, on an engine of its own.
    ///
    /// # Errors
    ///
    /// wasmtime's, for a configuration that is none.
    pub fn new() -> Result<SyncPlugins> {
        SyncPlugins::with(&config())
    }

    /// The same, on an engine of this configuration.
    ///
    /// # Errors
    ///
    /// wasmtime's, for a configuration that is none, or that has no room for the plugin.
    pub fn with(config: &Config) -> Result<SyncPlugins> {
        let engine = Engine::new(config)?;
        let component = Component::from_file(&engine, component("plugin-guest"))?;
        Ok(SyncPlugins { pre: linker(&engine)?.instantiate_pre(&component)? })
    }

    /// The engine whose epoch the instances obey.
    pub fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    /// Makes an instance that is not driven yet, in a context that was built for a plugin.
    ///
    /// # Errors
    ///
    /// wasmtime's, if the engine has no room.
    pub fn instance(&self, uv: UvCtx) -> Result<(Store<State>, Instance, SyncExports)> {
        let mut store = Store::new(self.pre.engine(), State::new(uv, WasiCtx::builder().build()));
        interrupt_by_epochs_sync(&mut store);
        let instance = self.pre.instantiate(&mut store)?;
        let exports = SyncExports::new(&mut store, &instance)?;
        Ok((store, instance, exports))
    }
}

impl SyncPlugins {
    /// Makes a plugin in a store of its own, and adds it to a set, which instantiates it.
    ///
    /// # Errors
    ///
    /// wasmtime's, if the engine has no room.
    pub fn start_in_set(&self, set: &mut PluginSet<State>, uv: UvCtx) -> Result<(PluginId, SyncExports)> {
        let mut store = Store::new(self.pre.engine(), State::new(uv, WasiCtx::builder().build()));
        interrupt_by_epochs_sync(&mut store);
        let (id, instance) = set.instantiate(store, &self.pre)?;
        let exports = SyncExports::new(set.store(id).expect("it is in the set"), &instance)?;
        Ok((id, exports))
    }
}

/// An engine's configuration without the pool, which would reserve memory for each test anew.
pub fn config() -> Config {
    let mut config = Config::new();
    config.concurrency_support(false).epoch_interruption(true);
    config
}

/// A plugin on an engine of its own, with what `grant` grants.
///
/// # Errors
///
/// wasmtime's.
pub async fn plugin(grant: impl FnOnce(&mut UvCtxBuilder)) -> Result<(Plugin<State>, Exports)> {
    let mut uv = UvCtx::builder();
    grant(&mut uv);
    Plugins::new(&config())?.start(uv.build()).await
}

/// The same in virtual time, with nothing granted.
///
/// # Errors
///
/// wasmtime's.
pub async fn virtual_plugin() -> Result<(Plugin<State>, Exports)> {
    let virtual_time = |uv: &mut UvCtxBuilder| {
        uv.virtual_time(true);
    };
    plugin(virtual_time).await
}

/// Waits for an item, unless a test has failed.
///
/// # Panics
///
/// If it does not come within [`PATIENCE`].
pub async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it does not come")
}

/// The lines that the plugin has written since the last call.
///
/// # Panics
///
/// If the plugin is gone or traps.
pub async fn lines(handle: &PluginHandle<State>, exports: &Arc<Exports>) -> Vec<String> {
    let exports = exports.clone();
    let call = handle.call(|store| Box::pin(async move { exports.call_lines(store).await }));
    in_time(call).await.expect("the plugin is there").expect("it answers")
}

/// Dispatches until no more events can occur, and returns the lines.
///
/// # Errors
///
/// The trap of a callback.
pub async fn to_the_end(plugin: &mut Plugin<State>, exports: &Exports) -> Result<Vec<String>> {
    while plugin.alive() {
        in_time(plugin.ready()).await?;
        plugin.dispatch().await?;
    }
    exports.call_lines(plugin.store()).await
}
