//! The process: arguments, environment, output, signals, and its end.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use rquickjs::function::Constructor;
use rquickjs::{CaughtError, Ctx, Function, Object, Persistent, Result, TypedArray, Value};
use uv_handles::{Handle, Signal, Signum, StatusCode};
use wasip2::cli::{environment, stderr, stdout};
use wasip2::io::streams::{OutputStream, StreamError};

use crate::engine::{self, Callback};
use crate::native::uv_error::Throws;
use crate::native::{define, event_loop};
use crate::script::Raised;
use crate::{memory, modules, script};

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
        "scriptName": modules::script_name,
        "args": || ARGS.with_borrow(Vec::clone),
        "environment": environment_variables,
        "workingDirectory": working_directory,
        "write": write,
        "exit": exit,
        "evaluate": script::evaluate,
        "load": load,
        "sourceLine": |name: String, number: usize| modules::line(&name, number),
        "ranOutOfMemory": memory::has_run_out,
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
    let stream = match descriptor {
        1 => stdout::get_stdout(),
        _ => stderr::get_stderr(),
    };
    write_all(&stream, &bytes).map_err(|error| {
        let code = code_of(&error);
        let message = format!("{}: {}, write", code.name(), code.message());
        let throw = || {
            let class: Constructor<'_> = ctx.globals().get("Error")?;
            let error: Object<'_> = class.construct((message,))?;
            error.set("errno", code.code())?;
            error.set("code", code.name())?;
            error.set("syscall", "write")?;
            Ok(ctx.throw(error.into_value()))
        };
        throw().unwrap_or_else(|error| error)
    })
}

/// Writes to a stream of WASI. The standard library's streams do not tell why a write has failed.
fn write_all(stream: &OutputStream, bytes: &[u8]) -> std::result::Result<(), StreamError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match usize::try_from(stream.check_write()?).unwrap_or(usize::MAX) {
            0 => stream.subscribe().block(),
            room => {
                let (now, later) = rest.split_at(room.min(rest.len()));
                stream.write(now)?;
                rest = later;
            }
        }
    }
    stream.blocking_flush()
}

/// The reason why a write has failed. The host's text ends with the number of the system's error.
fn code_of(error: &StreamError) -> StatusCode {
    let StreamError::LastOperationFailed(reason) = error else {
        return StatusCode::EPIPE;
    };
    let text = reason.to_debug_string();
    let number =
        text.rsplit_once("(os error ").and_then(|(_, rest)| rest.split(')').next()?.parse::<i32>().ok());
    number.and_then(|number| StatusCode::from_code(number.checked_neg()?)).unwrap_or(StatusCode::EIO)
}

/// Ends the script. Nothing of it runs any more.
fn exit(ctx: Ctx<'_>, code: f64) -> Result<()> {
    if EXIT.get().is_none() {
        // As the system does with the numbers of processes.
        EXIT.set(Some((code as i64 & 0xff) as u8));
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
