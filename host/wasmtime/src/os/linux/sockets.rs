//! Calls on sockets whose flags differ between systems.

use rustix::io;
use rustix::net::{self, RecvFlags, SendFlags, SocketAddr, SocketAddrAny, SocketAddrUnix, SocketFlags};
use std::os::fd::{AsFd, OwnedFd};

const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// Accepts a connection, which is in non-blocking mode.
pub(crate) fn accept(listener: impl AsFd) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    net::acceptfrom_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)
}

/// Sends what fits. Never raises SIGPIPE.
#[inline]
pub(crate) fn send(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    net::send(socket, bytes, SEND)
}

/// Sends a datagram. Never raises SIGPIPE.
#[inline]
pub(crate) fn send_to(socket: impl AsFd, bytes: &[u8], address: &SocketAddr) -> io::Result<usize> {
    net::sendto(socket, bytes, SEND, address)
}

/// Converts the size of a socket's buffer to the one that was set: Linux returns twice that value.
pub(crate) fn set_size(size: usize) -> usize {
    size / 2
}

/// Receives what is there, whatever the socket's mode.
pub(crate) const RECEIVE: RecvFlags = RecvFlags::DONTWAIT;

/// Returns the path of a Unix socket.
pub(crate) fn path(address: &SocketAddrAny) -> Option<String> {
    let address = SocketAddrUnix::try_from(address.clone()).ok()?;
    address.path().map(|path| path.to_string_lossy().into_owned())
}
