//! A call that may block, in its own thread, with a timeout.

use rustix::io::{self, Errno};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

/// How long the caller waits for the call before it continues without the result.
///
/// The stream was ready just before, so the call returns at once unless another process was faster.
const PATIENCE: Duration = Duration::from_millis(10);

/// A call in progress, or its result.
#[derive(Debug)]
pub(crate) struct BlockingCall<T>(Receiver<io::Result<T>>);

impl<T: Send + 'static> BlockingCall<T> {
    /// Makes the call in its own thread. A thread that still blocks when the process ends, ends
    /// with it.
    pub(crate) fn start(
        call: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<BlockingCall<T>> {
        let (send, result) = mpsc::channel();
        std::thread::Builder::new()
            .name("uv-handles call".into())
            // The send fails if the receiver has been dropped.
            .spawn(move || drop(send.send(call())))
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::AGAIN))?;
        Ok(BlockingCall(result))
    }

    /// Returns the result if it arrives within `PATIENCE`.
    pub(crate) fn result_soon(&self) -> Option<io::Result<T>> {
        self.result_within(PATIENCE)
    }

    /// Returns the result if it arrives within `limit`.
    pub(crate) fn result_within(&self, limit: Duration) -> Option<io::Result<T>> {
        match self.0.recv_timeout(limit) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(Errno::IO)),
        }
    }

    /// Returns the result if it has arrived.
    pub(crate) fn result_now(&self) -> Option<io::Result<T>> {
        match self.0.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(Errno::IO)),
        }
    }
}
