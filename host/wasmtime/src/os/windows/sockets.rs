//! Calls on sockets. There is no flag for a call that does not block, so sockets are in non-blocking
//! mode: see `nonblocking`.

use rustix::io::{self, ioctl_fionbio};
use rustix::net::{self, RecvFlags, SendFlags, SocketAddr, SocketAddrAny};
use std::os::windows::io::{AsSocket, OwnedSocket};

pub(crate) const RECEIVE: RecvFlags = RecvFlags::empty();

/// Accepts a connection, which is in non-blocking mode.
pub(crate) fn accept(listener: impl AsSocket) -> io::Result<(OwnedSocket, Option<SocketAddrAny>)> {
    let (accepted, peer) = net::acceptfrom(listener)?;
    ioctl_fionbio(&accepted, true)?;
    Ok((accepted, peer))
}

/// Sends what fits.
pub(crate) fn send(socket: impl AsSocket, bytes: &[u8]) -> io::Result<usize> {
    net::send(socket, bytes, SendFlags::empty())
}

/// Sends a datagram.
pub(crate) fn send_to(socket: impl AsSocket, bytes: &[u8], address: &SocketAddr) -> io::Result<usize> {
    net::sendto(socket, bytes, SendFlags::empty(), address)
}

/// Converts the size of a socket's buffer to the one that was set.
pub(crate) fn set_size(size: usize) -> usize {
    size
}

/// Unix sockets have no names here.
pub(crate) fn path(_address: &SocketAddrAny) -> Option<String> {
    None
}
