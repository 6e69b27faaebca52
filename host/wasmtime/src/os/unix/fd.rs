//! Descriptors.

use rustix::io::{self, fcntl_dupfd_cloexec};

/// What a standard stream can be duplicated from.
pub(crate) use std::os::fd::AsFd as AsStream;
/// What can be granted.
pub(crate) use std::os::fd::OwnedFd as Grantable;
pub(crate) use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// Returns a new descriptor of the same open file description, above those of standard streams.
pub(crate) fn duplicate(fd: impl AsFd) -> io::Result<OwnedFd> {
    fcntl_dupfd_cloexec(fd, 3)
}
