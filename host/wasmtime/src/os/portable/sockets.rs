//! Calls on sockets whose flags differ between systems.

use crate::os::unix::held_mode::set_nonblocking;
use rustix::io::{self, Errno, FdFlags, fcntl_setfd};
use rustix::net::{self, RecvFlags, SendFlags, SocketAddr, SocketAddrAny, SocketAddrUnix};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
/// Without a flag against SIGPIPE, which these systems do not have.
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::DONTWAIT;

/// Accepts a connection, which is in non-blocking mode.
pub(crate) fn accept(listener: impl AsFd) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    let (accepted, peer) = net::acceptfrom(listener)?;
    fcntl_setfd(&accepted, FdFlags::CLOEXEC)?;
    set_nonblocking(&accepted, true)?;
    Ok((accepted, peer))
}

/// Sends what fits. Never raises SIGPIPE.
pub(crate) fn send(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    without_sigpipe(|| net::send(&socket, bytes, SEND))
}

/// Sends a datagram. Never raises SIGPIPE.
pub(crate) fn send_to(socket: impl AsFd, bytes: &[u8], address: &SocketAddr) -> io::Result<usize> {
    without_sigpipe(|| net::sendto(&socket, bytes, SEND, address))
}

#[cfg(not(target_vendor = "apple"))]
fn without_sigpipe<T>(call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    call()
}

#[cfg(target_vendor = "apple")]
use crate::os::unix::signal_mask::without_sigpipe;

/// Converts the size of a socket's buffer to the one that was set: Linux returns twice that value.
pub(crate) fn set_size(size: usize) -> usize {
    if cfg!(target_os = "linux") { size / 2 } else { size }
}

/// Returns two connected sockets in non-blocking mode.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let make = || {
        let (one, two) = UnixStream::pair()?;
        one.set_nonblocking(true)?;
        two.set_nonblocking(true)?;
        Ok((one.into(), two.into()))
    };
    make().map_err(|error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// Receives what is there, whatever the socket's mode.
pub(crate) const RECEIVE: RecvFlags = RecvFlags::DONTWAIT;

/// Returns the path of a Unix socket.
pub(crate) fn path(address: &SocketAddrAny) -> Option<String> {
    let address = SocketAddrUnix::try_from(address.clone()).ok()?;
    address.path().map(|path| path.to_string_lossy().into_owned())
}
