//! Writes to the standard streams.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// A file that is always empty.
pub const NULL: &str = "/dev/null";

/// Writes all of it to standard output, and waits for the reader as long as it takes.
pub fn write_output(bytes: &[u8]) -> io::Result<()> {
    write_all(io::stdout().as_fd(), bytes)
}

/// Writes all of it to standard error, and waits for the reader as long as it takes.
pub fn write_error(bytes: &[u8]) -> io::Result<()> {
    write_all(io::stderr().as_fd(), bytes)
}

fn write_all(fd: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            // The stream is full, and another process has made it non-blocking.
            Err(Errno::AGAIN) => match poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether standard output is a pipe or socket without a reader.
pub fn output_is_closed() -> bool {
    let stdout = io::stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok()
        && fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_full_stream_that_does_not_block_is_waited_for() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let content = vec![7; 1 << 20];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                write_all(ours.as_fd(), &content).unwrap();
                ours.shutdown(std::net::Shutdown::Write).unwrap();
            });
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).unwrap();
            assert!(all == content);
        });
        drop(theirs);
        let error = write_all(ours.as_fd(), b"hello").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
