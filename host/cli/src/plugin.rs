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
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre};
use wasmtime::error::Context;
use wasmtime::{Engine, Result, Store};

/// The interface of the export `init`.
const LIFE: &str = "uv:handles/plugin-life@0.2.0";

type Parameters<'a> = (&'a [u8], Option<&'a [u8]>);
type Begun = std::result::Result<(), String>;

/// A linked plugin, and its configuration.
pub struct Plugin {
    pub pre: InstancePre<Guest>,
    init: ComponentExportIndex,
    /// The arguments of the command line.
    config: String,
}

/// Returns the export `init` of such a plugin, `None` for a program and for any other component.
pub fn init_of(engine: &Engine, component: &Component) -> Option<ComponentExportIndex> {
    let life = component.get_export_index(None, LIFE)?;
    let init = component.get_export_index(Some(&life), "init")?;
    (!imports::exports(engine, component, "wasi:cli/run")).then_some(init)
}

impl Plugin {
    /// The arguments begin with the name of the file.
    pub fn new(pre: InstancePre<Guest>, init: ComponentExportIndex, arguments: &[String]) -> Plugin {
        Plugin { pre, init, config: arguments.get(1..).unwrap_or_default().join(" ") }
    }

    /// Runs the plugin until none of its loops is alive.
    pub fn run(
        &self,
        mut store: Store<Guest>,
        instance: &Instance,
        timeout: Option<&Timeout>,
    ) -> Result<ExitCode> {
        let init = instance.get_typed_func::<Parameters<'_>, (Begun,)>(&mut store, self.init);
        let init = init.context("the plugin's init has another type than that of the contract")?;
        match init.call(&mut store, (self.config.as_bytes(), None)) {
            Ok((Ok(()),)) => {}
            Ok((Err(reason),)) => {
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
}
