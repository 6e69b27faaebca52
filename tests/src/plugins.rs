//! Instances of the tests' plugin, each in a store of its own.

use crate::{State, async_linker, component};
use uv_handles_host::{Plugin, UvCtx, interrupt_by_epochs_async};
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

/// What the plugin exports.
pub use bindings::Plugin as Exports;

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

    /// Whose epoch the instances obey.
    pub fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    /// Makes a plugin in a store of its own.
    ///
    /// # Errors
    ///
    /// wasmtime's, if the engine has no room.
    pub async fn start(&self, uv: UvCtx) -> Result<(Plugin<State>, Exports)> {
        let (store, instance, exports) = self.instance(uv).await?;
        Ok((Plugin::new(store, &instance)?, exports))
    }

    /// Makes an instance that nobody drives yet.
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
