//! The example `batcher`: a component with a world of its own, called by its embedder again and
//! again.

// A pipe is granted.
#![cfg(unix)]

use std::io::Write;
use uv_handles_host::UvCtx;
use uv_handles_tests::{State, component, linker};
use wasmtime::component::Component;
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::WasiCtx;

mod bindings {
    wasmtime::component::bindgen!({ path: "../examples/batcher/wit", world: "batcher" });
}

fn batcher(uv: UvCtx) -> Result<(Store<State>, bindings::Batcher)> {
    let engine = Engine::default();
    let linker = linker(&engine)?;
    let component = Component::from_file(&engine, component("batcher"))?;
    let mut store = Store::new(&engine, State::new(uv, WasiCtx::builder().build()));
    let batcher = bindings::Batcher::instantiate(&mut store, &component, &linker)?;
    Ok((store, batcher))
}

#[test]
fn batches_are_full_or_their_window_has_passed() -> Result<()> {
    let (read, mut write) = std::io::pipe()?;
    let mut uv = UvCtx::builder();
    uv.descriptor("input", read)?.virtual_time(true);
    let (mut store, batcher) = batcher(uv.build())?;
    let mut next = |max, window| batcher.call_next_batch(&mut store, max, window);

    write.write_all(b"one\ntwo\nthree\nfour\nfi")?;
    assert_eq!(next(3, 1_000)?, Ok(vec!["one".into(), "two".into(), "three".into()]));
    // In virtual time the window passes as soon as no more input is there.
    assert_eq!(next(3, 1_000)?, Ok(vec!["four".into()]));
    write.write_all(b"ve\nsix")?;
    drop(write);
    assert_eq!(next(9, 1_000)?, Ok(vec!["five".into(), "six".into()]));
    assert_eq!(next(9, 1_000)?, Ok(vec![]));
    Ok(())
}

#[test]
fn without_its_input_it_says_so() -> Result<()> {
    let (mut store, batcher) = batcher(UvCtx::builder().build())?;
    let error = batcher.call_next_batch(&mut store, 1, 1)?.unwrap_err();
    assert!(error.contains("ENOENT"), "{error}");
    Ok(())
}
