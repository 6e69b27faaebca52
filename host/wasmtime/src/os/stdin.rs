//! Standard input as a descriptor that a loop can poll, without ever changing the mode of the one
//! that the process shares with its terminal or its parent.
//!
//! A pipe is opened once more, which gives a file description of our own. Everything else - a
//! file or /dev/null, which epoll refuses; a terminal or a socket, whose mode is shared - is read by a
//! thread that passes it on through a pipe. The thread ends with the [`Stdin`].

use crate::os::descriptors::set_nonblocking;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::{self, Errno};
use rustix::pipe::{PipeFlags, pipe_with};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::thread::JoinHandle;

/// How much the thread reads at once.
const CHUNK: usize = 64 * 1024;

/// What keeps a granted standard input going.
#[derive(Debug)]
pub(crate) struct Stdin {
    /// None for a pipe, which needs no thread.
    pump: Option<Pump>,
}

impl Stdin {
    /// Whether a thread passes the input on.
    pub(crate) fn is_pumped(&self) -> bool {
        self.pump.is_some()
    }
}

#[derive(Debug)]
struct Pump {
    /// Becomes readable when the thread is to end.
    stop: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

impl Stdin {
    /// A descriptor that reads what `source` reads, and what has to live as long as it.
    pub(crate) fn new(source: OwnedFd) -> io::Result<(OwnedFd, Stdin)> {
        if FileType::from_raw_mode(fstat(&source)?.st_mode) == FileType::Fifo
            && let Ok(own) = reopen(source.as_fd())
        {
            return Ok((own, Stdin { pump: None }));
        }
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        set_nonblocking(&write, true)?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let stopped = io::fcntl_dupfd_cloexec(&stop, 0)?;
        let thread = std::thread::Builder::new()
            .name("uv-handles stdin".into())
            .spawn(move || {
                // The end of the input and an error look the same to the guest: the pipe ends.
                if let Err(error) = pump(source.as_fd(), write.as_fd(), stopped.as_fd()) {
                    tracing::debug!(%error, "standard input ended with an error");
                }
            })
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::AGAIN))?;
        Ok((read, Stdin { pump: Some(Pump { stop, thread: Some(thread) }) }))
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        let written = io::write(&self.stop, &1u64.to_ne_bytes());
        if let (Ok(_), Some(thread)) = (written, self.thread.take()) {
            // It panics nowhere; if it did, its input is over all the same.
            let _ = thread.join();
        }
    }
}

/// Opens a pipe once more, by Linux's name for it.
fn reopen(pipe: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", pipe.as_raw_fd());
    open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
}

/// Passes on what can be read until the end, the reader's end, or the stop.
fn pump(source: BorrowedFd<'_>, sink: BorrowedFd<'_>, stop: BorrowedFd<'_>) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    while ready(source, PollFlags::IN, stop)? {
        let read = match io::read(source, &mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            // Somebody else was faster, on a description that is not in blocking mode.
            Err(Errno::AGAIN | Errno::INTR) => continue,
            Err(error) => return Err(error),
        };
        let mut rest = &buffer[..read];
        while !rest.is_empty() && ready(sink, PollFlags::OUT, stop)? {
            match io::write(sink, rest) {
                Ok(written) => rest = &rest[written..],
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Waits until the descriptor is ready. Answers false when it is time to stop.
fn ready(fd: BorrowedFd<'_>, events: PollFlags, stop: BorrowedFd<'_>) -> io::Result<bool> {
    loop {
        let mut fds = [PollFd::from_borrowed_fd(stop, PollFlags::IN), PollFd::from_borrowed_fd(fd, events)];
        match poll(&mut fds, None) {
            Ok(_) if !fds[0].revents().is_empty() => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::fcntl_getfl;
    use std::io::{Read, Write};

    fn read_all(fd: OwnedFd) -> Vec<u8> {
        set_nonblocking(&fd, false).unwrap();
        let mut all = Vec::new();
        std::fs::File::from(fd).read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn a_pipe_is_reopened_and_its_mode_stays() {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let kept = read.try_clone().unwrap();
        let (own, stdin) = Stdin::new(read).unwrap();
        assert!(!stdin.is_pumped());
        set_nonblocking(&own, true).unwrap();
        assert!(!fcntl_getfl(&kept).unwrap().contains(OFlags::NONBLOCK));
        std::fs::File::from(write).write_all(b"abc").unwrap();
        assert_eq!(read_all(own), b"abc");
    }

    #[test]
    fn a_file_is_passed_on_to_its_end() {
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..1_000_000u32).map(|n| n as u8).collect();
        file.write_all(&content).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        let (own, _stdin) = Stdin::new(file.into()).unwrap();
        assert_eq!(read_all(own), content);
    }

    #[test]
    fn dev_null_is_an_empty_input() {
        let null = std::fs::File::open("/dev/null").unwrap();
        let (own, _stdin) = Stdin::new(null.into()).unwrap();
        assert_eq!(read_all(own), b"");
    }

    #[test]
    fn the_thread_ends_although_its_input_is_silent_or_its_reader_slow() {
        let (silent, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
        let (_own, stdin) = Stdin::new(silent.into()).unwrap();
        assert!(stdin.is_pumped());
        drop(stdin);

        let (fast, mut peer) = std::os::unix::net::UnixStream::pair().unwrap();
        peer.set_nonblocking(true).unwrap();
        let (_never_read, stdin) = Stdin::new(fast.into()).unwrap();
        while peer.write(&[0; CHUNK]).is_ok() {}
        drop(stdin);
    }
}
