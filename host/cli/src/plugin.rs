//! A plugin with `uv:handles/plugin-life`, run as a host would run it: `init` is called, and then its
//! loops run for as long as one of them is alive.

use crate::ending;
use crate::guest::Guest;
use crate::imports;
use crate::output::say;
use crate::shown;
use crate::timeout::Timeout;
use std::process::ExitCode;
use uv_handles_host::PluginSet;
use wasmtime::component::{Component, Instance, InstancePre};
use wasmtime::error::Context;
use wasmtime::{Engine, Result, Store};

/// The interface of the export `init`, without its version.
const LIFE: &str = "uv:handles/plugin-life";

/// The same with the version that uv-run calls.
const LIFE_0_2: &str = "uv:handles/plugin-life@0.2.0";

type Parameters<'a> = (&'a [u8], Option<&'a [u8]>);
type Begun = std::result::Result<(), String>;

/// A linked plugin, and its configuration.
pub struct Plugin {
    pub pre: InstancePre<Guest>,
    /// The arguments of the command line.
    config: String,
}

/// Whether the component is such a plugin, and not a program.
pub fn is_plugin(engine: &Engine, component: &Component) -> bool {
    let exports = |interface| imports::exports(engine, component, interface);
    exports(LIFE) && !exports("wasi:cli/run")
}

impl Plugin {
    /// The arguments begin with the name of the file.
    pub fn new(pre: InstancePre<Guest>, arguments: &[String]) -> Plugin {
        Plugin { pre, config: arguments.get(1..).unwrap_or_default().join(" ") }
    }

    /// Runs the plugin until none of its loops is alive.
    pub fn run(
        &self,
        mut store: Store<Guest>,
        instance: &Instance,
        timeout: Option<&Timeout>,
    ) -> Result<ExitCode> {
        match self.init(&mut store, instance) {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => {
                say(format!("the plugin does not start: {}", shown::lines(&reason).join("\n")));
                return Ok(ExitCode::FAILURE);
            }
            Err(error) => return Ok(ending::report(&error, &store, timeout)),
        }
        let mut plugins = PluginSet::new().context("waiting is not possible")?;
        let plugin = plugins.add(store, instance)?;
        while plugins.alive(plugin) {
            let turn = plugins.turn(None).context("waiting has failed")?;
            if let Some(ended) = turn.ended.first() {
                return Ok(ending::report(&ended.error, &ended.store, timeout));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn init(&self, store: &mut Store<Guest>, instance: &Instance) -> Result<Begun> {
        let interface = instance.get_export_index(&mut *store, None, LIFE_0_2);
        let init = interface.and_then(|it| instance.get_export_index(&mut *store, Some(&it), "init"));
        let init = init.with_context(|| format!("the plugin has another version of {LIFE} than 0.2"))?;
        let init = instance.get_typed_func::<Parameters<'_>, (Begun,)>(&mut *store, init)?;
        let (begun,) = init.call(store, (self.config.as_bytes(), None))?;
        Ok(begun)
    }
}
