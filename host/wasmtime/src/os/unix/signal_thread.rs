//! A thread for the deliveries of a signal that all other threads may block.
//!
//! Processes inherit the signal mask of their parent, and supervisors block signals. The OS
//! delivers a signal for the process to any thread that does not block it. One such thread
//! suffices, and the masks of the embedder's threads stay as they are.

use crate::os::unix::signal_mask;
use std::io;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

/// A thread that does not block a signal. Dropping it ends the thread.
#[derive(Debug)]
pub(crate) struct SignalThread {
    /// Dropped to end the thread. Nothing is sent.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SignalThread {
    /// Starts the thread. When this returns, a pending signal has been or will be delivered.
    pub(crate) fn start(signum: i32) -> io::Result<SignalThread> {
        let (end, ended) = mpsc::channel();
        let (ready, is_ready) = mpsc::channel();
        let thread = thread::Builder::new().name("uv-handles signal".into()).spawn(move || {
            signal_mask::block_all_except(Some(signum));
            let _ = ready.send(());
            // The handler runs during this call.
            let _ = ended.recv();
        })?;
        // It fails only if the thread has ended.
        let _ = is_ready.recv();
        Ok(SignalThread { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for SignalThread {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
