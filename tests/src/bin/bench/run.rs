//! Runs one guest on this thread.

use crate::program::bindings::Guest;
use crate::program::outside::{grant, server};
use crate::program::{epochs, marks, number};
use uv_handles_bench::Session;
use uv_handles_host::{UvCtx, interrupt_by_epochs_sync};
use uv_handles_tests::{State, linker, wasi_linker};
use wasmtime::component::{Component, HasSelf};
use wasmtime::{Result, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::bindings::sync::Command;

/// Runs a guest with these arguments, on a linker with or without `uv:handles`, and prints the
/// report.
pub fn run(component: &Component, with_uv: bool, work: &[&str]) -> Result<()> {
    let engine = component.engine();
    let mut linker = if with_uv { linker(engine)? } else { wasi_linker(engine)? };
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker)?;
    Guest::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;

    let (mut uv, mut session) = (UvCtx::builder(), Session::new());
    let (name, numbers) = work.split_first().expect("the name of the work");
    let numbers: Vec<u64> = numbers.iter().map(|text| number(text)).collect();
    let url = server(&mut session, name, &numbers);
    let outside = with_uv.then(|| grant(&mut uv, &mut session, name, &numbers));
    marks::measure(session);
    let mut store = Store::new(engine, State::new(uv.build(), wasi_with(work, url)));
    store.set_max_component_handles(usize::MAX);
    interrupt_by_epochs_sync(&mut store);
    let _epochs = epochs(engine)?;
    let command = Command::instantiate(&mut store, component, &linker)?;
    command.wasi_cli_run().call_run(&mut store)?.expect("the guest ends with success");
    marks::report();
    drop(outside);
    Ok(())
}

/// A guest's WASI context: its arguments, and standard error for its failures.
pub fn wasi(args: &[&str]) -> WasiCtx {
    wasi_with(args, None)
}

/// The same with the URL of a server.
fn wasi_with(args: &[&str], url: Option<String>) -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    if let Some(url) = url {
        wasi.env("BENCH_URL", url);
    }
    wasi.inherit_stderr().allow_blocking_current_thread(true).arg("bench").args(args);
    wasi.build()
}
