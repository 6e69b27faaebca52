//! An input: a descriptor, its poll handle, a short queue, and a line count.
//!
//! While the queue is full the input is not polled, so its writer has to wait (backpressure) and
//! memory stays bounded: [`QUEUE`] chunks of [`CHUNK`] bytes for each input.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use uv_handles::{Descriptor, Error, Handle, Poll, PollEvents, Result, StatusCode};

use crate::filter::Filter;
use crate::stats::Lines;

/// Bytes that are read at once.
const CHUNK: u32 = 64 * 1024;

/// Chunks that are read ahead of counting them.
const QUEUE: usize = 4;

/// How far an input has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Reading,
    /// The queue is full.
    Paused,
    /// The end has been read.
    Ended,
    /// The connection was reset, or the filter ends before the input does.
    CutOff,
    /// Nothing is left to be read or counted.
    Settled,
}

/// An input that is read and counted.
pub struct Input {
    filter: Rc<Filter>,
    descriptor: Descriptor,
    poll: Poll,
    stage: Cell<Stage>,
    chunks: RefCell<VecDeque<Vec<u8>>>,
    lines: RefCell<Lines>,
    at_end: fn(&Rc<Input>),
}

impl Input {
    /// Reads a descriptor to its end. Then, when everything is counted, `at_end` is called, unless
    /// the poll handle has been closed before.
    ///
    /// The handle's callbacks own the input, until the handle is closed.
    pub fn start(filter: &Rc<Filter>, descriptor: Descriptor, at_end: fn(&Rc<Input>)) -> Result<()> {
        let poll = Poll::new(filter.event_loop(), &descriptor)?;
        let input = Rc::new(Self {
            filter: filter.clone(),
            descriptor,
            poll: poll.clone(),
            stage: Cell::new(Stage::Reading),
            chunks: RefCell::default(),
            lines: RefCell::default(),
            at_end,
        });
        let closed = input.clone();
        poll.set_on_closed(move |_| closed.cut_off());
        poll.start_with(PollEvents::READABLE, move |_, ready| match ready {
            Ok(_) => input.filter.check(input.read()),
            // The connection was reset. The handle is stopped already.
            Err(_) => input.poll.close(),
        })
    }

    pub fn poll(&self) -> &Poll {
        &self.poll
    }

    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Returns the lines and bytes of this input alone.
    pub fn totals(&self) -> (u64, u64) {
        self.lines.borrow().totals()
    }

    pub fn has_chunks(&self) -> bool {
        !self.chunks.borrow().is_empty()
    }

    /// Reads until the queue is full, or nothing is there any more.
    fn read(self: &Rc<Self>) -> Result<()> {
        let had_chunks = self.has_chunks();
        loop {
            if self.chunks.borrow().len() == QUEUE {
                self.stage.set(Stage::Paused);
                self.poll.stop();
                break;
            }
            match self.descriptor.read_vec(CHUNK) {
                Ok(chunk) if chunk.is_empty() => {
                    self.stage.set(Stage::Ended);
                    self.poll.stop();
                    break;
                }
                Ok(chunk) => self.chunks.borrow_mut().push_back(chunk),
                Err(Error::Status(StatusCode::EAGAIN)) => break,
                Err(_) => {
                    self.poll.close();
                    break;
                }
            }
        }
        if !had_chunks && self.has_chunks() {
            self.filter.enqueue(self.clone())?;
        }
        self.settle();
        Ok(())
    }

    /// Counts the first chunk of the queue and answers how long it was.
    pub fn count_chunk(self: &Rc<Self>) -> Result<usize> {
        let Some(chunk) = self.chunks.borrow_mut().pop_front() else {
            return Ok(0);
        };
        self.filter.with_stats(|stats| self.lines.borrow_mut().feed(&chunk, stats));
        if self.stage.get() == Stage::Paused {
            self.stage.set(Stage::Reading);
            self.poll.start(PollEvents::READABLE)?;
        }
        self.settle();
        Ok(chunk.len())
    }

    /// The poll handle is closed. If that was not because of the input's end, it has none.
    fn cut_off(self: &Rc<Self>) {
        if matches!(self.stage.get(), Stage::Reading | Stage::Paused) {
            self.stage.set(Stage::CutOff);
        }
        self.settle();
    }

    /// When nothing is left to read or count, counts the text after the last newline, and calls
    /// `at_end` if this was the end.
    fn settle(self: &Rc<Self>) {
        let stage = self.stage.get();
        if !matches!(stage, Stage::Ended | Stage::CutOff) || self.has_chunks() {
            return;
        }
        self.stage.set(Stage::Settled);
        self.filter.with_stats(|stats| self.lines.borrow_mut().end(stats));
        if stage == Stage::Ended {
            (self.at_end)(self);
        }
    }
}
