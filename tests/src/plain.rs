//! A runtime without `uv:handles`: wasmtime with wasmtime-wasi's own linker. Composed guests run on
//! it, in virtual time if requested: then WASI's monotonic clock stands still except while it is
//! waited for.

use crate::compiled::Once;
use crate::guest::{Running, start};
use crate::{Case, component, guest_file, os};
use std::fs::File;
use std::io::PipeReader;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use uv_handles_host::VirtualClock;
use wasmtime::component::{Component, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::cli::InputFile;
use wasmtime_wasi::p2::bindings::sync::CommandPre;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// The interface, in the version of wasmtime-wasi; guests that import another 0.2 get it as well.
const CLOCK: &str = "wasi:clocks/monotonic-clock@0.2.12";

const NANOSECONDS: u64 = 1_000_000;

/// The component of a guest, composed with the adapter that its program needs.
///
/// # Panics
///
/// If it has not been composed.
pub fn composed(guest: Case) -> PathBuf {
    composed_whole(guest).unwrap_or_else(|| guest_file(&format!("composed/partial/{}", guest.component())))
}

/// The same, if the adapter has everything that the program imports.
pub fn composed_whole(guest: Case) -> Option<PathBuf> {
    let file = component(guest).with_file_name("composed").join(format!("{}.wasm", guest.component()));
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

/// A moment of the virtual clock. A wait for it lets the time pass.
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

struct PlainState {
    wasi: WasiCtx,
    table: ResourceTable,
    clock: VirtualClock,
}

impl WasiView for PlainState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl PlainView for PlainState {
    fn clock(&self) -> &VirtualClock {
        &self.clock
    }
}

/// The time that a component gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// wasmtime-wasi's own clock.
    Real,
    /// One that jumps.
    Virtual,
}

/// Compiles a component, once in a process: all cases of a program share it.
fn compiled(file: &Path) -> Component {
    static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::default);
    static COMPILED: Once<PathBuf, Component> = Once::new();
    COMPILED.get(file.to_owned(), || {
        Component::from_file(&ENGINE, file).unwrap_or_else(|error| panic!("{}: {error:?}", file.display()))
    })
}

/// A program that is to be run on the plain runtime. It may use the network, and its standard input
/// is empty.
#[allow(missing_debug_implementations, reason = "WasiCtxBuilder has none")]
pub struct Plain {
    file: PathBuf,
    time: Time,
    wasi: WasiCtxBuilder,
}

impl Plain {
    /// The program in this file, in real time.
    pub fn new(file: &Path) -> Plain {
        let mut wasi = WasiCtx::builder();
        wasi.allow_blocking_current_thread(true).arg("program");
        wasi.inherit_network().allow_tcp(true).allow_ip_name_lookup(true);
        Plain { file: file.to_owned(), time: Time::Real, wasi }
    }

    /// A guest, composed with the adapter, in real time.
    ///
    /// # Panics
    ///
    /// If it has not been composed.
    pub fn composed(guest: impl Into<Case>) -> Plain {
        let guest = guest.into();
        guest.args().fold(Plain::new(&composed(guest)), |plain, arg| plain.arg(arg))
    }

    /// Sets which time it gets.
    pub fn time(mut self, time: Time) -> Plain {
        self.time = time;
        self
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<str>) -> Plain {
        self.wasi.arg(arg);
        self
    }

    /// Adds a variable.
    pub fn env(mut self, name: &str, value: &str) -> Plain {
        self.wasi.env(name, value);
        self
    }

    /// Sets the variable that the adapter reads.
    pub fn grants(self, grants: &str) -> Plain {
        self.env("UV_HANDLES_GRANTS", grants)
    }

    /// Gives it the reading end of a pipe as its standard input.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn stdin_pipe(mut self, pipe: PipeReader) -> Plain {
        self.wasi.stdin(os::stdin(pipe));
        self
    }

    /// Gives it a file as its standard input.
    pub fn stdin_file(mut self, file: File) -> Plain {
        self.wasi.stdin(InputFile::new(file));
        self
    }

    /// Takes the network away.
    pub fn without_network(mut self) -> Plain {
        self.wasi.allow_tcp(false).allow_ip_name_lookup(false);
        self
    }

    /// Starts it on a thread of its own.
    ///
    /// # Panics
    ///
    /// If it imports more than WASI.
    pub fn spawn(mut self) -> Running {
        let prepare = || -> wasmtime::Result<CommandPre<PlainState>> {
            let component = compiled(&self.file);
            let mut linker = Linker::new(component.engine());
            wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
            if self.time == Time::Virtual {
                virtual_time(&mut linker)?;
            }
            CommandPre::new(linker.instantiate_pre(&component)?)
        };
        let pre = prepare().unwrap_or_else(|error| panic!("{}: {error:?}", self.file.display()));
        start(self.file.display().to_string(), |stdout, stderr| {
            let wasi = self.wasi.stdout(stdout).stderr(stderr).build();
            let state = PlainState { wasi, table: ResourceTable::new(), clock: VirtualClock::new() };
            move || {
                let mut store = Store::new(pre.engine(), state);
                pre.instantiate(&mut store)?.wasi_cli_run().call_run(&mut store)
            }
        })
    }

    /// Runs it to its end, and gives the lines that it printed.
    ///
    /// # Panics
    ///
    /// If it does not end, or does not end with success.
    pub fn run(self) -> Vec<String> {
        self.spawn().wait().succeeded()
    }
}
