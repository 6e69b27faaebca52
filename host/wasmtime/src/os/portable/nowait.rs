//! Reads and writes with a flag of the call, which Linux alone has: always ENOSYS.

use rustix::io::{self, Errno};
use std::os::fd::AsFd;

pub(crate) fn read(_fd: impl AsFd, _buffer: &mut [u8]) -> io::Result<usize> {
    Err(Errno::NOSYS)
}

pub(crate) fn write(_fd: impl AsFd, _bytes: &[u8]) -> io::Result<usize> {
    Err(Errno::NOSYS)
}
