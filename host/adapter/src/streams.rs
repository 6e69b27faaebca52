//! WASI's streams as a poll handle needs them: what is ready is known, and not only that it is worth trying.
//!
//! A pollable says that reading is worth it, not whether it will bring data, the end or an error. So what
//! can be read is read ahead, as far as a poll handle has to know: then an end is a disconnect, and an error an
//! error.

use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::bindings::wasi::io::poll::Pollable;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use std::cell::OnceCell;
use uv_handles_core::{PollEvents, Readiness};

/// How many bytes are read ahead at most.
const AHEAD: usize = 65_536;

/// The reading side.
pub struct Reader {
    // Dropped first: it is the stream's child.
    pollable: OnceCell<Pollable>,
    stream: InputStream,
    ahead: Vec<u8>,
    state: State,
    /// What a failure is. WASI 0.2 does not tell.
    failure: ErrorCode,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// It has failed, and nobody has been told yet.
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

    /// Takes what the stream has, up to so many bytes.
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

    /// The guest does not want any more than has come.
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

    /// Whether the stream has to be asked for these events.
    pub fn is_unknown(&self, events: PollEvents) -> bool {
        let readable = events.contains(PollEvents::READABLE) && self.ahead.is_empty();
        // The end comes after everything else; it can not be seen behind more than fits.
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

/// The writing side.
pub struct Writer {
    // Dropped first: it is the stream's child.
    pollable: OnceCell<Pollable>,
    stream: OutputStream,
    broken: bool,
    shut_down: bool,
    /// What a failure is. WASI 0.2 does not tell.
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
            // Some runtimes would keep it otherwise. Whether that fails is seen by the next call.
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

    /// The guest does not write any more.
    pub fn shut_down(&mut self) {
        self.shut_down = true;
    }

    pub fn is_shut_down(&self) -> bool {
        self.shut_down
    }

    pub fn known(&self) -> Readiness {
        match (self.shut_down, self.broken) {
            // Writing shows it.
            (true, _) => Readiness::WRITABLE,
            (false, true) => Readiness::ERROR,
            (false, false) => Readiness::empty(),
        }
    }

    /// Whether the stream has to be asked for these events.
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

    /// Whether something that was written is still on its way to the runtime's OS.
    pub fn is_sending(&self) -> bool {
        matches!(self.stream.check_write(), Ok(0))
    }
}
