//! `uv-run`: runs a guest from the command line, with what the command line grants.

mod cli;

use clap::Parser;
use cli::Cli;
use std::io::IsTerminal;
use std::net::TcpListener;
use std::process::ExitCode;
use uv_handles_host::{UvCtx, UvCtxView, UvView};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::error::Context;
use wasmtime::{Config, Engine, Result, Store, bail};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxView, WasiView};

/// A wrong command line (clap's own), or a component that can not be used.
const UNUSABLE: u8 = 2;

struct Guest {
    uv: UvCtx,
    wasi: WasiCtx,
    table: ResourceTable,
}

impl UvView for Guest {
    fn uv(&mut self) -> UvCtxView<'_> {
        UvCtxView { ctx: &mut self.uv }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let (mut store, command) = match prepare(&cli) {
        Ok(prepared) => prepared,
        Err(error) => {
            eprintln!("uv-run: {error:#}");
            return ExitCode::from(UNUSABLE);
        }
    };
    let result = command.wasi_cli_run().call_run(&mut store);
    match result {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(())) => ExitCode::FAILURE,
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(code)) => ExitCode::from(u8::try_from(*code).unwrap_or(1)),
            None => {
                eprintln!("uv-run: the guest trapped: {error:?}");
                ExitCode::FAILURE
            }
        },
    }
}

/// Everything up to the guest's first instruction.
fn prepare(cli: &Cli) -> Result<(Store<Guest>, Command)> {
    let mut config = Config::new();
    // Guests of uv:handles use no component-model async, and calls are three times cheaper without.
    config.concurrency_support(false);
    let engine = Engine::new(&config)?;
    let name = cli.file().display();
    let bytes = std::fs::read(cli.file()).with_context(|| format!("{name} can not be read"))?;
    check_format(&bytes).with_context(|| format!("{name} can not be run"))?;
    let component = Component::new(&engine, bytes)
        .with_context(|| format!("{name} is not a WebAssembly component that can be used"))?;

    let mut linker = Linker::<Guest>::new(&engine);
    uv_handles_host::add_to_linker_sync(&mut linker)?;
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let instance = linker
        .instantiate_pre(&component)
        .with_context(|| format!("{name} imports something that uv-run does not have"))?;

    let guest = Guest { uv: grants(cli)?, wasi: wasi(cli), table: ResourceTable::new() };
    let mut store = Store::new(&engine, guest);
    let pre = wasmtime_wasi::p2::bindings::sync::CommandPre::new(instance)
        .with_context(|| format!("{name} is not a program (it does not export wasi:cli/run)"))?;
    let command = pre.instantiate(&mut store)?;
    Ok((store, command))
}

/// Refuses in one sentence what wasmtime would refuse in several lines.
fn check_format(bytes: &[u8]) -> Result<()> {
    let Some((magic, rest)) = bytes.split_first_chunk() else {
        bail!("it is too short to be WebAssembly");
    };
    if magic != b"\0asm" {
        bail!("it is not WebAssembly");
    }
    // The header's last two bytes tell a component (1) from a core module (0).
    if rest.get(2..4) == Some(&[0, 0]) {
        bail!("it is a core module, not a component: build it for wasm32-wasip2");
    }
    Ok(())
}

/// What the command line grants.
fn grants(cli: &Cli) -> Result<UvCtx> {
    let mut uv = UvCtx::builder();
    for listen in &cli.listen {
        let refused = || format!("--listen {}={}", listen.name, listen.address);
        let socket = TcpListener::bind(listen.address).with_context(refused)?;
        eprintln!("uv-run: {} listens on {}", listen.name, socket.local_addr().with_context(refused)?);
        uv.descriptor(&listen.name, socket).with_context(refused)?;
    }
    if cli.stdin {
        uv.stdin("stdin", std::io::stdin()).context("--stdin: standard input can not be used")?;
    }
    for &signum in &cli.signal {
        uv.signal(signum);
    }
    Ok(uv.build())
}

/// The part of WASI that every program gets: where to print, and its arguments.
fn wasi(cli: &Cli) -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    wasi.inherit_stdout().inherit_stderr();
    // The guest has this thread to itself: what it prints may block it.
    wasi.allow_blocking_current_thread(true);
    wasi.args(cli.args());
    wasi.build()
}
