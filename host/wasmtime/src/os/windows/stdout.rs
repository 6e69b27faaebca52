//! Standard output as a descriptor that a loop can poll: a thread writes.

use crate::os::interrupt::Interrupt;
use crate::os::windows::event::Event;
use crate::os::windows::fd::{AsStream, OwnedFd, errno};
use rustix::io::{self, Errno};
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// The interval of checks for an interrupt while the guest waits for a write in progress.
const GRACE: Duration = Duration::from_millis(250);

/// The most bytes that are accepted ahead of the stream.
const AHEAD: usize = 1 << 16;

/// How long a write waits for room. The watched socket is always writable, so a guest that tries
/// again at once does not spin.
const PATIENCE: Duration = Duration::from_millis(10);

/// A granted output.
#[derive(Debug)]
pub(crate) struct Output {
    stream: Arc<File>,
    /// Set when the guest first opens the output.
    writer: OnceLock<Arc<Writer>>,
}

#[derive(Debug)]
struct Writer {
    /// Its socket is always writable.
    socket: Event,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// The thread writes what it has taken.
    is_writing: bool,
    /// An error that the guest has not seen yet.
    error: Option<Errno>,
    /// The output is gone.
    is_closed: bool,
}

impl Output {
    /// An output to a duplicate of this stream. Nothing is opened yet.
    pub(crate) fn to(stream: &impl AsStream) -> std::io::Result<Output> {
        let stream = stream.as_handle().try_clone_to_owned()?;
        Ok(Output { stream: Arc::new(stream.into()), writer: OnceLock::new() })
    }

    /// A new descriptor that is always writable. The first call starts the thread.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        let writer = match self.writer.get() {
            Some(writer) => writer,
            None => {
                let writer = Writer::start(self.stream.clone())?;
                self.writer.get_or_init(|| writer)
            }
        };
        writer.socket.open()
    }

    /// Writes what fits, and waits for a moment if nothing does.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let Some(writer) = self.writer.get() else { return Err(Errno::BADF) };
        let state = writer.state();
        let is_full = |state: &mut State| state.error.is_none() && state.bytes.len() >= AHEAD;
        let waited = writer.changed.wait_timeout_while(state, PATIENCE, is_full);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        let length = bytes.len().min(AHEAD.saturating_sub(state.bytes.len()));
        if length == 0 && !bytes.is_empty() {
            return Err(Errno::AGAIN);
        }
        state.bytes.extend_from_slice(&bytes[..length]);
        writer.changed.notify_all();
        Ok(length)
    }

    /// Waits until everything is out that was reported as written, or the guest is interrupted.
    pub(crate) fn finish(&self, interrupt: &Interrupt) {
        let Some(writer) = self.writer.get() else { return };
        let mut state = writer.state();
        while (state.is_writing || !state.bytes.is_empty()) && !interrupt.is_set() {
            let waited = writer.changed.wait_timeout(state, GRACE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.get() {
            writer.state().is_closed = true;
            writer.changed.notify_all();
        }
    }
}

impl Writer {
    fn start(stream: Arc<File>) -> io::Result<Arc<Writer>> {
        let writer =
            Arc::new(Writer { socket: Event::new()?, state: Mutex::default(), changed: Condvar::new() });
        let writing = writer.clone();
        let thread = thread::Builder::new().name("uv-handles stdout".into());
        thread.spawn(move || writing.write_all(&stream)).map_err(errno)?;
        Ok(writer)
    }

    fn write_all(&self, mut stream: &File) {
        let mut state = self.state();
        loop {
            let wait = |state: &mut State| !state.is_closed && state.bytes.is_empty();
            state = self.changed.wait_while(state, wait).unwrap_or_else(PoisonError::into_inner);
            if state.bytes.is_empty() {
                return;
            }
            let bytes = std::mem::take(&mut state.bytes);
            state.is_writing = true;
            drop(state);
            let written = stream.write_all(&bytes);
            state = self.state();
            state.is_writing = false;
            if let Err(error) = written {
                state.error = Some(errno(error));
            }
            self.changed.notify_all();
        }
    }

    /// Locks the state. It is valid at any moment, so poisoning is ignored.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
