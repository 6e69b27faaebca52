//! WASI's streams with the readiness that poll handles report.
//!
//! A pollable tells that reading is worthwhile, not whether it brings data, the end or an error. So
//! a reader reads ahead when a poll handle asks: then the end is reported as a disconnect, and a
//! failure as an error.

use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::bindings::wasi::io::poll::Pollable;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use std::cell::OnceCell;
use uv_handles_core::{PollEvents, Readiness};

/// The largest number of bytes to read ahead.
const AHEAD: usize = 65_536;

/// The reading side of a descriptor.
pub struct Reader {
    // The stream's child, so it is dropped before the stream.
    pollable: OnceCell<Pollable>,
    stream: InputStream,
    ahead: Vec<u8>,
    state: State,
    /// The code of a failure. WASI 0.2 does not tell the reason.
    failure: ErrorCode,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The stream has failed, and the guest has not been told yet.
    Failed,
    Ended,
}

impl Reader {
    pub fn new(stream: InputStream, failure: ErrorCode) -> Reader {
        Reader { pollable: OnceCell::new(), stream, ahead: Vec::new(), state: State::Open, failure }
    }

    pub fn read(&mut self, max: usize) -> Result<Vec<u8>, Error> {
        if max == 0 {
            return Ok(Vec::new());
        }
        if self.ahead.is_empty() {
            self.fill(max);
        }
        if !self.ahead.is_empty() {
            let rest = self.ahead.split_off(max.min(self.ahead.len()));
            return Ok(std::mem::replace(&mut self.ahead, rest));
        }
        match self.state {
            State::Open => Err(ErrorCode::Eagain.into()),
            State::Ended => Ok(Vec::new()),
            State::Failed => {
                self.state = State::Ended;
                Err(self.failure.into())
            }
        }
    }

    /// Reads from the stream, at most `max` bytes.
    fn fill(&mut self, max: usize) {
        if self.state != State::Open {
            return;
        }
        match self.stream.read(max as u64) {
            Ok(bytes) if self.ahead.is_empty() => self.ahead = bytes,
            Ok(bytes) => self.ahead.extend(bytes),
            Err(StreamError::Closed) => self.state = State::Ended,
            Err(StreamError::LastOperationFailed(_)) => self.state = State::Failed,
        }
    }

    /// Ends reading. Bytes that were read ahead are still delivered.
    pub fn shut_down(&mut self) {
        self.state = State::Ended;
    }

    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    pub fn known(&self) -> Readiness {
        let there = if self.ahead.is_empty() { Readiness::empty() } else { Readiness::READABLE };
        there
            | match self.state {
                State::Open => Readiness::empty(),
                State::Failed => Readiness::READABLE | Readiness::ERROR,
                State::Ended => Readiness::READABLE | Readiness::DISCONNECT,
            }
    }

    /// Whether the stream has to be asked to know about these events.
    pub fn is_unknown(&self, events: PollEvents) -> bool {
        let readable = events.contains(PollEvents::READABLE) && self.ahead.is_empty();
        // The end comes after all data. It cannot be seen while the read-ahead buffer is full.
        let disconnect = events.contains(PollEvents::DISCONNECT) && self.ahead.len() < AHEAD;
        self.state == State::Open && (readable || disconnect)
    }

    pub fn pollable(&self) -> &Pollable {
        self.pollable.get_or_init(|| self.stream.subscribe())
    }

    pub fn look(&mut self) -> Readiness {
        self.fill(AHEAD.saturating_sub(self.ahead.len()));
        self.known()
    }
}

/// The writing side of a descriptor.
pub struct Writer {
    // The stream's child, so it is dropped before the stream.
    pollable: OnceCell<Pollable>,
    stream: OutputStream,
    broken: bool,
    shut_down: bool,
    /// The code of a failure. WASI 0.2 does not tell the reason.
    failure: ErrorCode,
}

impl Writer {
    pub fn new(stream: OutputStream, failure: ErrorCode) -> Writer {
        Writer { pollable: OnceCell::new(), stream, broken: false, shut_down: false, failure }
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<u32, Error> {
        if self.broken || self.shut_down {
            return Err(ErrorCode::Epipe.into());
        }
        let permitted = self.stream.check_write().map_err(|error| self.failed(error))?;
        let fits = bytes.len().min(usize::try_from(permitted).unwrap_or(usize::MAX));
        if fits == 0 && !bytes.is_empty() {
            return Err(ErrorCode::Eagain.into());
        }
        if fits > 0 {
            self.stream.write(&bytes[..fits]).map_err(|error| self.failed(error))?;
            // Some runtimes buffer without it. The next call reports a failure of it.
            let _ = self.stream.flush();
        }
        Ok(fits as u32)
    }

    fn failed(&mut self, error: StreamError) -> Error {
        self.broken = true;
        match error {
            StreamError::Closed => ErrorCode::Epipe.into(),
            StreamError::LastOperationFailed(_) => self.failure.into(),
        }
    }

    /// Ends writing.
    pub fn shut_down(&mut self) {
        self.shut_down = true;
    }

    pub fn is_shut_down(&self) -> bool {
        self.shut_down
    }

    pub fn known(&self) -> Readiness {
        match (self.shut_down, self.broken) {
            // A write does not block: it fails with EPIPE.
            (true, _) => Readiness::WRITABLE,
            (false, true) => Readiness::ERROR,
            (false, false) => Readiness::empty(),
        }
    }

    /// Whether the stream has to be asked to know about these events.
    pub fn is_unknown(&self, events: PollEvents) -> bool {
        events.contains(PollEvents::WRITABLE) && !self.shut_down && !self.broken
    }

    pub fn pollable(&self) -> &Pollable {
        self.pollable.get_or_init(|| self.stream.subscribe())
    }

    pub fn look(&mut self) -> Readiness {
        match self.stream.check_write() {
            Ok(0) => Readiness::empty(),
            Ok(_) => Readiness::WRITABLE,
            Err(_) => {
                self.broken = true;
                Readiness::ERROR
            }
        }
    }

    /// Whether the runtime has not yet passed on all that was written.
    pub fn is_sending(&self) -> bool {
        matches!(self.stream.check_write(), Ok(0))
    }
}
