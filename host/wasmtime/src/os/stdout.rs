//! Standard output as a descriptor that a loop can poll, without ever changing the mode of the one that
//! the process shares with its terminal or its parent: [`stdin`](super::stdin) in the other direction.
//!
//! A pipe is opened once more, which gives a file description of our own. For everything else - a
//! file, a terminal, a socket - a thread reads what the guest writes from a pipe and passes it on.

use crate::os::interrupt::Interrupt;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::{self, Errno};
use rustix::pipe::{PipeFlags, pipe_with};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// How much the thread passes on at once.
const CHUNK: usize = 64 * 1024;

/// How long an interrupted guest's output may take to get out.
const GRACE: Duration = Duration::from_millis(250);

/// What keeps a granted output going.
#[derive(Debug)]
pub(crate) struct Stdout {
    /// Ends when everything is out. None for a pipe, which needs no thread.
    pumped: Option<Receiver<()>>,
}

impl Stdout {
    /// A descriptor that writes to `sink`, and what has to live longer than it.
    pub(crate) fn new(sink: OwnedFd) -> io::Result<(OwnedFd, Stdout)> {
        if FileType::from_raw_mode(fstat(&sink)?.st_mode) == FileType::Fifo
            && let Ok(own) = reopen(sink.as_fd())
        {
            return Ok((own, Stdout { pumped: None }));
        }
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        let (running, pumped) = mpsc::channel();
        std::thread::Builder::new()
            .name("uv-handles stdout".into())
            .spawn(move || {
                // The guest sees EPIPE afterwards, whatever the error was.
                if let Err(error) = pump(read, sink.as_fd()) {
                    tracing::debug!(%error, "standard output ended with an error");
                }
                drop(running);
            })
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::AGAIN))?;
        Ok((write, Stdout { pumped: Some(pumped) }))
    }

    /// Whether a thread passes the output on.
    pub(crate) fn is_pumped(&self) -> bool {
        self.pumped.is_some()
    }
}

/// A guest's outputs. Dropped after its descriptors, they wait until everything is out - but not for
/// ever if the guest was interrupted: whoever reads may have stopped reading.
#[derive(Debug)]
pub(crate) struct Stdouts {
    pub(crate) all: Vec<Stdout>,
    pub(crate) interrupt: Arc<Interrupt>,
}

impl Drop for Stdouts {
    fn drop(&mut self) {
        for pumped in self.all.iter().filter_map(|stdout| stdout.pumped.as_ref()) {
            // An interrupt may also come while it waits. Both kinds of error are the end.
            while pumped.recv_timeout(GRACE) == Err(mpsc::RecvTimeoutError::Timeout) {
                if self.interrupt.is_set() {
                    break;
                }
            }
        }
    }
}

/// Opens a pipe once more, by Linux's name for it.
fn reopen(pipe: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", pipe.as_raw_fd());
    open(path, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
}

/// Passes on what is written until all writers have closed it.
fn pump(source: OwnedFd, sink: BorrowedFd<'_>) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = match io::read(&source, &mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error),
        };
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            match io::write(sink, rest) {
                Ok(written) => rest = &rest[written..],
                Err(Errno::INTR) => {}
                // Somebody has switched a shared description to non-blocking mode.
                Err(Errno::AGAIN) => {
                    match poll(&mut [PollFd::from_borrowed_fd(sink, PollFlags::OUT)], None) {
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(error) => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::fcntl_getfl;
    use std::fs::File;
    use std::io::{Read, Seek, Write};
    use std::os::unix::net::UnixStream;

    fn stdouts(stdout: Stdout) -> Stdouts {
        Stdouts { all: vec![stdout], interrupt: Arc::default() }
    }

    #[test]
    fn a_pipe_is_reopened_and_its_mode_stays() {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let kept = write.try_clone().unwrap();
        let (own, stdout) = Stdout::new(write).unwrap();
        assert!(!stdout.is_pumped());
        assert!(fcntl_getfl(&own).unwrap().contains(OFlags::NONBLOCK));
        assert!(!fcntl_getfl(&kept).unwrap().contains(OFlags::NONBLOCK));
        File::from(own).write_all(b"abc").unwrap();
        drop(kept);
        let mut all = Vec::new();
        File::from(read).read_to_end(&mut all).unwrap();
        assert_eq!(all, b"abc");
    }

    #[test]
    fn everything_is_in_a_file_when_the_output_is_dropped() {
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..1_000_000u32).map(|n| n as u8).collect();
        let (own, stdout) = Stdout::new(file.try_clone().unwrap().into()).unwrap();
        assert!(stdout.is_pumped());
        File::from(own).write_all(&content).unwrap();
        drop(stdouts(stdout));
        let mut all = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut all).unwrap();
        assert!(all == content);
    }

    #[test]
    fn a_slow_reader_gets_everything_unless_the_guest_is_set() {
        let (socket, mut reader) = UnixStream::pair().unwrap();
        socket.set_nonblocking(true).unwrap();
        let content = vec![7; 1 << 20];
        let (own, stdout) = Stdout::new(socket.into()).unwrap();
        let length = content.len();
        let writer = std::thread::spawn(move || {
            File::from(own).write_all(&content).unwrap();
            drop(stdouts(stdout));
        });
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        writer.join().unwrap();
        assert_eq!(all.len(), length);

        // Full to the last byte, so that what the guest writes can never get out.
        let (mut full, _never_read) = UnixStream::pair().unwrap();
        full.set_nonblocking(true).unwrap();
        for size in [CHUNK, 1] {
            while full.write(&vec![0; size]).is_ok() {}
        }
        full.set_nonblocking(false).unwrap();
        let (own, stdout) = Stdout::new(full.into()).unwrap();
        File::from(own).write_all(b"stuck").unwrap();
        let stdouts = stdouts(stdout);
        stdouts.interrupt.set();
        drop(stdouts);
    }

    #[test]
    fn when_nobody_reads_the_writer_gets_an_error() {
        let (socket, reader) = UnixStream::pair().unwrap();
        drop(reader);
        let (own, _stdout) = Stdout::new(socket.into()).unwrap();
        let mut own = File::from(own);
        let error = loop {
            if let Err(error) = own.write_all(b"anybody there?\n") {
                break error;
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
}
