//! Runs a guest in this process: the engine, the store, and the guest's output.

use crate::compiled::Once;
use crate::os::{self, Thread, cpu_time};
use crate::plain::{Plain, Time};
use crate::{Case, PATIENCE, component};
use std::io::{BufRead, BufReader, PipeReader};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use uv_handles_host::supervisor::PluginState;
use uv_handles_host::{MemoryLimit, UvCtx, UvCtxBuilder, UvCtxView, UvView};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::cli::OutputFile;
use wasmtime_wasi::p2::bindings::{CommandPre, sync};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView, default_hooks};

/// A configuration of the engine. Guests must behave the same under both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Configuration {
    /// The one that the host crate recommends: `Config::concurrency_support(false)`.
    Recommended,
    /// wasmtime's own.
    Default,
    /// The recommended one with epoch interruption: [`end_epoch`] ends what runs.
    Epochs,
}

/// How guests are linked and called. Guests must behave the same both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Linkage {
    /// A guest blocks its thread.
    Sync,
    /// A guest is a task of a tokio runtime.
    Async,
}

/// The linkage that the variable UV_HANDLES_LINKAGE selects: all tests of a run use the same one.
fn linkage() -> Linkage {
    match std::env::var("UV_HANDLES_LINKAGE").as_deref() {
        Err(_) | Ok("sync") => Linkage::Sync,
        Ok("async") => Linkage::Async,
        Ok(other) => panic!("UV_HANDLES_LINKAGE is sync or async, not {other}"),
    }
}

/// The data of a guest's store.
#[allow(missing_debug_implementations, reason = "WasiCtx has none")]
pub struct State {
    uv: UvCtx,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    limits: StoreLimits,
    memory: MemoryLimit,
}

impl State {
    /// A guest's data with these contexts, and without a limit on memory.
    pub fn new(uv: UvCtx, wasi: WasiCtx) -> State {
        State::limited(uv, wasi, MemoryLimit::new(usize::MAX))
    }

    /// The same with a limit on memory, which is the caller's to set in the store.
    pub fn limited(uv: UvCtx, wasi: WasiCtx, memory: MemoryLimit) -> State {
        State { uv, wasi, http: WasiHttpCtx::new(), limits: StoreLimits::default(), memory }
    }
}

/// A linker with everything that guests import.
///
/// # Errors
///
/// wasmtime's, if the host's interfaces collide with each other.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    uv_handles_host::add_to_linker_sync(&mut linker)?;
    uv_handles_host::add_pollables_to_linker(&mut linker)?;
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    Ok(linker)
}

/// The same for a runtime of scripts, whose imports include WASI's HTTP. Requests are denied.
///
/// # Errors
///
/// As `linker`.
pub fn runtime_linker(engine: &Engine, runtime: &Component) -> wasmtime::Result<Linker<State>> {
    let mut linker = linker(engine)?;
    uv_handles_host::add_denied_http_to_linker(&mut linker, runtime)?;
    Ok(linker)
}

/// The same for guests that are tasks.
///
/// # Errors
///
/// As `linker`.
pub fn async_linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    uv_handles_host::add_to_linker_async(&mut linker)?;
    uv_handles_host::add_pollables_to_linker(&mut linker)?;
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    Ok(linker)
}

/// A linker with WASI alone, for the same data.
///
/// # Errors
///
/// As `linker`.
pub fn wasi_linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    Ok(linker)
}

impl PluginState for State {
    fn memory(&mut self) -> &mut MemoryLimit {
        &mut self.memory
    }
}

impl UvView for State {
    fn uv(&mut self) -> UvCtxView<'_> {
        UvCtxView { ctx: &mut self.uv }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: self.uv.table() }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: self.uv.table(), hooks: default_hooks() }
    }
}

fn engine(configuration: Configuration) -> &'static Engine {
    static ENGINES: OnceLock<[Engine; 3]> = OnceLock::new();
    let [recommended, default, epochs] = ENGINES.get_or_init(|| {
        let mut config = Config::new();
        config.concurrency_support(false);
        let recommended = Engine::new(&config).expect("a valid configuration");
        config.epoch_interruption(true);
        [recommended, Engine::default(), Engine::new(&config).expect("a valid configuration")]
    });
    match configuration {
        Configuration::Recommended => recommended,
        Configuration::Default => default,
        Configuration::Epochs => epochs,
    }
}

/// Ends the epoch: every guest that runs in the configuration with epochs traps.
pub fn end_epoch() {
    engine(Configuration::Epochs).increment_epoch();
}

/// Compiles and links a guest's program, once for each configuration: all cases of a program share
/// it.
fn prepared(guest: Case, configuration: Configuration) -> InstancePre<State> {
    static PREPARED: Once<(&str, Configuration), InstancePre<State>> = Once::new();
    let compile = || {
        let engine = engine(configuration);
        let component = Component::from_file(engine, component(guest))?;
        let linker = match linkage() {
            Linkage::Sync => linker(engine)?,
            Linkage::Async => async_linker(engine)?,
        };
        linker.instantiate_pre(&component)
    };
    PREPARED.get((guest.component(), configuration), || {
        compile().unwrap_or_else(|error| panic!("the guest {guest} cannot be used: {error:?}"))
    })
}

/// Runs a program to its end.
fn call(store: &mut Store<State>, pre: InstancePre<State>) -> wasmtime::Result<Result<(), ()>> {
    match linkage() {
        Linkage::Sync => {
            let command = sync::CommandPre::new(pre)?.instantiate(&mut *store)?;
            command.wasi_cli_run().call_run(store)
        }
        Linkage::Async => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let command = CommandPre::new(pre)?.instantiate_async(&mut *store).await?;
                command.wasi_cli_run().call_run(store).await
            })
        }
    }
}

/// How a guest is to be run.
#[derive(Debug, Clone)]
pub struct Guest {
    case: Case,
    configuration: Configuration,
    args: Vec<String>,
    stdin: Option<Arc<PipeReader>>,
    limits: StoreLimits,
}

impl Guest {
    /// A guest without further arguments, in the recommended configuration.
    pub fn new(guest: impl Into<Case>) -> Guest {
        let case = guest.into();
        Guest {
            case,
            configuration: Configuration::Recommended,
            args: case.args().map(str::to_owned).collect(),
            stdin: None,
            limits: StoreLimits::default(),
        }
    }

    /// Sets the configuration of the engine.
    pub fn configuration(mut self, configuration: Configuration) -> Guest {
        self.configuration = configuration;
        self
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<String>) -> Guest {
        self.args.push(arg.into());
        self
    }

    /// Gives it a pipe as WASI's standard input.
    pub fn stdin_pipe(mut self, pipe: PipeReader) -> Guest {
        self.stdin = Some(Arc::new(pipe));
        self
    }

    /// Limits its memory to this many bytes.
    pub fn max_memory(mut self, bytes: usize) -> Guest {
        self.limits = StoreLimitsBuilder::new().memory_size(bytes).build();
        self
    }

    /// Starts it on a thread of its own, with what `grant` grants.
    pub fn spawn(self, grant: impl FnOnce(&mut UvCtxBuilder)) -> Running {
        let pre = prepared(self.case, self.configuration);
        let mut uv = UvCtx::builder();
        grant(&mut uv);
        start(self.case.to_string(), |stdout, stderr| {
            let mut wasi = WasiCtx::builder();
            wasi.stdout(stdout).stderr(stderr);
            if let Some(pipe) = self.stdin {
                let pipe = pipe.try_clone().expect("the OS has descriptors");
                wasi.stdin(os::stdin(pipe));
            }
            wasi.allow_blocking_current_thread(true).arg(self.case.component()).args(&self.args);
            let state = State { limits: self.limits, ..State::new(uv.build(), wasi.build()) };
            move || {
                let mut store = Store::new(pre.engine(), state);
                store.limiter(|state| &mut state.limits);
                if self.configuration == Configuration::Epochs {
                    store.set_epoch_deadline(1);
                }
                call(&mut store, pre)
            }
        })
    }

    /// Runs it to its end, with what `grant` grants.
    pub fn run(self, grant: impl FnOnce(&mut UvCtxBuilder)) -> Output {
        self.spawn(grant).wait()
    }
}

/// Starts a guest on a thread of its own. `prepare` gets the pipe that the guest prints to, and
/// returns the function that runs the guest. When that function returns, everything that the guest
/// had must have been released.
pub(crate) fn start<R>(name: String, prepare: impl FnOnce(OutputFile, MemoryOutputPipe) -> R) -> Running
where
    R: FnOnce() -> wasmtime::Result<Result<(), ()>> + Send + 'static,
{
    // A pipe, so that a test can wait for a line.
    let (read, write) = std::io::pipe().expect("the OS has pipes");
    let stderr = MemoryOutputPipe::new(1 << 20);
    let run = prepare(os::output(write), stderr.clone());
    let (send_line, lines) = mpsc::channel();
    let reader = spawn_thread(format!("{name} stdout"), move || {
        for line in BufReader::new(read).lines().map_while(Result::ok) {
            if send_line.send(line).is_err() {
                return;
            }
        }
    });
    let (send_thread, thread) = mpsc::channel();
    let (send_end, end) = mpsc::channel();
    let runner = spawn_thread(name.clone(), move || {
        let _ = send_thread.send(Thread::current());
        let (begin, cpu) = (Instant::now(), cpu_time());
        let result = run();
        let _ = send_end.send((End::from(result), begin.elapsed(), cpu_time() - cpu));
    });
    let thread = thread.recv().expect("the thread begins with it");
    Running { name, thread, lines, end, seen: Vec::new(), stderr, threads: [reader, runner] }
}

fn spawn_thread(name: String, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name(name).spawn(run).expect("the OS has threads")
}

/// Runs a guest to its end, with what `grant` grants.
pub fn run(guest: impl Into<Case>, grant: impl FnOnce(&mut UvCtxBuilder)) -> Output {
    Guest::new(guest).run(grant)
}

/// Starts a guest on a thread of its own, with what `grant` grants.
pub fn spawn(guest: impl Into<Case>, grant: impl FnOnce(&mut UvCtxBuilder)) -> Running {
    Guest::new(guest).spawn(grant)
}

/// Runs a guest that asserts everything by itself and needs no grants, in virtual time: with both
/// configurations of the engine, and composed with the adapter on a runtime that has WASI only.
///
/// # Panics
///
/// If one of its assertions fails.
pub fn check(guest: Case) {
    check_native(guest);
    Plain::composed(guest).time(Time::Virtual).run();
}

/// As [`check`], but not composed: for guests of functions that the adapter does not have.
///
/// # Panics
///
/// If one of its assertions fails.
pub fn check_native(guest: Case) {
    for configuration in [Configuration::Recommended, Configuration::Default] {
        let guest = Guest::new(guest).configuration(configuration);
        let output = guest.run(|uv| {
            uv.virtual_time(true);
        });
        output.succeeded();
    }
}

/// How a guest ended.
#[derive(Debug)]
pub enum End {
    /// It returned, and reports success.
    Success,
    /// It exited with this code.
    Exit(i32),
    /// It trapped, for instance because an assertion failed.
    Trap(Arc<wasmtime::Error>),
}

impl End {
    /// In one line: the guest's own description of its failure is on its standard error.
    pub(crate) fn summary(&self) -> String {
        match self {
            End::Success => "success".into(),
            End::Exit(code) => format!("exit code {code}"),
            End::Trap(error) => format!("trap: {}", error.root_cause()),
        }
    }
}

impl From<wasmtime::Result<Result<(), ()>>> for End {
    fn from(result: wasmtime::Result<Result<(), ()>>) -> End {
        match result {
            Ok(Ok(())) => End::Success,
            Ok(Err(())) => End::Exit(1),
            Err(error) => match error.downcast_ref::<I32Exit>() {
                Some(I32Exit(0)) => End::Success,
                Some(I32Exit(code)) => End::Exit(*code),
                None => End::Trap(Arc::new(error)),
            },
        }
    }
}

/// A guest that runs on a thread of its own.
#[derive(Debug)]
pub struct Running {
    name: String,
    thread: Thread,
    lines: Receiver<String>,
    end: Receiver<(End, Duration, Duration)>,
    seen: Vec<String>,
    stderr: MemoryOutputPipe,
    threads: [JoinHandle<()>; 2],
}

impl Running {
    /// The thread that it runs on.
    pub fn thread(&self) -> Thread {
        self.thread
    }

    /// Waits for the next line that the guest prints.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn line(&mut self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                self.seen.push(line.clone());
                line
            }
            Err(RecvTimeoutError::Timeout) => panic!("the guest prints nothing more: {}", self.so_far()),
            Err(RecvTimeoutError::Disconnected) => panic!("the guest has ended: {}", self.so_far()),
        }
    }

    /// Waits for the next line, which must be this one.
    ///
    /// # Panics
    ///
    /// If there is none, or another.
    pub fn expect(&mut self, expected: &str) {
        let line = self.line();
        assert_eq!(line, expected, "{}", self.so_far());
    }

    /// Waits for the end.
    ///
    /// # Panics
    ///
    /// If it does not come.
    pub fn wait(mut self) -> Output {
        let Ok((end, wall, cpu)) = self.end.recv_timeout(PATIENCE) else {
            self.seen.extend(self.lines.try_iter());
            panic!("the guest does not end: {}", self.so_far());
        };
        // The writing end is closed, so no more output comes, and the thread ends.
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
        let (report, stderr) = (self.so_far(), self.stderr());
        // Nothing of the guest is left at this point, not even for a moment.
        for thread in self.threads {
            thread.join().expect("it has reported its end");
        }
        Output { lines: self.seen, stderr, end, wall, cpu, report }
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.contents()).into_owned()
    }

    fn so_far(&self) -> String {
        format!("{}\nstdout: {:#?}\nstderr: {}", self.name, self.seen, self.stderr())
    }
}

/// The result of a guest's run.
#[derive(Debug)]
pub struct Output {
    /// Its standard output.
    pub lines: Vec<String>,
    /// Its standard error.
    pub stderr: String,
    /// The way it ended.
    pub end: End,
    /// The wall time of the run.
    pub wall: Duration,
    /// The processor time that it used.
    pub cpu: Duration,
    report: String,
}

impl Output {
    /// The lines that it printed.
    ///
    /// # Panics
    ///
    /// If it did not end with success.
    pub fn succeeded(self) -> Vec<String> {
        match self.end {
            End::Success => self.lines,
            end => panic!("{}\n{}", end.summary(), self.report),
        }
    }

    /// # Panics
    ///
    /// If it did not end with a trap.
    pub fn trapped(&self) {
        assert!(matches!(self.end, End::Trap(_)), "{}\n{}", self.end.summary(), self.report);
    }
}
