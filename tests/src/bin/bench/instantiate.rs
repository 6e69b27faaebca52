//! The cost of an instance: made and dropped with its store and its contexts, without a call.

use crate::program::bindings::Guest;
use crate::program::run::wasi;
use uv_handles_bench::Session;
use uv_handles_host::{UvCtx, interrupt_by_epochs_sync};
use uv_handles_tests::{State, linker, wasi_linker};
use wasmtime::component::{Component, HasSelf};
use wasmtime::{Result, Store};

/// Makes this many instances, one after the other, and prints the report.
pub fn run(component: &Component, with_uv: bool, times: u64) -> Result<()> {
    let engine = component.engine();
    let mut linker = if with_uv { linker(engine)? } else { wasi_linker(engine)? };
    Guest::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    let pre = linker.instantiate_pre(component)?;
    // An embedder without the interfaces makes no contexts, so these are made before the
    // measurement.
    let mut others: Vec<UvCtx> =
        (0..if with_uv { 0 } else { times }).map(|_| UvCtx::builder().build()).collect();

    let mut session = Session::new();
    session.begin();
    for _ in 0..times {
        let uv = others.pop().unwrap_or_else(|| UvCtx::builder().build());
        let mut store = Store::new(engine, State::new(uv, wasi(&[])));
        if with_uv {
            interrupt_by_epochs_sync(&mut store);
        } else {
            store.set_epoch_deadline(1);
        }
        pre.instantiate(&mut store)?;
        session.count("operations", 1);
    }
    session.end();
    println!("{}", session.finish());
    Ok(())
}
