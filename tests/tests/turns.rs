//! Turns: guests that never rest let the other tasks of their thread run.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use uv_handles_host::UvCtx;
use uv_handles_tests::os::stream_pair;
use uv_handles_tests::plugins::{in_time, virtual_plugin};
use uv_handles_tests::*;
use wasmtime::component::Component;
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

foreach_turns!(assert_test_exists);

/// A program in a task of a runtime with one thread. What it reads comes from another task.
#[tokio::test]
async fn turns_never_rest() -> Result<()> {
    let engine = Engine::default();
    let component = Component::from_file(&engine, component(TURNS_NEVER_REST))?;
    let linker = async_linker(&engine)?;
    for virtual_time in [false, true] {
        for reason in ["idle", "timer", "async", "ready"] {
            let (ours, theirs) = stream_pair();
            let (mut never_read, ready) = stream_pair();
            never_read.write_all(b"x")?;
            let peer = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                (&ours).write_all(b"ping").expect("the guest reads");
                ours
            });
            let mut uv = UvCtx::builder();
            uv.descriptor("peer", theirs)?.descriptor("ready", ready)?.virtual_time(virtual_time);
            let stdout = MemoryOutputPipe::new(4096);
            let wasi = WasiCtx::builder().stdout(stdout.clone()).args(&["guest", reason]).build();
            let mut store = Store::new(&engine, State::new(uv.build(), wasi));
            let program = Command::instantiate_async(&mut store, &component, &linker).await?;
            let ended = program.wasi_cli_run().call_run(&mut store).await?;
            assert_eq!(ended, Ok(()));
            assert_eq!(stdout.contents(), "read ping\n", "{reason}, virtual time: {virtual_time}");
            drop(in_time(peer).await);
        }
    }
    Ok(())
}

/// The embedder drives the plugin itself, without a task that yields for it.
#[tokio::test]
async fn a_plugin_that_never_rests_yields_between_dispatches_too() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    exports.call_spin(plugin.store()).await?;
    let turns = Arc::new(AtomicU64::new(0));
    let counted = turns.clone();
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let mut callbacks = 0;
    while callbacks < 64 * 20 {
        plugin.ready().await?;
        callbacks += plugin.dispatch().await?.callbacks;
    }
    other.abort();
    let turns = turns.load(Ordering::Relaxed);
    assert!(turns >= 20, "{turns} turns beside {callbacks} callbacks");
    Ok(())
}
