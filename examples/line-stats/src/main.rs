//! A stream filter: it counts the lines, bytes and most frequent first words of what it reads, and
//! prints a summary every second.
//!
//! This file is the wiring: it opens what the host granted and makes a handle for each thing that
//! may happen. Shared state of the callbacks is in `filter`, reading in `input`, TCP clients in
//! `client`, and counting, which uses no handles, in `stats`.
//!
//! The loop ends by itself when there is nothing more to read: only handles that bring input (poll
//! handles) or process it (the idle handle) keep it alive. All other handles are dereferenced.

mod client;
mod filter;
mod input;
mod stats;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::rc::Rc;

use filter::Filter;
use input::Input;
use uv_handles::{
    Async, Descriptor, Handle, Loop, Prepare, Result, RunMode, Signal, Signum, StatusCode, Timer,
};

/// Milliseconds from one summary to the next.
const SUMMARY_EVERY: u64 = 1000;

const NO_INPUT: &str = "there is nothing to read. Grant standard input by --stdin, \
    a socket for clients by --listen clients=127.0.0.1:0, or both; \
    where this runs composed, in the variable UV_HANDLES_GRANTS";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not eprintln, which would trap if standard error has no reader.
            let _ = writeln!(io::stderr(), "line-stats: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let stdin = granted(Descriptor::open("stdin"))?;
    let clients = granted(Descriptor::open("clients"))?;
    if stdin.is_none() && clients.is_none() {
        return Err(NO_INPUT.into());
    }

    let event_loop = Loop::new()?;
    let filter = Filter::new(&event_loop)?;
    if let Some(stdin) = stdin {
        Input::start(&filter, stdin, |stdin| stdin.poll().close())?;
    }
    if let Some(socket) = clients {
        client::listen(&filter, socket)?;
    }
    summarize_regularly(&filter)?;
    summarize_when_woken(&filter)?;
    watch_signals(&filter)?;
    flush_once_per_iteration(&filter)?;

    event_loop.run(RunMode::Default)?;
    let result = filter.finish();

    // A handle lives until it is closed, and a loop can be closed when all of its handles are. The
    // second run is for their close callbacks.
    for handle in event_loop.handles() {
        handle.close();
    }
    event_loop.run(RunMode::Default)?;
    event_loop.close()?;
    Ok(result?)
}

/// The value if the host granted it, none if it did not, or has none to grant: this filter can do without.
fn granted<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.code() {
            Some(StatusCode::ENOENT | StatusCode::EACCES | StatusCode::ENOSYS) => Ok(None),
            _ => Err(error),
        },
    }
}

/// A repeating timer. It does not catch up: after a delay it prints one summary, not several.
fn summarize_regularly(filter: &Rc<Filter>) -> Result<()> {
    let timer = Timer::new(filter.event_loop())?;
    let filter = filter.clone();
    timer.start_with(SUMMARY_EVERY, SUMMARY_EVERY, move |_| filter.print("summary"))?;
    timer.dereference()
}

/// An async handle: the embedder may wake it at any time and from any thread.
fn summarize_when_woken(filter: &Rc<Filter>) -> Result<()> {
    let Some(print_now) = granted(Async::named(filter.event_loop(), "print"))? else {
        return Ok(());
    };
    let filter = filter.clone();
    print_now.set_callback(move |_| filter.print("summary"));
    print_now.dereference()
}

/// Signal handles: SIGHUP starts afresh, SIGINT and SIGTERM end the filter.
fn watch_signals(filter: &Rc<Filter>) -> Result<()> {
    watch_signal(filter, Signum::SIGHUP, Filter::reset)?;
    watch_signal(filter, Signum::SIGINT, Filter::end_inputs)?;
    watch_signal(filter, Signum::SIGTERM, Filter::end_inputs)
}

fn watch_signal(filter: &Rc<Filter>, signum: Signum, action: fn(&Filter)) -> Result<()> {
    let signal = Signal::new(filter.event_loop())?;
    let filter = filter.clone();
    match granted(signal.start_with(signum, move |_, _| action(&filter)))? {
        Some(()) => signal.dereference(),
        None => {
            signal.close();
            Ok(())
        }
    }
}

/// A prepare handle: it is called right before the loop waits, so collected output is written
/// first. A check handle, called right after the wait, would leave what the timer printed in the
/// buffer for as long as the next wait takes.
fn flush_once_per_iteration(filter: &Rc<Filter>) -> Result<()> {
    let prepare = Prepare::new(filter.event_loop())?;
    let filter = filter.clone();
    prepare.start_with(move |prepare| {
        // The output has no reader any more. Nothing is left to do, and that is not an error.
        if filter.flush().is_err() {
            prepare.event_loop().stop();
        }
    })?;
    prepare.dereference()
}
