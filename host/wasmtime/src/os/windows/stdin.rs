//! Standard input as a descriptor that a loop can poll: a thread reads ahead.

use crate::os::windows::event::Event;
use crate::os::windows::fd::{AsStream, OwnedFd, errno};
use rustix::io::{self, Errno};
use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

/// The most bytes that are read ahead of the guest.
const AHEAD: usize = 4096;

/// A granted input.
#[derive(Debug)]
pub(crate) struct Input {
    stream: Arc<File>,
    /// Set when the guest first opens the input.
    reader: OnceLock<Arc<Reader>>,
}

/// The input that the thread has read.
#[derive(Debug)]
struct Reader {
    /// Set while a read of the guest has something to return.
    ready: Event,
    state: Mutex<State>,
    /// Tells the thread to read on, or to end.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// There is no more, or an error.
    end: Option<Result<(), Errno>>,
    /// The input is gone.
    is_closed: bool,
}

impl Input {
    /// An input from a duplicate of this stream. Nothing is read yet.
    pub(crate) fn from(stream: &impl AsStream) -> std::io::Result<Input> {
        let stream = stream.as_handle().try_clone_to_owned()?;
        Ok(Input { stream: Arc::new(stream.into()), reader: OnceLock::new() })
    }

    /// A new descriptor that is readable whenever the input is. The first call starts the thread.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        let reader = match self.reader.get() {
            Some(reader) => reader,
            None => {
                let reader = Reader::start(self.stream.clone())?;
                self.reader.get_or_init(|| reader)
            }
        };
        reader.ready.open()
    }

    /// Reads what is there, as much as fits, without waiting.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.reader.get() {
            _ if buffer.is_empty() => Ok(0),
            None => Err(Errno::BADF),
            Some(reader) => reader.read(buffer),
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.get() {
            reader.state().is_closed = true;
            reader.changed.notify_all();
        }
    }
}

impl Reader {
    /// Starts the thread. A read that still blocks when the process ends, ends with it.
    fn start(stream: Arc<File>) -> io::Result<Arc<Reader>> {
        let reader =
            Arc::new(Reader { ready: Event::new()?, state: Mutex::default(), changed: Condvar::new() });
        let reading = reader.clone();
        let thread = thread::Builder::new().name("uv-handles stdin".into());
        thread.spawn(move || reading.read_ahead(&stream)).map_err(errno)?;
        Ok(reader)
    }

    fn read_ahead(&self, stream: &File) {
        let mut room = vec![0; AHEAD];
        loop {
            let read = (&*stream).read(&mut room);
            let mut state = self.state();
            match read {
                Ok(0) => state.end = Some(Ok(())),
                Ok(read) => state.bytes.extend_from_slice(&room[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                // The writer of a pipe is gone.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => state.end = Some(Ok(())),
                Err(error) => state.end = Some(Err(errno(error))),
            }
            self.ready.set();
            let wait =
                |state: &mut State| !state.is_closed && (state.end.is_some() || !state.bytes.is_empty());
            let state = self.changed.wait_while(state, wait).unwrap_or_else(PoisonError::into_inner);
            if state.is_closed {
                return;
            }
        }
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        if state.bytes.is_empty() {
            return match state.end {
                None => Err(Errno::AGAIN),
                Some(end) => end.map(|()| 0),
            };
        }
        let length = state.bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&state.bytes[..length]);
        state.bytes.drain(..length);
        if state.bytes.is_empty() && state.end.is_none() {
            self.ready.clear();
            self.changed.notify_all();
        }
        Ok(length)
    }

    /// Locks the state. It is valid at any moment, so poisoning is ignored.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
