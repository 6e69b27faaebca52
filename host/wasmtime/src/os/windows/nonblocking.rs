//! Reads, writes and accepts that do not block.
//!
//! The mode belongs to the socket, which others may share, and cannot be read. A granted socket is
//! switched to non-blocking mode before each call, and stays in it. A socket that nothing else uses is
//! switched once.

use crate::os::windows::fd::OwnedFd;
use crate::os::windows::sockets;
use rustix::io::{self, Errno, ioctl_fionbio};
use rustix::net::{self, SocketAddrAny};
use std::os::windows::io::AsSocket;

/// How a descriptor is read and written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Socket,
}

impl Way {
    /// Switches a socket that nothing else uses to non-blocking mode, and returns its way.
    pub(crate) fn exclusive(socket: impl AsSocket) -> io::Result<Way> {
        ioctl_fionbio(socket, true)?;
        Ok(Way::Socket)
    }

    /// Reads what is there, as much as fits. The socket is in non-blocking mode.
    pub(crate) fn read(self, socket: impl AsSocket, buffer: &mut [u8]) -> io::Result<usize> {
        receive(socket, buffer)
    }

    /// Writes what fits. The socket is in non-blocking mode.
    pub(crate) fn write(self, socket: impl AsSocket, bytes: &[u8]) -> io::Result<usize> {
        send(socket, bytes)
    }
}

/// A granted socket.
#[derive(Debug)]
pub(crate) struct Shared {
    socket: OwnedFd,
}

impl Shared {
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Shared> {
        Ok(Shared { socket })
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.socket
    }

    /// Reads what is there, as much as fits.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        ioctl_fionbio(&self.socket, true)?;
        receive(&self.socket, buffer)
    }

    /// Writes what fits.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        ioctl_fionbio(&self.socket, true)?;
        send(&self.socket, bytes)
    }

    /// Accepts a connection, which is in non-blocking mode.
    pub(crate) fn accept(&self) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
        ioctl_fionbio(&self.socket, true)?;
        accept(&self.socket)
    }
}

/// Accepts a connection, which is in non-blocking mode as the listening socket is.
pub(crate) fn accept(listener: impl AsSocket) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    retry(|| sockets::accept(&listener))
}

/// Receives what is there. The socket is in non-blocking mode.
pub(crate) fn receive(socket: impl AsSocket, buffer: &mut [u8]) -> io::Result<usize> {
    match retry(|| net::recv(&socket, &mut *buffer, sockets::RECEIVE)) {
        // As on Unix: the end.
        Err(Errno::SHUTDOWN) => Ok(0),
        received => received.map(|(received, _)| received),
    }
}

/// Sends what fits. The socket is in non-blocking mode.
pub(crate) fn send(socket: impl AsSocket, bytes: &[u8]) -> io::Result<usize> {
    retry(|| sockets::send(&socket, bytes))
}

/// Repeats a call that was interrupted.
pub(crate) fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}
