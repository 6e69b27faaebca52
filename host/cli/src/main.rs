//! `uv-run`: runs a guest from the command line, with the grants of its options.
//!
//! `cli` and `config` read the options, `grants` makes the grants, `component` loads the guest, and
//! this file combines them.

mod async_program;
mod cli;
mod component;
mod compose;
mod config;
mod denied;
mod ending;
mod grants;
mod guest;
mod hint;
mod imports;
mod names;
mod os;
mod output;
mod plugin;
mod precompiled;
mod script;
mod serve;
mod shared;
mod shown;
mod source;
mod stdio;
mod timeout;
mod values;
mod virtual_clock;
mod wake;

use async_program::AsyncProgram;
use clap::{CommandFactory, Parser};
use cli::{Cli, Options};
use component::Form;
use grants::Grants;
use guest::Guest;
use output::say;
use plugin::Plugin;
use script::Script;
use serve::Server;
use std::process::ExitCode;
use stdio::Standard;
use timeout::Timeout;
use tokio::runtime::{Builder, Runtime};
use uv_handles_host::{Limits, MemoryLimit};
use wasmtime::component::Instance;
use wasmtime::error::Context;
use wasmtime::{Engine, Result, Store, Trap, WasmBacktrace, bail};
use wasmtime_wasi::p2::bindings::sync::{Command, CommandPre};
use wasmtime_wasi_http::WasiHttpCtx;

/// A wrong command line (clap's own), or a component that cannot be used.
const UNUSABLE: u8 = 2;

/// --timeout has passed. The code of timeout(1).
const TIMED_OUT: u8 = 124;

/// Standard output is closed. A shell reports a death by SIGPIPE with the same code.
const STDOUT_CLOSED: u8 = 141;

/// Component handles that wasmtime allows beyond those of uv:handles: WASI's streams and files. The
/// number is wasmtime's own default limit for all handles.
const OTHER_HANDLES: usize = 100_000;

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            say(format!("{error:#}"));
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Carries out the command line. An error means that the guest has not started.
fn start() -> Result<ExitCode> {
    let mut cli = Cli::parse();
    if let Some(shell) = cli.completions {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "uv-run", &mut script);
        output::print(&String::from_utf8_lossy(&script));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(guest) = &cli.compose {
        return Err(compose::run(guest, &cli));
    }
    if let Some(file) = &cli.config {
        cli.options = cli.options.over(config::read(file)?);
    }
    hint::check_file(&cli)?;
    let script = Script::of(&mut cli)?;
    let options = &cli.options;
    let file = match &script {
        Some(script) => script.language().runtime(options)?,
        None => cli.file().to_owned(),
    };
    // While there is no other thread.
    let wake_signals = grants::wake_signals(options)?;
    log();
    hint::tell(&cli);

    let (engine, component, form) = match script {
        Some(_) => {
            let engine = component::engine(!options.no_cache, Form::Plain)?;
            let component = precompiled::load(&engine, &file, !options.no_cache)?;
            (engine, component, Form::Plain)
        }
        None => component::load_in_its_form(&file, !options.no_cache)?,
    };
    if cli.list_imports {
        output::print(&imports::list(&engine, &component));
        return Ok(ExitCode::SUCCESS);
    }
    let script = script.map(|script| script.in_runtime(&component, &file)).transpose()?;
    let program = match (form, script) {
        (Form::Async, _) => {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.context("waiting in tasks is not possible")?;
            match &options.serve {
                Some(address) => {
                    let service = component::link_service(&engine, &component, &file)?;
                    Program::Service(Server::listen(service, address, runtime)?)
                }
                None => Program::Async(component::link_async(&engine, &component, &file)?, runtime),
            }
        }
        (Form::Plain, _) if options.serve.is_some() => {
            return Err(component::not_a_service(&file));
        }
        (Form::Plain, None) if let Some(init) = plugin::init_of(&engine, &component) => {
            let linked = component::link_plugin(&engine, &component, &file)?;
            Program::Plugin(Plugin::new(linked, init, cli.args()))
        }
        (Form::Plain, script) => Program::Plain(component::link(&engine, &component, &file)?, script),
    };
    let Grants { uv, wasi, http, by_signal, control, files } =
        grants::make(options, cli.args(), program.script(), program.has_plugin())?;
    if !by_signal.is_empty() {
        wake::by_signals(wake_signals, by_signal)?;
    }
    if let Some((socket, senders)) = control {
        os::control::by_lines(socket, senders)?;
    }
    let timeout = match options.timeout {
        Some(limit) => {
            let (engine, interrupt, files) = (engine.clone(), uv.interrupt_handle(), files.clone());
            let stuck = move || {
                files.remove();
                std::process::exit(TIMED_OUT.into())
            };
            let timeout = Timeout::start(limit.0, engine, interrupt, stuck);
            Some(timeout.context("--timeout is not possible")?)
        }
        None => None,
    };
    let limit = options.max_memory.map_or(usize::MAX, |size| usize::try_from(size.0).unwrap_or(usize::MAX));
    let memory = MemoryLimit::new(limit);
    let guest = Guest {
        uv,
        wasi,
        http: WasiHttpCtx::new(),
        http_hooks: http,
        name_lookup: options.name_lookup,
        memory,
    };
    let code = run(&engine, &program, guest, options, timeout.as_ref());
    // Only after everything that the guest has written is out.
    drop(timeout);
    // Its thread may still have the files.
    files.remove();
    code
}

/// A linked guest, and how it is run.
enum Program {
    /// Blocks this thread. A script runs in the program.
    Plain(CommandPre<Guest>, Option<script::Ready>),
    /// The host runs its loops.
    Plugin(Plugin),
    /// Its tasks wait in a tokio runtime.
    Async(AsyncProgram, Runtime),
    /// Answers HTTP requests.
    Service(Server),
}

impl Program {
    /// The script that is run.
    fn script(&self) -> Option<&Script> {
        match self {
            Program::Plain(_, script) => script.as_ref().map(script::Ready::script),
            Program::Plugin(_) | Program::Async(..) | Program::Service(_) => None,
        }
    }

    /// Whether the host runs the guest's loops.
    fn has_plugin(&self) -> bool {
        match self {
            Program::Plugin(_) => true,
            Program::Service(server) => server.has_plugin(),
            Program::Plain(..) | Program::Async(..) => false,
        }
    }

    fn instantiate(&self, store: &mut Store<Guest>) -> Result<Instance> {
        match self {
            Program::Plain(program, _) => program.instance_pre().instantiate(store),
            Program::Plugin(plugin) => plugin.pre.instantiate(store),
            Program::Async(program, runtime) => runtime.block_on(program.instantiate(store)),
            Program::Service(server) => server.instantiate(store),
        }
    }

    /// Runs the guest to its end, and returns its exit code.
    fn run(
        &self,
        mut store: Store<Guest>,
        instance: &Instance,
        timeout: Option<&Timeout>,
    ) -> Result<ExitCode> {
        let code = |result: Result<(), ()>| u8::from(result.is_err());
        let ended = match self {
            Program::Service(server) => return server.run(store, instance, timeout),
            Program::Plugin(plugin) => return plugin.run(store, instance, timeout),
            Program::Plain(_, Some(script)) => script.run(&mut store, instance),
            Program::Plain(_, None) => Command::new(&mut store, instance)
                .and_then(|command| command.wasi_cli_run().call_run(&mut store))
                .map(code),
            Program::Async(program, runtime) => runtime.block_on(program.run(&mut store, instance)).map(code),
        };
        Ok(match ended {
            Ok(code) => ExitCode::from(code),
            Err(error) => ending::report(&error, &store, timeout),
        })
    }
}

/// Runs the guest, and releases all that it had.
fn run(
    engine: &Engine,
    program: &Program,
    guest: Guest,
    options: &Options,
    timeout: Option<&Timeout>,
) -> Result<ExitCode> {
    let mut store = Store::new(engine, guest);
    store.set_epoch_deadline(1);
    store.limiter(|guest| &mut guest.memory);
    store.set_max_component_handles(max_component_handles(options));
    let instance = match program.instantiate(&mut store) {
        Ok(instance) => instance,
        // Code of the guest runs already here.
        Err(error) if error.is::<WasmBacktrace>() || error.is::<Trap>() => {
            return Ok(ending::report(&error, &store, timeout));
        }
        Err(_) if store.data().memory.usage().was_refused() => {
            bail!("the guest needs more memory to begin with than --max-memory allows");
        }
        Err(error) => return Err(error.context("the guest cannot be started")),
    };
    program.run(store, &instance, timeout)
}

/// The limit on component handles. It is high enough for uv:handles' own limits to be reached
/// first: those are errors that a guest can handle, and this one is a trap.
fn max_component_handles(options: &Options) -> usize {
    let limits = Limits::default();
    [
        options.max_handles.unwrap_or(limits.handles),
        options.max_loops.unwrap_or(limits.loops),
        options.max_descriptors.unwrap_or(limits.descriptors),
    ]
    .into_iter()
    .fold(OTHER_HANDLES, |sum, limit| sum.saturating_add(limit as usize))
}

/// Shows the events that RUST_LOG asks for.
fn log() {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(|| Standard::Error)
        .with_ansi(false)
        .init();
}
