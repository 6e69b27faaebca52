//! A runtime that knows nothing of `uv:handles`: wasmtime with wasmtime-wasi's own linker. Composed guests run
//! on it, if wanted in virtual time: then WASI's monotonic clock stands still except when it is waited for.

use crate::{End, PATIENCE};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use uv_handles_host::VirtualClock;
use wasmtime::component::{Component, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The interface, in the version of wasmtime-wasi; guests that import another 0.2 get it as well.
const CLOCK: &str = "wasi:clocks/monotonic-clock@0.2.12";

const NANOSECONDS: u64 = 1_000_000;

/// The component of a guest that has been composed with the adapter, if that left nothing out that it uses.
pub fn composed(name: &str) -> Option<PathBuf> {
    let file = crate::component(name).with_file_name("composed").join(format!("{name}.wasm"));
    file.is_file().then_some(file)
}

/// Where WASI's part of a store's data is, and its clock.
pub trait PlainView: WasiView {
    /// The clock that [`virtual_time`] shows.
    fn clock(&self) -> &VirtualClock;
}

/// Replaces WASI's monotonic clock by the virtual one.
///
/// # Errors
///
/// wasmtime's, if the linker has no such clock.
pub fn virtual_time<T: PlainView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut instance = linker.instance(CLOCK)?;
    instance.func_wrap("now", |store: StoreContextMut<'_, T>, (): ()| {
        Ok((store.data().clock().now().saturating_mul(NANOSECONDS),))
    })?;
    instance.func_wrap("subscribe-instant", |mut store: StoreContextMut<'_, T>, (when,): (u64,)| {
        let clock = store.data().clock().clone();
        let table = store.data_mut().ctx().table;
        let deadline = table.push(Deadline { clock, when: when.div_ceil(NANOSECONDS) })?;
        Ok((subscribe(table, deadline)?,)) as wasmtime::Result<(Resource<DynPollable>,)>
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// A moment of the virtual clock. Waiting for it lets the time pass.
struct Deadline {
    clock: VirtualClock,
    /// In milliseconds.
    when: u64,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Deadline {
    async fn ready(&mut self) {
        self.clock.advance(self.when.saturating_sub(self.clock.now()));
    }
}

struct Plain {
    wasi: WasiCtx,
    table: ResourceTable,
    clock: VirtualClock,
}

impl WasiView for Plain {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl PlainView for Plain {
    fn clock(&self) -> &VirtualClock {
        &self.clock
    }
}

/// Which time a component gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// wasmtime-wasi's own clock.
    Real,
    /// One that jumps.
    Virtual,
}

/// Runs a program on the plain runtime to its end, with these environment variables, and gives the lines that it
/// printed.
///
/// # Panics
///
/// If it imports more than WASI, does not end, or does not end with success.
pub fn run_plain(file: &Path, time: Time, env: &[(&str, &str)]) -> Vec<String> {
    let (stdout, stderr) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
    let mut wasi = WasiCtx::builder();
    wasi.envs(env).stdout(stdout.clone()).stderr(stderr.clone()).allow_blocking_current_thread(true);
    let state = Plain { wasi: wasi.build(), table: ResourceTable::new(), clock: VirtualClock::new() };
    let run = {
        let file = file.to_owned();
        move || -> wasmtime::Result<Result<(), ()>> {
            let engine = Engine::default();
            let component = Component::from_file(&engine, file)?;
            let mut linker = Linker::new(&engine);
            wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
            if time == Time::Virtual {
                virtual_time(&mut linker)?;
            }
            let mut store = Store::new(&engine, state);
            let command = Command::instantiate(&mut store, &component, &linker)?;
            command.wasi_cli_run().call_run(&mut store)
        }
    };
    let (send, end) = mpsc::channel();
    std::thread::spawn(move || drop(send.send(End::from(run()))));
    let end = end.recv_timeout(PATIENCE);
    let text = |pipe: &MemoryOutputPipe| String::from_utf8_lossy(&pipe.contents()).into_owned();
    let report = format!("{}\nstdout: {}\nstderr: {}", file.display(), text(&stdout), text(&stderr));
    match end {
        Ok(End::Success) => text(&stdout).lines().map(str::to_owned).collect(),
        Ok(end) => panic!("{}\n{report}", end.summary()),
        Err(_) => panic!("it does not end\n{report}"),
    }
}
