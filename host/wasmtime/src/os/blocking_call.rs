//! One call that may block, made by a thread that is never waited for without limit.

use rustix::io::{self, Errno};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

/// How long the caller waits for the call before it goes on without the result.
///
/// The stream was ready right before, so the call ends at once unless somebody else was faster.
const PATIENCE: Duration = Duration::from_millis(10);

/// A call in progress, or its result.
#[derive(Debug)]
pub(crate) struct BlockingCall<T>(Receiver<io::Result<T>>);

impl<T: Send + 'static> BlockingCall<T> {
    /// Makes the call in a thread of its own. If the thread still blocks when the process ends, it
    /// ends with the process.
    pub(crate) fn start(
        call: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<BlockingCall<T>> {
        let (send, result) = mpsc::channel();
        std::thread::Builder::new()
            .name("uv-handles call".into())
            // Sending fails if the result is not wanted any more.
            .spawn(move || drop(send.send(call())))
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::AGAIN))?;
        Ok(BlockingCall(result))
    }

    /// The result, if it comes soon.
    pub(crate) fn result_soon(&self) -> Option<io::Result<T>> {
        self.result_within(PATIENCE)
    }

    /// The result, if it comes in time.
    pub(crate) fn result_within(&self, limit: Duration) -> Option<io::Result<T>> {
        match self.0.recv_timeout(limit) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(Errno::IO)),
        }
    }

    /// The result, if it is there.
    pub(crate) fn result_now(&self) -> Option<io::Result<T>> {
        match self.0.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(Errno::IO)),
        }
    }
}
