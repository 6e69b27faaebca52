//! Descriptors.

use rustix::io::{self, fcntl_dupfd_cloexec};

/// The source from which a standard stream is duplicated.
pub(crate) use std::os::fd::AsFd as AsStream;
/// A descriptor that can be granted.
pub(crate) use std::os::fd::OwnedFd as Grantable;
pub(crate) use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// Returns a new descriptor of the same open file description, above those of standard streams.
pub(crate) fn duplicate(fd: impl AsFd) -> io::Result<OwnedFd> {
    fcntl_dupfd_cloexec(fd, 3)
}
