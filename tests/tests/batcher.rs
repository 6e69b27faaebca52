//! The example `batcher`: a component with a world of its own, called by its embedder again and again.

use std::io::Write;
use uv_handles_host::{UvCtx, UvCtxView, UvView};
use uv_handles_tests::component;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

mod bindings {
    wasmtime::component::bindgen!({ path: "../examples/batcher/wit", world: "batcher" });
}

struct State {
    uv: UvCtx,
    wasi: WasiCtx,
    table: ResourceTable,
}

impl UvView for State {
    fn uv(&mut self) -> UvCtxView<'_> {
        UvCtxView { ctx: &mut self.uv }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

fn batcher(uv: UvCtx) -> Result<(Store<State>, bindings::Batcher)> {
    let engine = Engine::default();
    let mut linker = Linker::<State>::new(&engine);
    uv_handles_host::add_to_linker_sync(&mut linker)?;
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let component = Component::from_file(&engine, component("batcher"))?;
    let state = State { uv, wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
    let mut store = Store::new(&engine, state);
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
    // In virtual time the window passes as soon as nothing more is there.
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
