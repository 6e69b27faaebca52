//! Reads and writes with a flag of the call, `RWF_NOWAIT`: ENOSYS or EOPNOTSUPP where the file or
//! the system has no such flag.

use crate::os::unix::access::retry;
use rustix::io::{self, ReadWriteFlags};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::AsFd;

/// This offset stands for the descriptor's own.
const OWN_OFFSET: u64 = u64::MAX;

/// Reads what is there, whatever the mode of the descriptor.
#[inline]
pub(crate) fn read(fd: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    retry(|| io::preadv2(&fd, &mut [IoSliceMut::new(&mut *buffer)], OWN_OFFSET, ReadWriteFlags::NOWAIT))
}

/// Writes what fits, whatever the mode of the descriptor.
#[inline]
pub(crate) fn write(fd: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    let buffers = [IoSlice::new(bytes)];
    retry(|| io::pwritev2(&fd, &buffers, OWN_OFFSET, ReadWriteFlags::NOWAIT))
}
