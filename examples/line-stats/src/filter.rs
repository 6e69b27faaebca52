//! State shared by the callbacks: statistics, output, and waiting work.
//!
//! Reading and counting are two steps. A poll callback only queues what it has read; an idle handle
//! counts it slice by slice, one slice per iteration of the loop. So a signal or a timer waits for
//! one slice at most, however much input there is. The idle handle is active only while something
//! is queued, because an active one keeps the loop from sleeping.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::rc::Rc;

use uv_handles::{AnyHandle, Error, Handle, Idle, Loop, Result};

use crate::input::Input;
use crate::stats::Stats;

/// Counted in one iteration, in bytes; the chunk that reaches it is counted to its end. It takes a
/// fraction of a millisecond.
const SLICE: usize = 64 * 1024;

/// The state of the filter.
pub struct Filter {
    event_loop: Loop,
    idle: Idle,
    /// The inputs with queued chunks, in the order of their turns.
    turns: RefCell<VecDeque<Rc<Input>>>,
    stats: RefCell<Stats>,
    /// Output since the last flush.
    output: RefCell<Vec<u8>>,
    failure: Cell<Option<Error>>,
}

impl Filter {
    pub fn new(event_loop: &Loop) -> Result<Rc<Self>> {
        let filter = Rc::new(Self {
            event_loop: event_loop.clone(),
            idle: Idle::new(event_loop)?,
            turns: RefCell::default(),
            stats: RefCell::default(),
            output: RefCell::default(),
            failure: Cell::new(None),
        });
        let shared = filter.clone();
        filter.idle.set_callback(move |_| shared.check(shared.count_slice()));
        Ok(filter)
    }

    pub fn event_loop(&self) -> &Loop {
        &self.event_loop
    }

    /// Calls `count` with the statistics.
    pub fn with_stats(&self, count: impl FnOnce(&mut Stats)) {
        count(&mut self.stats.borrow_mut());
    }

    /// Gives an input that has got its first chunk its turns.
    pub fn enqueue(&self, input: Rc<Input>) -> Result<()> {
        self.turns.borrow_mut().push_back(input);
        self.idle.start()
    }

    /// The inputs take turns, a chunk each, so that a flood from one does not keep others waiting.
    fn count_slice(&self) -> Result<()> {
        let mut counted = 0;
        while counted < SLICE {
            let Some(input) = self.turns.borrow_mut().pop_front() else {
                break;
            };
            counted += input.count_chunk()?;
            if input.has_chunks() {
                self.turns.borrow_mut().push_back(input);
            }
        }
        if self.turns.borrow().is_empty() {
            self.idle.stop();
        }
        Ok(())
    }

    /// Prints one line: the title and the counts.
    pub fn print(&self, title: &str) {
        // Writing to a vector cannot fail.
        let _ = writeln!(self.output.borrow_mut(), "{title}: {}", self.stats.borrow());
    }

    /// Prints the counts so far, and counts from zero.
    pub fn reset(&self) {
        self.print("reset");
        self.stats.take();
    }

    /// Stops reading from all inputs. Queued data stays, and the idle handle keeps the loop alive
    /// until it is counted.
    pub fn end_inputs(&self) {
        for handle in self.event_loop.handles() {
            if let AnyHandle::Poll(poll) = handle {
                poll.close();
            }
        }
    }

    /// Writes the collected output. Output that cannot be written is lost.
    pub fn flush(&self) -> io::Result<()> {
        let output = self.output.take();
        if output.is_empty() {
            return Ok(());
        }
        let mut stdout = io::stdout();
        stdout.write_all(&output)?;
        stdout.flush()
    }

    /// Ends the loop if a callback failed. A callback has no caller to return its error to, so
    /// [`finish`](Self::finish) returns it.
    pub fn check(&self, result: Result<()>) {
        if let Err(error) = result {
            self.failure.set(Some(error));
            self.event_loop.stop();
        }
    }

    /// Prints the final summary. Returns the error that has ended the loop, if one has.
    pub fn finish(&self) -> Result<()> {
        self.print("final summary");
        // The output may have no reader any more, which is not an error.
        let _ = self.flush();
        self.failure.take().map_or(Ok(()), Err)
    }
}
