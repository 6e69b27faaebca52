//! The thread that ends the waits of loops when a signal was delivered.
//!
//! A signal handler may do little more than write(2). It writes to a socket, whose other end a
//! thread reads. The thread wakes every loop that watches signals.

#![expect(unsafe_code, reason = "a signal handler calls write(2) on a number")]

use crate::os::listeners::{SignalListener, wake_listeners};
use crate::os::portable::sockets::pair;
use crate::os::unix::access::wait_until_ready;
use crate::os::unix::signal_mask;
use mio::{Registry, Token};
use rustix::event::PollFlags;
use rustix::io::Errno;
use std::io;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering, fence};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The end of the socket that handlers write to. It stays open for the life of the process, because
/// a handler may be about to write to it.
static WRITER: AtomicI32 = AtomicI32::new(-1);

/// Held while the thread is started.
static STARTING: Mutex<()> = Mutex::new(());

/// Makes deliveries wake a loop or a set, until it is dropped.
#[derive(Debug)]
pub(crate) struct SignalWake(SignalListener);

impl SignalWake {
    /// Makes every delivery from now on call this function, which ends the poll's wait.
    pub(crate) fn new(
        _registry: &Registry,
        _token: Token,
        wake: impl Fn() -> io::Result<()> + Send + Sync + 'static,
    ) -> io::Result<SignalWake> {
        start()?;
        let listener = SignalListener::new(wake);
        // Either the handler sees the socket, or the reader of the log sees its delivery.
        fence(Ordering::SeqCst);
        Ok(SignalWake(listener))
    }

    /// Makes deliveries end the poll's wait no more.
    pub(crate) fn remove(self, _registry: &Registry) -> io::Result<()> {
        Ok(())
    }

    /// Returns whether there was a delivery since the last call that had no event of its own.
    pub(crate) fn take_delivery(&self) -> bool {
        self.0.take_delivery()
    }
}

/// Prepares for the first handler: starts the thread. If that fails, the first loop that waits for
/// signals tries again, and its wait returns the error.
pub(crate) fn prepare() {
    let _ = start();
}

/// Starts the thread, unless it runs. It ends with the process.
fn start() -> io::Result<()> {
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if WRITER.load(Ordering::Acquire) < 0 {
        WRITER.store(spawn()?.into_raw_fd(), Ordering::Release);
    }
    Ok(())
}

/// Spawns the thread, and returns the socket for handlers.
fn spawn() -> io::Result<OwnedFd> {
    let (reader, writer) = pair()?;
    thread::Builder::new().name("uv-handles wakes".into()).spawn(move || {
        signal_mask::block_all_except(None);
        let mut bytes = [0; 64];
        loop {
            match rustix::io::read(&reader, &mut bytes) {
                Ok(0) => return,
                Ok(_) => wake_listeners(),
                Err(Errno::AGAIN | Errno::INTR) => {
                    if wait_until_ready(&reader, PollFlags::IN).is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    })?;
    Ok(writer)
}

/// Ends the waits of all loops that watch signals. It is async-signal-safe. The delivery must have
/// been published.
pub(crate) fn wake_all() {
    fence(Ordering::SeqCst);
    let writer = WRITER.load(Ordering::Acquire);
    if writer >= 0 {
        // SAFETY: the buffer has a valid byte, and write(2) is async-signal-safe. It fails only if
        // there is no room, and then the thread has something to read anyway.
        unsafe { libc::write(writer, [0u8].as_ptr().cast(), 1) };
    }
}
