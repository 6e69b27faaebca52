//! Code that the guests of the whole-system tests share.
//!
//! Most programs in `bin` are folders: `main.rs` lists the cases with [`cases`], every other file is a
//! case, and the first argument selects the one to run. A file of `bin` is a program of its own, for one
//! of these reasons:
//!
//! - A page shows its source: `docs_*` and `wit_program`.
//! - A test looks at its imports, or it runs composed on other runtimes, so it must import only what it
//!   uses itself: `descriptors_datagrams`, `poll_tcp_echo` and `uv_run_stdin`.
//! - The soak test starts it again and again and measures its process: `soak_*`.
//! - It is the only case of its suite: `ended_in_a_callback` and `transfer_echo`.

mod cases;
mod hash;
pub mod kinds;
pub mod random;
mod sum;

pub use cases::{args, run_case};
pub use hash::Hash;
pub use sum::print_sum_of;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;
use uv_handles::bindings::uv::handles as uv;
use uv_handles::{Descriptor, Error, Handle, Loop, RunMode, StatusCode, Timer};

use uv::batch::{self, BatchStep, RunKey};
use uv::event_loop::{Run, Step};
use uv::types::{self as raw, EventKind, PollEvents};

/// Goes on with a run, and waits while it waits: to its next event, or to its end with the answer
/// whether the loop is alive.
pub fn go_on(run: &Run) -> Result<ControlFlow<bool, raw::Event>, raw::Error> {
    loop {
        match run.next()? {
            Step::Event(event) => return Ok(ControlFlow::Continue(event)),
            Step::Wait => uv::blocking::wait(run)?,
            Step::Finished(alive) => return Ok(ControlFlow::Break(alive)),
        }
    }
}

/// Goes on with a run by `batch.next`, and waits while it waits.
pub fn go_on_batched(run: &Run, max: u32) -> Result<BatchStep, raw::Error> {
    let key = batch::key(run);
    loop {
        match batch::next(key, max, None, None, &[])? {
            BatchStep::Wait => uv::blocking::wait(run)?,
            step => return Ok(step),
        }
    }
}

/// The events of a step: none for a wait and for the end of the run.
pub fn events(step: BatchStep) -> Vec<raw::Event> {
    let all = |tokens: Vec<raw::Token>, kind: EventKind| {
        tokens.into_iter().map(|token| raw::Event { token, kind }).collect()
    };
    match step {
        BatchStep::Event(event) => vec![event],
        BatchStep::Callbacks(tokens) => all(tokens, EventKind::Callback),
        BatchStep::Polls(ready) => {
            let event = |(token, events)| raw::Event { token, kind: EventKind::Poll(Ok(events)) };
            ready.into_iter().map(event).collect()
        }
        BatchStep::Closes(tokens) => all(tokens, EventKind::Closed),
        BatchStep::Wait | BatchStep::Finished(_) => Vec::new(),
    }
}

/// The half of a token pair that stands for no token.
pub const NO_TOKEN: u64 = u32::MAX as u64;

/// The answer of [`next_callbacks`] when it brings nothing.
pub const NOTHING: (u64, u64) = (NO_TOKEN, NO_TOKEN);

/// The two tokens of `batch.next-callbacks`.
pub fn next_callbacks(run: RunKey) -> (u64, u64) {
    tokens(batch::next_callbacks(run))
}

/// The same for `blocking-batch.next-callbacks`.
pub fn blocking_next_callbacks(run: RunKey) -> (u64, u64) {
    tokens(uv::blocking_batch::next_callbacks(run))
}

/// The token and the readiness of `blocking-batch.next-ready`.
pub fn next_ready(run: RunKey) -> Option<(u64, PollEvents)> {
    let (token, events) = tokens(uv::blocking_batch::next_ready(run));
    (token != NO_TOKEN).then(|| (token, PollEvents::from_bits_truncate(events as u8)))
}

fn tokens(pair: batch::TokenPair) -> (u64, u64) {
    (pair & NO_TOKEN, pair >> 32)
}

/// The events so far, in order. Clones are the same trace, so that each callback can have one.
#[derive(Clone, Debug, Default)]
pub struct Trace(Rc<RefCell<Vec<String>>>);

impl Trace {
    /// An empty trace.
    pub fn new() -> Trace {
        Trace::default()
    }

    /// Something has happened.
    pub fn add(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    /// How much has happened since `take` was last called.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Whether nothing has happened since `take` was last called.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the events since the last call, separated by spaces.
    pub fn take(&self) -> String {
        self.0.take().join(" ")
    }
}

/// A callback, of any kind of handle without arguments, that leaves a trace.
pub fn traces<H>(trace: &Trace, what: impl Into<String>) -> impl FnMut(&H) + 'static {
    let (trace, what) = (trace.clone(), what.into());
    move |_| trace.add(what.clone())
}

/// A call was refused with this code.
#[track_caller]
pub fn assert_refused<T: std::fmt::Debug>(result: uv_handles::Result<T>, code: StatusCode) {
    match result {
        Err(error) if error.code() == Some(code) => {}
        other => panic!("expected {code}, got {other:?}"),
    }
}

/// Lets virtual time pass, also inside a callback, by running a loop of its own. Other loops see it
/// when they next refresh their time.
pub fn pass_time(milliseconds: u64) -> uv_handles::Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(milliseconds, 0, Timer::close)?;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}

/// A call of the bare interfaces was refused with this code.
#[track_caller]
pub fn assert_code<T: std::fmt::Debug>(result: Result<T, raw::Error>, code: raw::ErrorCode) {
    match result {
        Err(raw::Error::Code(got)) => assert_eq!(got, code),
        other => panic!("expected {code:?}, got {other:?}"),
    }
}

/// Reads all that is there now, up to the end of the input or until there is nothing more yet.
/// Answers whether it was the end.
pub fn drain(descriptor: &Descriptor, bytes: &mut Vec<u8>) -> uv_handles::Result<bool> {
    loop {
        match descriptor.read_vec(65_536) {
            Ok(read) if read.is_empty() => return Ok(true),
            Ok(read) => bytes.extend(read),
            Err(Error::Status(StatusCode::EAGAIN)) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}
