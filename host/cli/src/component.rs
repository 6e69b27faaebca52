//! Loads a component from a file, or explains in one sentence why it cannot be run.

use crate::async_program::AsyncProgram;
use crate::guest::Guest;
use crate::imports;
use crate::names;
use crate::os::process;
use crate::output;
use crate::shared::format;
use crate::shown;
use std::path::Path;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::error::Context;
use wasmtime::{Cache, Config, Engine, Result, bail};
use wasmtime_wasi::p2::bindings::sync::CommandPre;
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// The form of a guest's functions, which the engine has to know before it reads the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// No async functions. Calls are three times cheaper without.
    Plain,
    /// Async functions of the component model (WASI 0.3).
    Async,
}

/// The stack of a guest, which runs on the main thread. With wasmtime's default, 512 KiB, scripts
/// in JavaScript could nest some hundred calls.
const STACK: usize = 4 << 20;

/// The engine. With the cache, later runs reuse compiled code, and so do those of `wasmtime`.
pub fn engine(cache: bool, form: Form) -> Result<Engine> {
    let mut config = Config::new();
    config.concurrency_support(form == Form::Async);
    if form == Form::Async {
        config.wasm_component_model_async(true);
    }
    if form == Form::Plain && process::main_stack() >= 2 * STACK {
        // Nothing runs on stacks of this size: wasmtime checks that they would be large enough.
        config.async_stack_size(STACK);
        config.max_wasm_stack(STACK);
    }
    // For --timeout. Always on, so that one compilation serves runs with and without --timeout. The
    // cost is negligible.
    config.epoch_interruption(true);
    if cache {
        match Cache::from_file(None) {
            Ok(cache) => drop(config.cache(Some(cache))),
            Err(error) => tracing::debug!("compiled code is not kept: {error:#}"),
        }
    }
    Engine::new(&config)
}

/// Reads and compiles a component, for an engine of the form that it needs. An engine without async
/// functions refuses a component that has some, before it compiles anything.
pub fn load_in_its_form(file: &Path, cache: bool) -> Result<(Engine, Component, Form)> {
    let plain = engine(cache, Form::Plain)?;
    if let Ok(component) = load(&plain, file)
        && !imports::has_wasi_0_3(&plain, &component)
    {
        return Ok((plain, component, Form::Plain));
    }
    let engine = engine(cache, Form::Async)?;
    // The error of this engine is about the component: it knows everything that uv-run can run.
    let component = load(&engine, file)?;
    Ok((engine, component, Form::Async))
}

/// Reads and compiles a component.
pub fn load(engine: &Engine, file: &Path) -> Result<Component> {
    let name = file.display();
    let bytes = std::fs::read(file).with_context(|| format!("{name} cannot be read"))?;
    format::check(&bytes).map_err(|problem| wasmtime::format_err!("{name} cannot be run: {problem}"))?;
    Component::new(engine, bytes).map_err(|error| {
        wasmtime::Error::msg(format!("{name} is not a valid WebAssembly component: {}", in_one_line(&error)))
    })
}

/// Links a component's imports with the interfaces that uv-run provides.
pub fn link(engine: &Engine, component: &Component, file: &Path) -> Result<CommandPre<Guest>> {
    let instance = instance(engine, component, file, linker(engine)?)?;
    CommandPre::new(instance).map_err(|_| not_a_program(engine, component, file, "wasi:cli/run@0.2"))
}

/// The same for a plugin.
pub fn link_plugin(engine: &Engine, component: &Component, file: &Path) -> Result<InstancePre<Guest>> {
    instance(engine, component, file, linker(engine)?)
}

/// The same for a component with async functions.
pub fn link_async(engine: &Engine, component: &Component, file: &Path) -> Result<AsyncProgram> {
    let instance = instance(engine, component, file, async_linker(engine)?)?;
    AsyncProgram::new(instance)
        .map_err(|_| not_a_program(engine, component, file, "wasi:cli/run in version 0.2 or 0.3"))
}

/// The same for a component that answers HTTP requests.
pub fn link_service(engine: &Engine, component: &Component, file: &Path) -> Result<ServicePre<Guest>> {
    let instance = instance(engine, component, file, async_linker(engine)?)?;
    ServicePre::new(instance).map_err(|_| not_a_service(file))
}

/// The error of a component that `--serve` cannot use.
pub fn not_a_service(file: &Path) -> wasmtime::Error {
    let name = file.display();
    wasmtime::Error::msg(format!("{name} cannot be served: it does not export wasi:http/handler@0.3"))
}

/// A linker for components with async functions: WASI in both versions.
fn async_linker(engine: &Engine) -> Result<Linker<Guest>> {
    let mut linker = Linker::<Guest>::new(engine);
    uv_handles_host::add_to_linker_async(&mut linker)?;
    uv_handles_host::add_concurrent_to_linker(&mut linker)?;
    uv_handles_host::add_pollables_to_linker(&mut linker)?;
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    names::report_denied_lookups(&mut linker)?;
    names::report_denied_lookups_0_3(&mut linker)?;
    output::exit_when_stdout_is_closed_async(&mut linker)?;
    Ok(linker)
}

/// Links a component's imports.
fn instance(
    engine: &Engine,
    component: &Component,
    file: &Path,
    linker: Linker<Guest>,
) -> Result<InstancePre<Guest>> {
    let name = file.display();
    if let Some(problem) = imports::problem(engine, component) {
        bail!("{name} cannot be run: {problem}");
    }
    linker
        .instantiate_pre(component)
        .map_err(|error| wasmtime::Error::msg(format!("{name} cannot be run: {}", in_one_line(&error))))
}

/// The error of a component without the export that starts a program.
fn not_a_program(engine: &Engine, component: &Component, file: &Path, export: &str) -> wasmtime::Error {
    let name = file.display();
    let exports = |path| imports::exports(engine, component, path);
    if exports("wasi:http/handler") {
        return wasmtime::Error::msg(format!(
            "{name} answers HTTP requests: --serve ADDRESS:PORT says on which address"
        ));
    }
    let what = match exports("uv:handles/plugin-events") {
        true => "it is a plugin for an embedder (uv-run calls only those that export uv:handles/plugin-life)",
        false => "it is a library",
    };
    wasmtime::Error::msg(format!(
        "{name} cannot be run: it does not export {export}, so {what} and not a program"
    ))
}

fn linker(engine: &Engine) -> Result<Linker<Guest>> {
    let mut linker = Linker::<Guest>::new(engine);
    uv_handles_host::add_to_linker_sync(&mut linker)?;
    uv_handles_host::add_pollables_to_linker(&mut linker)?;
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker)?;
    names::report_denied_lookups(&mut linker)?;
    output::exit_when_stdout_is_closed(&mut linker)?;
    Ok(linker)
}

/// An error of wasmtime's and its causes as one line. It may contain names of the component.
fn in_one_line(error: &wasmtime::Error) -> String {
    shown::lines(format_args!("{error:#}")).join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("guest.wasm");
        std::fs::write(&file, bytes).unwrap();
        let refused = load_in_its_form(&file, false).and_then(|(engine, component, form)| match form {
            Form::Plain => link(&engine, &component, &file).map(drop),
            Form::Async => link_async(&engine, &component, &file).map(drop),
        });
        let error = format!("{:#}", refused.unwrap_err());
        assert!(error.starts_with(file.to_str().unwrap()) && !error.contains('\n'), "{error}");
        error
    }

    /// A component's header, and then its sections.
    fn component(sections: &[u8]) -> Vec<u8> {
        [b"\0asm\x0d\0\x01\0", sections].concat()
    }

    /// A component that imports an empty instance under this name.
    fn importing(name: &str) -> Vec<u8> {
        // Type section: one instance type without declarations. Import section: it, by name.
        let import = [&[1, 0, name.len() as u8], name.as_bytes(), &[5, 0]].concat();
        component(&[&[7, 3, 1, 0x42, 0, 10, import.len() as u8], &import[..]].concat())
    }

    #[test]
    fn what_is_no_component_is_refused_in_one_sentence() {
        for (bytes, expected) in [
            (&b""[..], "too short"),
            (b"\0asm", "not a valid WebAssembly component"),
            (b"#!/bin/sh\n", "it is not WebAssembly"),
            (b"\0asm\x01\0\0\0", "it is a core module"),
            (b"  (component)", "text format"),
            (b"\0asm\x0d\0\x01\0\xff\xff", "not a valid WebAssembly component"),
        ] {
            let error = refused(bytes);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn what_can_not_be_linked_is_refused_in_one_sentence() {
        for (bytes, expected) in [
            (component(&[]), "does not export wasi:cli/run@0.2, so it is a library"),
            (importing("acme:rockets/launch@1.0.0"), "it imports acme:rockets/launch@1.0.0, which"),
            (
                importing("uv:handles/timer@0.9.0"),
                "imports uv:handles/timer@0.9.0, and this uv-run has uv:handles",
            ),
            (importing("wasi:cli/stdout@0.4.0"), "imports wasi:cli/stdout@0.4.0, and this uv-run has wasi"),
        ] {
            let error = refused(&bytes);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_examples_can_be_run() {
        let guests =
            std::env::var_os("UV_HANDLES_GUESTS").expect("`cargo xtask test` says where the guests are");
        let link_form = |guest: &str| {
            let file = Path::new(&guests).join(guest);
            let (engine, component, form) = load_in_its_form(&file, false).unwrap();
            match form {
                Form::Plain => link(&engine, &component, &file).map(drop).unwrap(),
                Form::Async => link_async(&engine, &component, &file).map(drop).unwrap(),
            }
            form
        };
        assert_eq!(link_form("first-timer.wasm"), Form::Plain);
        assert_eq!(link_form("async-program-guest.wasm"), Form::Async);
    }

    #[test]
    fn a_library_with_async_functions_is_refused_in_one_sentence() {
        let guests =
            std::env::var_os("UV_HANDLES_GUESTS").expect("`cargo xtask test` says where the guests are");
        let file = Path::new(&guests).join("async-guest.wasm");
        let (engine, component, form) = load_in_its_form(&file, false).unwrap();
        assert_eq!(form, Form::Async);
        let error = link_async(&engine, &component, &file).map(drop).unwrap_err().to_string();
        assert!(error.contains("does not export wasi:cli/run in version 0.2 or 0.3, so"), "{error}");
    }
}
