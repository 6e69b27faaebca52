//! Streams in memory, which stand for the descriptors of a host.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::rc::Rc;

use uv_handles_core::Readiness;

use crate::bindings::uv::handles::types::ErrorCode;
use crate::native::world::with;

/// How many bytes one direction of a stream holds.
const CAPACITY: usize = 64 * 1024;

/// The part of an open descriptor behind its resource.
pub(super) trait Source {
    fn readiness(&self) -> Readiness;
    fn read(&self, max: usize) -> Result<Vec<u8>, ErrorCode>;
    fn write(&self, bytes: &[u8]) -> Result<u32, ErrorCode>;
    fn accept(&self) -> Result<Rc<dyn Source>, ErrorCode>;
    fn shutdown(&self, reads: bool, writes: bool) -> Result<(), ErrorCode>;
    fn close(&self);
}

/// A name that the guest can open.
pub(crate) enum Grant {
    /// Opened once, as a descriptor that an embedder hands over.
    Stream(Option<End>),
    Listener(Rc<Backlog>),
}

impl Grant {
    /// None if it is open.
    pub(super) fn open(&mut self) -> Option<Rc<dyn Source>> {
        match self {
            Self::Stream(end) => end.take().map(|end| Rc::new(end) as Rc<dyn Source>),
            Self::Listener(backlog) => {
                (!backlog.is_open.replace(true)).then(|| backlog.clone() as Rc<dyn Source>)
            }
        }
    }
}

/// One direction of a stream.
#[derive(Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    /// The writing side has ended.
    is_ended: bool,
    /// The reading side does not read any more.
    is_refused: bool,
}

/// One side of a stream.
pub(crate) struct End {
    input: Rc<RefCell<Pipe>>,
    output: Rc<RefCell<Pipe>>,
    /// The connection has been reset, as both sides see it.
    is_reset: Rc<Cell<bool>>,
}

fn pair() -> (End, End) {
    let [one, other] = [Rc::<RefCell<Pipe>>::default(), Rc::default()];
    let is_reset = Rc::<Cell<bool>>::default();
    let end = End { input: one.clone(), output: other.clone(), is_reset: is_reset.clone() };
    (end, End { input: other, output: one, is_reset })
}

impl Source for End {
    fn readiness(&self) -> Readiness {
        let (input, output) = (self.input.borrow(), self.output.borrow());
        let mut ready = Readiness::empty();
        ready.set(Readiness::READABLE, !input.bytes.is_empty() || input.is_ended);
        ready.set(Readiness::DISCONNECT, input.is_ended);
        ready.set(Readiness::WRITABLE, output.bytes.len() < CAPACITY || output.is_refused);
        ready.set(Readiness::HANGUP, input.is_ended && output.is_refused);
        ready.set(Readiness::ERROR, self.is_reset.get());
        ready
    }

    fn read(&self, max: usize) -> Result<Vec<u8>, ErrorCode> {
        if self.is_reset.get() {
            return Err(ErrorCode::Econnreset);
        }
        let mut input = self.input.borrow_mut();
        if input.bytes.is_empty() && !input.is_ended && max > 0 {
            return Err(ErrorCode::Eagain);
        }
        let count = max.min(input.bytes.len());
        Ok(input.bytes.drain(..count).collect())
    }

    fn write(&self, bytes: &[u8]) -> Result<u32, ErrorCode> {
        let mut output = self.output.borrow_mut();
        if self.is_reset.get() || output.is_refused || output.is_ended {
            return Err(ErrorCode::Epipe);
        }
        let fits = bytes.len().min(CAPACITY - output.bytes.len());
        if fits == 0 && !bytes.is_empty() {
            return Err(ErrorCode::Eagain);
        }
        output.bytes.extend(&bytes[..fits]);
        Ok(fits as u32)
    }

    fn accept(&self) -> Result<Rc<dyn Source>, ErrorCode> {
        Err(ErrorCode::Einval)
    }

    fn shutdown(&self, reads: bool, writes: bool) -> Result<(), ErrorCode> {
        if reads {
            let mut input = self.input.borrow_mut();
            (input.is_ended, input.is_refused) = (true, true);
        }
        if writes {
            self.output.borrow_mut().is_ended = true;
        }
        Ok(())
    }

    fn close(&self) {
        self.output.borrow_mut().is_ended = true;
        self.input.borrow_mut().is_refused = true;
    }
}

/// The connections that wait for an accept.
#[derive(Default)]
pub(crate) struct Backlog {
    waiting: RefCell<VecDeque<End>>,
    is_open: Cell<bool>,
}

impl Source for Backlog {
    fn readiness(&self) -> Readiness {
        let mut ready = Readiness::empty();
        ready.set(Readiness::READABLE, !self.waiting.borrow().is_empty());
        ready
    }

    fn read(&self, _: usize) -> Result<Vec<u8>, ErrorCode> {
        Err(ErrorCode::Enotconn)
    }

    fn write(&self, _: &[u8]) -> Result<u32, ErrorCode> {
        Err(ErrorCode::Enotconn)
    }

    fn accept(&self) -> Result<Rc<dyn Source>, ErrorCode> {
        match self.waiting.borrow_mut().pop_front() {
            Some(end) => Ok(Rc::new(end)),
            None => Err(ErrorCode::Eagain),
        }
    }

    fn shutdown(&self, _: bool, _: bool) -> Result<(), ErrorCode> {
        Err(ErrorCode::Enotconn)
    }

    fn close(&self) {
        self.is_open.set(false);
    }
}

/// Makes a stream in memory that the guest opens once under this name, and returns its other end.
///
/// ```
/// use std::io::{Read, Write};
/// use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, native};
///
/// # fn main() -> Result<()> {
/// let mut peer = native::stream("echo");
/// let event_loop = Loop::new()?;
/// let echo = Descriptor::open("echo")?;
/// let poll = Poll::new(&event_loop, &echo)?;
/// poll.start_with(PollEvents::READABLE, move |poll, _| {
///     match echo.read_vec(100) {
///         Ok(bytes) if bytes.is_empty() => poll.close(),
///         Ok(bytes) => assert_eq!(echo.write(&bytes), Ok(bytes.len())),
///         Err(error) => panic!("{error}"),
///     }
/// })?;
/// peer.write_all(b"hello").unwrap();
/// peer.end();
/// event_loop.run(RunMode::Default)?;
/// let mut answer = [0; 100];
/// assert_eq!(peer.read(&mut answer).unwrap(), 5);
/// assert_eq!(&answer[..5], b"hello");
/// # event_loop.close()
/// # }
/// ```
pub fn stream(name: &str) -> Peer {
    let (guest, test) = pair();
    with(|world| world.grants.insert(name.to_owned(), Grant::Stream(Some(guest))));
    Peer(test)
}

/// Makes a listening socket in memory that the guest opens under this name.
pub fn listener(name: &str) -> Listener {
    let backlog = Rc::<Backlog>::default();
    with(|world| world.grants.insert(name.to_owned(), Grant::Listener(backlog.clone())));
    Listener(backlog)
}

/// The side from which a test connects to a [listener] of the guest.
pub struct Listener(Rc<Backlog>);

impl Listener {
    /// Connects. The guest accepts the connection when it comes to that.
    pub fn connect(&self) -> Peer {
        let (guest, test) = pair();
        self.0.waiting.borrow_mut().push_back(guest);
        Peer(test)
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

/// The other end of a [stream] of the guest. Dropping it ends the connection.
///
/// Reads and writes do not block: as for any non-blocking stream, the answer is
/// [`WouldBlock`](io::ErrorKind::WouldBlock). One direction holds 64 KiB.
pub struct Peer(End);

impl Peer {
    /// Ends the guest's input. Reading goes on.
    pub fn end(&self) {
        self.0.output.borrow_mut().is_ended = true;
    }

    /// Resets the connection: the guest's poll handle is called with EBADF, its reads answer
    /// ECONNRESET, and its writes EPIPE.
    pub fn reset(&self) {
        self.0.is_reset.set(true);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").finish_non_exhaustive()
    }
}

impl io::Read for Peer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.read(buffer.len()).map_err(error)?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl io::Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.0.write(bytes).map_err(error)? as usize)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn error(code: ErrorCode) -> io::Error {
    crate::Error::from(crate::StatusCode::from(code)).into()
}
