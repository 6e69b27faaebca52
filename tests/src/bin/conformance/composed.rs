//! The fourth side: the same guest composed with the adapter, on a runtime that has WASI only, in
//! virtual time. It runs the programs that use only features of a composition.

use crate::program::bindings;
use crate::program::outside::Outside;
use uv_handles_conformance_program::{Kind, Outcome, Program};
use uv_handles_host::VirtualClock;
use uv_handles_tests::plain::{PlainView, virtual_time};
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The composition, compiled and linked.
pub struct Composed {
    guest: bindings::InterpreterPre<State>,
}

impl Composed {
    pub fn new() -> Composed {
        // The guest imports everything, so its composition is one with missing features.
        let file = uv_handles_tests::component("conformance-guest");
        let file = file.with_file_name("composed/partial/conformance-guest.wasm");
        let link = || -> wasmtime::Result<bindings::InterpreterPre<State>> {
            let mut config = Config::new();
            config.concurrency_support(false);
            let engine = Engine::new(&config)?;
            let component = Component::from_file(&engine, file)?;
            let mut linker = Linker::new(&engine);
            wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
            virtual_time(&mut linker)?;
            bindings::Interpreter::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
            bindings::InterpreterPre::new(linker.instantiate_pre(&component)?)
        };
        Composed { guest: link().unwrap_or_else(|error| panic!("the composition cannot be used: {error:?}")) }
    }

    /// Runs a program: one without descriptors and signals, and with timers as guards, because
    /// nothing outside of a composition can end a wait in it.
    pub fn run(&self, program: &Program) -> Option<Outcome> {
        let unknown = |kind: Kind| matches!(kind, Kind::Poll | Kind::Signal);
        if !program.guarded || program.handles.iter().any(|handle| unknown(handle.kind)) {
            return None;
        }
        let state = State {
            wasi: WasiCtx::builder().inherit_stderr().build(),
            table: ResourceTable::new(),
            outside: Outside::new(program),
        };
        let mut store = Store::new(self.guest.engine(), state);
        let run = self.guest.instantiate(&mut store).and_then(|guest| {
            let trace = guest.call_interpret(&mut store, &program.to_string())?;
            trace.map_err(wasmtime::Error::msg)
        });
        let trace = run.unwrap_or_else(|error| vec![format!("the guest fails: {error:?}")]);
        Some(Outcome { trace, ..Outcome::default() })
    }
}

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    outside: Outside,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl PlainView for State {
    fn clock(&self) -> &VirtualClock {
        self.outside.clock()
    }
}

impl bindings::uv_conformance::guest::control::Host for State {
    fn step(&mut self, step: String) -> String {
        self.outside.perform(&step)
    }
}
