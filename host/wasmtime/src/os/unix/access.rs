//! Non-blocking access to a shared stream without changing its mode.
//!
//! `O_NONBLOCK` belongs to the open file description, which is shared with a terminal's other users
//! and with related processes. Setting it would break them, so each kind of file has its own
//! method.

use crate::os::native::always_ready::AlwaysReady;
use crate::os::native::description::reopen;
use crate::os::native::watched::Watched;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat};
use rustix::io::{self, Errno};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The method of access to a shared stream.
#[derive(Debug)]
pub(crate) enum Access {
    /// Through a separate non-blocking file description: a reopened pipe or terminal.
    Own(OwnedFd),
    /// With a flag on each call: a socket.
    Socket,
    /// Directly: a regular file or /dev/null, which the OS does not poll because it never blocks.
    /// Also a stream that is not open in this direction: each call fails with EBADF.
    Ready(AlwaysReady),
    /// With a poll, followed by a call that must not block: everything else.
    Shared(Watched),
}

impl Access {
    /// Returns the access to a stream in one direction, `RDONLY` or `WRONLY`. Reads and writes
    /// nothing.
    pub(crate) fn to(stream: BorrowedFd<'_>, direction: OFlags) -> io::Result<Access> {
        let stat = fstat(stream)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Socket {
            return Ok(Access::Socket);
        }
        let mode = fcntl_getfl(stream)? & OFlags::RWMODE;
        if mode != OFlags::RDWR && mode != direction {
            return Ok(Access::Ready(AlwaysReady::new()?));
        }
        if let Some(own) = reopen(stream, direction)?
            && (has_hung_up(&own)? || !has_hung_up(stream)?)
        {
            return Ok(Access::Own(own));
        }
        Ok(match Watched::new(stream, direction)? {
            Some(watched) => Access::Shared(watched),
            None => Access::Ready(AlwaysReady::new()?),
        })
    }
}

/// Reopens a pipe or terminal in the directions in which it is open, with a separate non-blocking
/// file description. Returns `None` for other files, and where the OS refuses.
pub(crate) fn reopened(stream: BorrowedFd<'_>) -> io::Result<Option<OwnedFd>> {
    let mode = fcntl_getfl(stream)? & OFlags::RWMODE;
    if let Some(own) = reopen(stream, mode)?
        && (has_hung_up(&own)? || !has_hung_up(stream)?)
    {
        return Ok(Some(own));
    }
    Ok(None)
}

/// Returns whether the stream is at its end. The new description of a FIFO does not report that if
/// the last writer closed it earlier.
fn has_hung_up(fd: impl AsFd) -> io::Result<bool> {
    let mut fds = [PollFd::new(&fd, PollFlags::empty())];
    retry(|| poll(&mut fds, Some(&Timespec::default())))?;
    Ok(fds[0].revents().contains(PollFlags::HUP))
}

/// Returns whether a call on the descriptor would not block. An error or the end counts as ready.
pub(crate) fn is_ready(fd: impl AsFd, events: PollFlags) -> io::Result<bool> {
    let mut fds = [PollFd::new(&fd, events)];
    retry(|| poll(&mut fds, Some(&Timespec::default()))).map(|ready| ready > 0)
}

/// Waits until a call on the descriptor would not block.
pub(crate) fn wait_until_ready(fd: impl AsFd, events: PollFlags) -> io::Result<()> {
    retry(|| poll(&mut [PollFd::new(&fd, events)], None)).map(drop)
}

/// Repeats a call that a signal interrupted.
pub(crate) fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::unix::test_terminal::{pipe, terminal};
    use std::os::unix::net::UnixStream;

    fn kind(stream: impl AsFd, direction: OFlags) -> &'static str {
        match Access::to(stream.as_fd(), direction).unwrap() {
            Access::Own(own) => {
                assert!(fcntl_getfl(&own).unwrap().contains(OFlags::NONBLOCK));
                assert!(!fcntl_getfl(&stream).unwrap().contains(OFlags::NONBLOCK));
                "own"
            }
            Access::Socket => "socket",
            Access::Ready(_) => "ready",
            Access::Shared(_) => "shared",
        }
    }

    #[test]
    fn each_kind_of_file_has_its_access() {
        let (read, write) = pipe();
        // Linux alone gives a pipe another description.
        let pipe =
            if cfg!(all(target_os = "linux", not(feature = "portable-os"))) { "own" } else { "shared" };
        assert_eq!(kind(&read, OFlags::RDONLY), pipe);
        assert_eq!(kind(&write, OFlags::WRONLY), pipe);
        let (socket, _peer) = UnixStream::pair().unwrap();
        assert_eq!(kind(&socket, OFlags::RDONLY), "socket");
        assert_eq!(kind(tempfile::tempfile().unwrap(), OFlags::WRONLY), "ready");
        assert_eq!(kind(std::fs::File::open("/dev/null").unwrap(), OFlags::RDONLY), "ready");
        let (master, slave) = terminal();
        assert_eq!(kind(slave, OFlags::RDONLY), "own");
        // Reopening the master would create another terminal.
        assert_eq!(kind(master, OFlags::RDONLY), "shared");
    }

    #[test]
    fn reopening_gains_no_permissions() {
        let (read, write) = pipe();
        assert_eq!(kind(&read, OFlags::WRONLY), "ready");
        assert_eq!(kind(&write, OFlags::RDONLY), "ready");
    }
}
