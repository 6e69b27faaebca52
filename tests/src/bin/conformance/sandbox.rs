//! The third side: a guest that interprets programs through the SDK, in a fresh instance for each.

use crate::{bindings, wait};
use uv_handles_conformance::{Peers, raise};
use uv_handles_conformance_program::{Op, Outcome, Program, Source, script};
use uv_handles_host::{UvCtx, UvCtxView, UvView, VirtualClock};
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
        Sandbox { guest: link().unwrap_or_else(|error| panic!("the guest can not be used: {error:?}")) }
    }

    /// Carries out a program.
    pub fn run(&self, program: &Program) -> Outcome {
        let peers = Peers::new(program);
        let clock = VirtualClock::new();
        let mut uv = UvCtx::builder();
        uv.virtual_clock(&clock);
        let sources = (0..peers.len()).map(|pair| (format!("pair{pair}"), Source::Pair(pair)));
        for (name, source) in sources.chain([("file".to_owned(), Source::File)]) {
            let fd = peers.fd(source).try_clone_to_owned().expect("there are descriptors");
            uv.descriptor(name, fd).expect("it can be switched to non-blocking mode");
        }
        for signum in 1..=64 {
            uv.signal(signum);
        }
        let guards: Vec<_> = (0..program.loops).map(|owner| uv.wake_up(format!("guard{owner}"))).collect();
        let _waits = wait::controlled(move || {
            for guard in &guards {
                // Refused where the loop is closed.
                let _ = guard.send();
            }
        });
        let wasi = WasiCtx::builder().inherit_stderr().build();
        let state = State { uv: uv.build(), wasi, table: ResourceTable::new(), peers, clock };
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
    peers: Peers,
    clock: VirtualClock,
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
        match script::parse_step(&step) {
            Ok(Op::Source(pair, op)) => self.peers.perform(pair, op),
            Ok(Op::Raise(signum)) => raise(signum),
            Ok(Op::Burn(milliseconds)) => {
                self.clock.advance(milliseconds);
                "ok".into()
            }
            Ok(op) => format!("{op} is for the guest itself"),
            Err(error) => error,
        }
    }
}
