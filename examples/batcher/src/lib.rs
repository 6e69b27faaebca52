//! Returns lines in batches, by number or by time, as for a database or a metrics server.
//!
//! It is a library, not a program: a component with a world of its own (`wit/world.wit`) that exports
//! one function. The world does not mention uv:handles. Inside the export, the SDK is used as in any
//! program; the loop, its handles and what was read ahead stay from one call to the next.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use uv_handles::{Descriptor, Error, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode, Timer};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "batcher" });
}

struct Component;

impl bindings::Guest for Component {
    fn next_batch(max_lines: u32, window_ms: u64) -> Result<Vec<String>, String> {
        let batcher = BATCHER.with_borrow_mut(|batcher| match batcher {
            Some(batcher) => Ok(batcher.clone()),
            none => Batcher::new().map(|new| none.insert(new).clone()),
        });
        batcher
            .and_then(|batcher| batcher.next(max_lines as usize, window_ms))
            .map_err(|error| format!("the input cannot be read: {error}"))
    }
}

bindings::export!(Component with_types_in bindings);

thread_local! {
    /// Made by the first call.
    static BATCHER: RefCell<Option<Batcher>> = const { RefCell::new(None) };
}

/// Clones share everything, as the handles in it do.
#[derive(Clone)]
struct Batcher {
    event_loop: Loop,
    readable: Poll,
    window: Timer,
    input: Rc<RefCell<Input>>,
}

impl Batcher {
    fn new() -> Result<Batcher> {
        let event_loop = Loop::new()?;
        let descriptor = Descriptor::open("input")?;
        let readable = Poll::new(&event_loop, &descriptor)?;
        let window = Timer::new(&event_loop)?;
        let input = Rc::new(RefCell::new(Input::default()));
        let reads = input.clone();
        readable.set_callback(move |_, _| reads.borrow_mut().read(&descriptor));
        Ok(Batcher { event_loop, readable, window, input })
    }

    fn next(&self, max_lines: usize, window_ms: u64) -> Result<Vec<String>> {
        let closed = Rc::new(Cell::new(false));
        let closes = closed.clone();
        self.window.set_callback(move |_| closes.set(true));
        self.readable.start(PollEvents::READABLE)?;
        while !closed.get() && !self.input.borrow().is_enough(max_lines) {
            if !self.window.is_active() && !self.input.borrow().lines.is_empty() {
                self.window.start(window_ms, 0)?;
            }
            self.event_loop.run(RunMode::Once)?;
        }
        // Between calls nothing runs the loop, and nothing should be waiting in it.
        self.window.stop();
        self.readable.stop();
        self.input.borrow_mut().take(max_lines)
    }
}

/// Lines that were read and not returned yet.
#[derive(Default)]
struct Input {
    lines: VecDeque<String>,
    /// The line that is not complete yet.
    rest: Vec<u8>,
    end: Option<Result<()>>,
}

impl Input {
    fn is_enough(&self, max_lines: usize) -> bool {
        self.end.is_some() || self.lines.len() >= max_lines
    }

    fn read(&mut self, descriptor: &Descriptor) {
        match descriptor.read_vec(64 * 1024) {
            Ok(bytes) if bytes.is_empty() => {
                if !self.rest.is_empty() {
                    self.line_ends();
                }
                self.end = Some(Ok(()));
            }
            Ok(bytes) => {
                for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
                    let (line, complete) = match piece.split_last() {
                        Some((b'\n', line)) => (line, true),
                        _ => (piece, false),
                    };
                    self.rest.extend_from_slice(line);
                    if complete {
                        self.line_ends();
                    }
                }
            }
            // Not ready after all.
            Err(Error::Status(StatusCode::EAGAIN)) => {}
            Err(error) => self.end = Some(Err(error)),
        }
    }

    fn line_ends(&mut self) {
        let line = std::mem::take(&mut self.rest);
        self.lines.push_back(String::from_utf8_lossy(&line).into_owned());
    }

    /// Returns the next lines, or the result of the input when none are left.
    fn take(&mut self, max_lines: usize) -> Result<Vec<String>> {
        let count = self.lines.len().min(max_lines);
        match self.end {
            Some(Err(error)) if count == 0 => Err(error),
            _ => Ok(self.lines.drain(..count).collect()),
        }
    }
}
