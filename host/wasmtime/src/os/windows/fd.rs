//! Descriptors: sockets, the only kind that this system can poll.

use rustix::io::{self, Errno};
use std::os::windows::io::{AsRawSocket, BorrowedSocket, OwnedSocket, RawSocket};

/// The source from which a standard stream is duplicated.
pub(crate) use std::os::windows::io::AsHandle as AsStream;
pub(crate) use std::os::windows::io::AsSocket;
/// A socket that can be granted.
pub(crate) use std::os::windows::io::OwnedSocket as Grantable;

pub(crate) type OwnedFd = OwnedSocket;
pub(crate) type BorrowedFd<'a> = BorrowedSocket<'a>;
pub(crate) type RawFd = RawSocket;

/// As std's trait of this name on Unix.
pub(crate) trait AsFd {
    fn as_fd(&self) -> BorrowedFd<'_>;
}

impl<T: AsSocket> AsFd for T {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.as_socket()
    }
}

/// As std's trait of this name on Unix.
pub(crate) trait AsRawFd {
    fn as_raw_fd(&self) -> RawFd;
}

impl<T: AsRawSocket> AsRawFd for T {
    fn as_raw_fd(&self) -> RawFd {
        self.as_raw_socket()
    }
}

/// Returns a new socket of the same connection.
pub(crate) fn duplicate(socket: &OwnedFd) -> io::Result<OwnedFd> {
    socket.try_clone().map_err(errno)
}

pub(crate) fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::INVAL)
}
