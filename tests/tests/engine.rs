//! The engine for very many guests with little memory each.

use uv_handles_host::{PluginSet, UvCtx, dense_engine_config, interrupt_by_epochs_sync};
use uv_handles_tests::plugins::SyncPlugins;
use uv_handles_tests::{HOSTILE_MEMORY, PATIENCE, State, component, linker};
use wasmtime::component::Component;
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

const MIB: u64 = 1 << 20;

#[test]
fn plugins_of_little_memory_stand_side_by_side() -> Result<()> {
    let plugins = SyncPlugins::with(&dense_engine_config(20, 2 * MIB))?;
    let mut set = PluginSet::new()?;
    let mut all = Vec::new();
    for _ in 0..20 {
        let (mut store, instance, exports) = plugins.instance(UvCtx::builder().plugin().build())?;
        exports.call_tick(&mut store, 1)?;
        all.push((set.add(store, &instance)?, exports));
    }
    assert!(plugins.instance(UvCtx::builder().plugin().build()).is_err(), "there is room for 20");
    for (id, exports) in all {
        while exports.call_lines(set.store(id).expect("it is in the set"))?.is_empty() {
            assert!(set.turn(Some(PATIENCE))?.ended.is_empty());
        }
    }
    Ok(())
}

#[test]
fn a_guest_can_not_grow_beyond_its_memory() -> Result<()> {
    let engine = Engine::new(&dense_engine_config(1, 4 * MIB))?;
    let program = Component::from_file(&engine, component(HOSTILE_MEMORY))?;
    let stdout = MemoryOutputPipe::new(1 << 16);
    let mut wasi = WasiCtx::builder();
    wasi.stdout(stdout.clone()).arg(HOSTILE_MEMORY.component());
    wasi.args(&HOSTILE_MEMORY.args().collect::<Vec<_>>());
    let mut store = Store::new(&engine, State::new(UvCtx::builder().build(), wasi.build()));
    interrupt_by_epochs_sync(&mut store);
    let program = Command::instantiate(&mut store, &program, &linker(&engine)?)?;
    // An allocation that must succeed fails.
    program.wasi_cli_run().call_run(&mut store).unwrap_err();
    let printed = String::from_utf8_lossy(&stdout.contents()).into_owned();
    let [growing, taken, working] = printed.lines().collect::<Vec<_>>()[..] else { panic!("{printed}") };
    assert_eq!((growing, working), ("growing", "working"));
    let taken: u64 = taken.parse().expect("a number");
    assert!((MIB..4 * MIB).contains(&taken), "{taken}");
    Ok(())
}

#[test]
fn a_guest_that_needs_more_from_the_beginning_is_refused() -> Result<()> {
    // The guest's stack alone is that large.
    let Err(refused) = SyncPlugins::with(&dense_engine_config(1, MIB)) else { panic!("it fits") };
    assert!(format!("{refused:#}").contains("memory"), "{refused:?}");
    // Impossible sizes are clamped.
    for memory in [0, 1, MIB + 1, u64::MAX] {
        Engine::new(&dense_engine_config(1, memory))?;
    }
    Ok(())
}
