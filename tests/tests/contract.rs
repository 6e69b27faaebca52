//! Guests that were compiled against 0.2.0 of the WIT package run, unchanged, under this host.
//!
//! The worlds of their exports lie beside them, as they were when the guests were compiled.

use std::path::{Path, PathBuf};
use uv_handles_host::{UvCtx, is_plugin};
use uv_handles_tests::plugins::config;
use uv_handles_tests::{PATIENCE, State, linker};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine, Result, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::bindings::sync::CommandPre;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

mod concurrent {
    #![allow(missing_docs, missing_debug_implementations, reason = "generated code")]

    wasmtime::component::bindgen!({
        path: "contract/0.2.0/async.wit",
        world: "guest",
        exports: { default: async | store },
    });
}

mod plugin {
    #![allow(missing_docs, missing_debug_implementations, reason = "generated code")]

    wasmtime::component::bindgen!({ path: "contract/0.2.0/plugin.wit", world: "plugin" });
}

/// The cases of program.wasm, all of them but the one in real time.
const CASES: [&str; 20] = [
    "a_day_passes_at_once",
    "again",
    "again_puts_off_the_deadline",
    "due_batch",
    "due_in_a_run_once",
    "huge_repeat_is_not_called_again",
    "huge_timeout_does_not_hold_up_others",
    "is_called_once_after_a_delay",
    "limits_of_time",
    "made_ahead",
    "new_is_not_active",
    "once",
    "once_repeating_and_stopped",
    "repeat",
    "set_repeat",
    "start_order",
    "start_while_closing_is_refused",
    "started_in_check",
    "started_twice_is_called_once",
    "zero_timeout_waits_for_the_next_phase",
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contract/0.2.0").join(name)
}

fn sync_engine() -> Result<Engine> {
    let mut config = Config::new();
    config.concurrency_support(false);
    Engine::new(&config)
}

fn prepared(engine: &Engine, name: &str) -> Result<InstancePre<State>> {
    linker(engine)?.instantiate_pre(&Component::from_file(engine, file(name))?)
}

/// Runs a program in virtual time, and returns what it has printed.
fn run(pre: InstancePre<State>, args: &[&str]) -> Result<String> {
    let output = MemoryOutputPipe::new(1 << 20);
    let wasi = WasiCtx::builder().arg("guest").args(args).stdout(output.clone()).inherit_stderr().build();
    let uv = UvCtx::builder().virtual_time(true).build();
    let mut store = Store::new(pre.engine(), State::new(uv, wasi));
    let command = CommandPre::new(pre)?.instantiate(&mut store)?;
    command.wasi_cli_run().call_run(&mut store)?.expect("the guest reports success");
    drop(store);
    Ok(String::from_utf8_lossy(&output.contents()).into_owned())
}

#[test]
fn a_program_of_0_2_0_runs() -> Result<()> {
    let pre = prepared(&sync_engine()?, "program.wasm")?;
    CASES.iter().try_for_each(|case| run(pre.clone(), &[case]).map(drop))
}

#[test]
fn a_program_without_sdk_of_0_2_0_runs() -> Result<()> {
    let pre = prepared(&sync_engine()?, "bare.wasm")?;
    assert_eq!(run(pre, &[])?, "tick 1\ntick 2\ntick 3\nclosed\n");
    Ok(())
}

#[test]
fn a_plugin_of_0_2_0_runs() -> Result<()> {
    let engine = Engine::new(&config())?;
    let pre = prepared(&engine, "plugin.wasm")?;
    assert!(is_plugin(pre.component()));
    let uv = UvCtx::builder().virtual_time(true).build();
    let mut store = Store::new(&engine, State::new(uv, WasiCtx::builder().build()));
    uv_handles_host::interrupt_by_epochs_sync(&mut store);
    let mut set = uv_handles_host::PluginSet::new()?;
    let (id, instance) = set.instantiate(store, &pre)?;
    let exports = plugin::Plugin::new(set.store(id).expect("it was added"), &instance)?;
    exports.call_tick(set.store(id).expect("it was added"), 1_000)?;
    let mut lines = Vec::new();
    while lines.len() < 2 {
        assert!(set.turn(Some(PATIENCE))?.ended.is_empty());
        lines.extend(exports.call_lines(set.store(id).expect("it goes on"))?);
    }
    assert_eq!(lines[..2], ["tick 1", "tick 2"]);
    Ok(())
}

#[tokio::test]
async fn a_component_with_async_exports_of_0_2_0_runs() -> Result<()> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config)?;
    let component = Component::from_file(&engine, file("async.wasm"))?;
    let mut linker = Linker::<State>::new(&engine);
    uv_handles_host::add_to_linker_async(&mut linker)?;
    uv_handles_host::add_concurrent_to_linker(&mut linker)?;
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    let state = State::new(UvCtx::builder().build(), WasiCtx::builder().build());
    let mut store = Store::new(&engine, state);
    let guest = concurrent::Guest::instantiate_async(&mut store, &component, &linker).await?;
    let order = store.run_concurrent(async |store| guest.call_timers(store, vec![3, 1, 2]).await).await??;
    assert_eq!(order, [1, 2, 3]);
    Ok(())
}
