//! Non-blocking access to a shared stream without changing its mode.
//!
//! `O_NONBLOCK` belongs to the open file description, which is shared with a terminal's other users
//! and with related processes. Setting it would break them, so each kind of file has its own
//! method.

use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::fs::{FileType, Mode, OFlags, Stat, fcntl_getfl, fstat, major, minor, open};
use rustix::io::{self, Errno};
use std::io::IsTerminal;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The method of access to a shared stream.
#[derive(Debug)]
pub(crate) enum Access {
    /// Through a separate non-blocking file description: a reopened pipe or terminal.
    Own(OwnedFd),
    /// With a flag on each call: a socket.
    Socket,
    /// Directly: a regular file or /dev/null, which the OS does not poll because it never blocks.
    /// Also a stream that is not open in this direction: each call fails with EBADF.
    Ready,
    /// With a poll, followed by a call that must not block: everything else. The descriptor is an
    /// epoll instance that watches the stream.
    Shared(OwnedFd),
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
            return Ok(Access::Ready);
        }
        if may_reopen(stream, &stat)
            && let Ok(own) = reopen(stream, direction)
            && (has_hung_up(&own)? || !has_hung_up(stream)?)
        {
            return Ok(Access::Own(own));
        }
        let watching = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let events = match direction {
            OFlags::RDONLY => epoll::EventFlags::IN,
            _ => epoll::EventFlags::OUT,
        };
        match epoll::add(&watching, stream, epoll::EventData::new_u64(0), events) {
            Ok(()) => Ok(Access::Shared(watching)),
            Err(Errno::PERM) => Ok(Access::Ready),
            Err(error) => Err(error),
        }
    }
}

/// Returns whether reopening the stream's file yields the same pipe or terminal.
fn may_reopen(stream: BorrowedFd<'_>, stat: &Stat) -> bool {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo => true,
        // These names refer to a different terminal each time: /dev/tty, /dev/console, /dev/ptmx,
        // /dev/tty0.
        FileType::CharacterDevice => {
            let alias = major(stat.st_rdev) == 5 || (major(stat.st_rdev), minor(stat.st_rdev)) == (4, 0);
            stream.is_terminal() && !alias
        }
        _ => false,
    }
}

/// Reopens a pipe or terminal by its name in Linux's /proc.
fn reopen(stream: BorrowedFd<'_>, direction: OFlags) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", stream.as_raw_fd());
    open(path, direction | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())
}

/// Reopens a pipe or terminal in the directions in which it is open, with a separate non-blocking
/// file description. Returns `None` for other files, and where the OS refuses.
pub(crate) fn reopened(stream: BorrowedFd<'_>) -> io::Result<Option<OwnedFd>> {
    let mode = fcntl_getfl(stream)? & OFlags::RWMODE;
    if may_reopen(stream, &fstat(stream)?)
        && let Ok(own) = reopen(stream, mode)
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
    use rustix::pipe::{PipeFlags, pipe_with};
    use std::os::unix::net::UnixStream;

    fn kind(stream: impl AsFd, direction: OFlags) -> &'static str {
        match Access::to(stream.as_fd(), direction).unwrap() {
            Access::Own(own) => {
                assert!(fcntl_getfl(&own).unwrap().contains(OFlags::NONBLOCK));
                assert!(!fcntl_getfl(&stream).unwrap().contains(OFlags::NONBLOCK));
                "own"
            }
            Access::Socket => "socket",
            Access::Ready => "ready",
            Access::Shared(_) => "shared",
        }
    }

    #[test]
    fn each_kind_of_file_has_its_access() {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        assert_eq!(kind(&read, OFlags::RDONLY), "own");
        assert_eq!(kind(&write, OFlags::WRONLY), "own");
        let (socket, _peer) = UnixStream::pair().unwrap();
        assert_eq!(kind(&socket, OFlags::RDONLY), "socket");
        assert_eq!(kind(tempfile::tempfile().unwrap(), OFlags::WRONLY), "ready");
        assert_eq!(kind(std::fs::File::open("/dev/null").unwrap(), OFlags::RDONLY), "ready");
        let (master, slave) = crate::os::test_terminal::terminal();
        assert_eq!(kind(slave, OFlags::RDONLY), "own");
        // Reopening the master would create another terminal.
        assert_eq!(kind(master, OFlags::RDONLY), "shared");
    }

    #[test]
    fn reopening_gains_no_permissions() {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        assert_eq!(kind(&read, OFlags::WRONLY), "ready");
        assert_eq!(kind(&write, OFlags::RDONLY), "ready");
    }
}
