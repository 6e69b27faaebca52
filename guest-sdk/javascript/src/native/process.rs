//! The process: arguments, environment, output, signals, and its end.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Write;

use rquickjs::{CaughtError, Ctx, Exception, Function, Object, Persistent, Result, TypedArray, Value};
use uv_handles::{Handle, Signal, Signum};
use wasip2::cli::environment;

use crate::engine::{self, Callback};
use crate::native::uv_error::Throws;
use crate::native::{define, event_loop};
use crate::script::Raised;
use crate::{modules, script};

thread_local! {
    static ARGS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static EXIT: Cell<Option<u8>> = const { Cell::new(None) };
    static SIGNALS: RefCell<HashMap<i32, Signal>> = RefCell::default();
}

/// Sets what `process.argv` has, after the name of the program: for text without a file what Node has.
pub fn set_args(name: &str, args: Vec<String>) {
    let own = match name {
        "[eval]" => None,
        "[stdin]" => Some("-"),
        name => Some(name),
    };
    let own = ["uv-run"].into_iter().chain(own).map(str::to_owned);
    ARGS.set(own.chain(args).collect());
}

/// Where relative paths begin.
fn working_directory() -> String {
    environment::initial_cwd().unwrap_or_else(|| "/".to_owned())
}

/// The exit code, once the script has ended.
pub fn exit_code() -> Option<u8> {
    EXIT.get()
}

/// Ends the instance, if the script has ended in a callback of a loop that the host runs.
pub fn leave_at_end() {
    if let Some(code) = EXIT.get() {
        std::process::exit(code.into());
    }
}

/// An error that ends whatever runs, if the script has ended.
pub fn check_exit(ctx: &Ctx<'_>) -> Result<()> {
    match EXIT.get() {
        Some(_) => Err(engine::uncatchable(ctx)),
        None => Ok(()),
    }
}

pub fn define(functions: &Object<'_>) -> Result<()> {
    functions.set("version", env!("CARGO_PKG_VERSION"))?;
    define!(functions, {
        "args": || ARGS.with_borrow(Vec::clone),
        "environment": environment_variables,
        "workingDirectory": working_directory,
        "write": write,
        "exit": exit,
        "evaluate": script::evaluate,
        "load": load,
        "sourceLine": |name: String, number: usize| modules::line(&name, number),
        "memoryUsed": || core::arch::wasm32::memory_size(0) * 65536,
        "signalNumbers": signal_numbers,
        "watchSignal": watch_signal,
        "unwatchSignal": unwatch_signal,
        "returned": |result: String| script::settle(Ok(result)),
        "raised": raised,
    })
}

fn load(ctx: Ctx<'_>, name: String) -> Result<Object<'_>> {
    modules::load(&ctx, &name)
}

fn environment_variables() -> Vec<Vec<String>> {
    std::env::vars_os()
        .map(|(name, value)| vec![name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()])
        .collect()
}

/// Writes text or bytes to standard output or standard error, at once, as Node does to a terminal or
/// a file.
fn write<'js>(ctx: Ctx<'js>, descriptor: u32, chunk: Value<'js>) -> Result<()> {
    let bytes = match chunk.as_string() {
        Some(text) => super::text::lossy(&ctx, text)?.into_bytes(),
        None => engine::bytes_of(&TypedArray::from_value(chunk)?),
    };
    let written = match descriptor {
        1 => {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(&bytes).and_then(|()| stdout.flush())
        }
        _ => std::io::stderr().write_all(&bytes),
    };
    written.map_err(|error| Exception::throw_message(&ctx, &format!("cannot write: {error}")))
}

/// Ends the script. Nothing of it runs any more.
fn exit(ctx: Ctx<'_>, code: f64) -> Result<()> {
    if EXIT.get().is_none() {
        // As the system does with the numbers of processes.
        EXIT.set(Some((code as i64 & 0xff) as u8));
        // An error here would mean that nothing takes the output.
        let _ = std::io::stdout().flush();
    }
    event_loop::stop();
    Err(engine::uncatchable(&ctx))
}

/// Ends the script, if it has not ended, by an error that could not be reported otherwise: there
/// was no memory left for it.
pub fn end_by(error: &CaughtError<'_>) {
    if EXIT.get().is_some() {
        return;
    }
    match error {
        // With no memory even for an error object, the engine throws null.
        CaughtError::Value(value) if value.is_null() => eprintln!("InternalError: out of memory"),
        error => eprintln!("{error}"),
    }
    EXIT.set(Some(1));
    event_loop::stop();
}

/// Records the exception of a call, and ends the script.
fn raised(ctx: Ctx<'_>, kind: String, message: String, traceback: String) -> Result<()> {
    script::settle(Err(Raised { kind, message, traceback }));
    exit(ctx, 1.0)
}

/// A map from the names of signals to their numbers.
fn signal_numbers(ctx: Ctx<'_>) -> Result<Value<'_>> {
    let names = (1..32).map(Signum::new).filter_map(|signum| Some((signum.name()?, signum.number())));
    let object = Object::new(ctx.clone())?;
    for (name, number) in names {
        object.set(name, number)?;
    }
    let make: Function<'_> = ctx.eval("(object) => new Map(Object.entries(object))")?;
    make.call((object,))
}

/// Watches a signal, without keeping the loop alive. Returns its number.
fn watch_signal<'js>(ctx: Ctx<'js>, number: i32, callback: Function<'js>) -> Result<i32> {
    let callback: Callback = Persistent::save(&ctx, callback);
    let watch = || {
        let signal = Signal::new(&event_loop::main_loop())?;
        let started = signal
            .start_with(Signum::new(number), move |_, _| engine::call_back(&callback, ()))
            .and_then(|()| signal.dereference());
        if started.is_err() {
            signal.close();
        }
        started.map(|()| signal)
    };
    let signal = watch().throws(&ctx)?;
    SIGNALS.with_borrow_mut(|signals| signals.insert(number, signal));
    Ok(number)
}

fn unwatch_signal(number: i32) {
    if let Some(signal) = SIGNALS.with_borrow_mut(|signals| signals.remove(&number)) {
        signal.close();
    }
}
