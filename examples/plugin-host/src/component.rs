//! From a component's bytes to one that can be started, or to one sentence about why it cannot.

use crate::guest::Guest;
use crate::shared::format;
use uv_handles_host::supervisor::one_line;
use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, Engine};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "plugin",
        exports: { default: async },
    });
}

pub type Exports = bindings::Plugin;

/// The export by which the plugin's callbacks are called.
const EVENTS: &str = "uv:handles/plugin-events@0.2.0";

/// Compiles and links plugins.
pub struct Components {
    engine: Engine,
    linker: Linker<Guest>,
}

impl Components {
    /// For so many plugins at a time.
    pub fn new(capacity: u32, cache: bool) -> wasmtime::Result<Components> {
        let mut config = uv_handles_host::engine_config(capacity);
        if cache {
            match Cache::from_file(None) {
                Ok(cache) => drop(config.cache(Some(cache))),
                Err(error) => tracing::debug!("compiled code is not kept: {error:#}"),
            }
        }
        let engine = Engine::new(&config)?;
        let mut linker = Linker::<Guest>::new(&engine);
        uv_handles_host::add_to_linker_async(&mut linker)?;
        uv_handles_host::add_pollables_to_linker(&mut linker)?;
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        Ok(Components { engine, linker })
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Compiles and links the component of a file. It takes its time.
    pub fn link(&self, file: &str, bytes: &[u8]) -> Result<bindings::PluginPre<Guest>, String> {
        format::check(bytes).map_err(|problem| format!("{file} cannot be loaded: {problem}"))?;
        let component = Component::new(&self.engine, bytes).map_err(|error| {
            format!("{file} is not a valid WebAssembly component: {}", in_one_line(&error))
        })?;
        let misfit = |problem: &str| format!("{file} does not fit the world plugin-host:plugin: {problem}");
        let instance =
            self.linker.instantiate_pre(&component).map_err(|error| misfit(&in_one_line(&error)))?;
        let pre = bindings::PluginPre::new(instance).map_err(|error| misfit(&in_one_line(&error)))?;
        if !uv_handles_host::is_plugin(&component) {
            return Err(misfit(&format!(
                "it does not export {EVENTS}; in Rust, state uv_handles::plugin!()"
            )));
        }
        Ok(pre)
    }
}

/// An error of wasmtime's and its causes as one line. It may contain names of the component.
pub fn in_one_line(error: &wasmtime::Error) -> String {
    one_line(format_args!("{error:#}"))
}
