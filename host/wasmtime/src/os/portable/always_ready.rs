//! A descriptor that is always ready.

use rustix::io::{self, Errno, fcntl_dupfd_cloexec};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// The watched descriptor of a stream that never blocks and cannot be polled: a socket with a byte
/// that is never read, and with room that is never used.
#[derive(Debug)]
pub(crate) struct AlwaysReady {
    socket: UnixStream,
    _peer: UnixStream,
}

impl AlwaysReady {
    pub(crate) fn new() -> io::Result<AlwaysReady> {
        let make = || {
            let (socket, mut peer) = UnixStream::pair()?;
            peer.write_all(&[0])?;
            Ok(AlwaysReady { socket, _peer: peer })
        };
        make().map_err(|error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }

    /// Returns a new descriptor that is always readable and writable.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        fcntl_dupfd_cloexec(&self.socket, 3)
    }
}
