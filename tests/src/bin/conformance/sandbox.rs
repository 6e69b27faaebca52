//! The third side: a guest that interprets programs through the SDK, in a fresh instance for each.

use crate::program::bindings;
use crate::program::outside::Outside;
use uv_handles_conformance_program::{Outcome, Program};
use uv_handles_host::{UvCtx, UvCtxView, UvView};
use uv_handles_tests::component;
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The guest, compiled and linked.
pub struct Sandbox {
    guest: bindings::InterpreterPre<State>,
}

impl Sandbox {
    pub fn new() -> Sandbox {
        let link = || -> wasmtime::Result<bindings::InterpreterPre<State>> {
            let mut config = Config::new();
            config.concurrency_support(false);
            let engine = Engine::new(&config)?;
            let component = Component::from_file(&engine, component("conformance-guest"))?;
            let mut linker = Linker::new(&engine);
            uv_handles_host::add_to_linker_sync(&mut linker)?;
            wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
            bindings::Interpreter::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
            bindings::InterpreterPre::new(linker.instantiate_pre(&component)?)
        };
        Sandbox { guest: link().unwrap_or_else(|error| panic!("the guest cannot be used: {error:?}")) }
    }

    /// Runs a program.
    pub fn run(&self, program: &Program) -> Outcome {
        let outside = Outside::new(program);
        let (uv, _waits) = outside.grant(program);
        let wasi = WasiCtx::builder().inherit_stderr().build();
        let state = State { uv, wasi, table: ResourceTable::new(), outside };
        let mut store = Store::new(self.guest.engine(), state);
        let run = self.guest.instantiate(&mut store).and_then(|guest| {
            let trace = guest.call_interpret(&mut store, &program.to_string())?;
            trace.map_err(wasmtime::Error::msg)
        });
        let trace = run.unwrap_or_else(|error| vec![format!("the guest fails: {error:?}")]);
        Outcome { trace, ..Outcome::default() }
    }
}

struct State {
    uv: UvCtx,
    wasi: WasiCtx,
    table: ResourceTable,
    outside: Outside,
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

impl bindings::uv_conformance::guest::control::Host for State {
    fn step(&mut self, step: String) -> String {
        self.outside.perform(&step)
    }
}
