//! Standard input as a descriptor that a loop can poll.
//!
//! The host reads when the guest reads, and no more than the guest asks for. The mode of the open
//! file description, which the process shares with its terminal or its parent, stays as it is.

use crate::os::native::always_ready::AlwaysReady;
use crate::os::native::event::Event;
use crate::os::native::nowait;
use crate::os::native::watched::Watched;
use crate::os::unix::access::{Access, is_ready, retry};
use crate::os::unix::blocking_call::BlockingCall;
use crate::os::unix::nonblocking::receive;
use rustix::event::PollFlags;
use rustix::fs::OFlags;
use rustix::io::{self, Errno, fcntl_dupfd_cloexec};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A granted input.
#[derive(Debug)]
pub(crate) struct Input {
    stream: Arc<OwnedFd>,
    /// Set when the guest first opens the input.
    reader: OnceLock<Reader>,
}

#[derive(Debug)]
enum Reader {
    Own(OwnedFd),
    Socket,
    Ready(AlwaysReady),
    Shared(SharedReader),
}

/// Reads a stream that blocks, and that others may read at the same time.
#[derive(Debug)]
struct SharedReader {
    /// Readable when the stream is or `has_bytes` is.
    watched: Watched,
    /// Set when the read of a thread has ended and the guest has not taken all of it.
    has_bytes: Arc<Event>,
    state: Mutex<Reading>,
}

#[derive(Debug, Default)]
enum Reading {
    #[default]
    Nothing,
    /// A thread reads.
    InThread(BlockingCall<Vec<u8>>),
    /// The guest has asked for these bytes and then for fewer at a time.
    Rest(Vec<u8>),
}

impl Input {
    /// An input from a duplicate of this stream. Nothing is read or opened yet.
    pub(crate) fn from(stream: &impl AsFd) -> std::io::Result<Input> {
        stream.as_fd().try_clone_to_owned().map(Input::new)
    }

    /// An input from this stream. Nothing is read or opened yet.
    pub(crate) fn new(stream: OwnedFd) -> Input {
        Input { stream: Arc::new(stream), reader: OnceLock::new() }
    }

    /// A new descriptor that is readable whenever the input is.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        let reader = match self.reader.get() {
            Some(reader) => reader,
            None => {
                let reader = Reader::new(&self.stream)?;
                self.reader.get_or_init(|| reader)
            }
        };
        match reader {
            Reader::Own(own) => fcntl_dupfd_cloexec(own, 3),
            Reader::Socket => fcntl_dupfd_cloexec(&self.stream, 3),
            Reader::Ready(ready) => ready.open(),
            Reader::Shared(shared) => shared.watched.open(),
        }
    }

    /// Reads what is there, as much as fits, without waiting.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let stream = &self.stream;
        match self.reader.get() {
            None => Err(Errno::BADF),
            Some(Reader::Own(own)) => retry(|| io::read(own, &mut *buffer)),
            Some(Reader::Socket) => receive(stream, buffer),
            Some(Reader::Ready(_)) => retry(|| io::read(stream, &mut *buffer)),
            Some(Reader::Shared(shared)) => shared.read(stream, buffer),
        }
    }
}

impl Reader {
    fn new(stream: &OwnedFd) -> io::Result<Reader> {
        Ok(match Access::to(stream.as_fd(), OFlags::RDONLY)? {
            Access::Own(own) => Reader::Own(own),
            Access::Socket => Reader::Socket,
            Access::Ready(ready) => Reader::Ready(ready),
            Access::Shared(watched) => Reader::Shared(SharedReader::new(watched)?),
        })
    }
}

impl SharedReader {
    fn new(watched: Watched) -> io::Result<SharedReader> {
        let has_bytes = Event::new()?;
        watched.add(&has_bytes)?;
        Ok(SharedReader { watched, has_bytes: Arc::new(has_bytes), state: Mutex::default() })
    }

    fn read(&self, stream: &Arc<OwnedFd>, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.read_once(stream, buffer);
        self.watched.update(stream, &self.has_bytes);
        result
    }

    fn read_once(&self, stream: &Arc<OwnedFd>, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match std::mem::take(&mut *state) {
            Reading::Rest(rest) => Ok(rest),
            Reading::InThread(call) => match call.result_now() {
                Some(result) => result,
                None => {
                    *state = Reading::InThread(call);
                    return Err(Errno::AGAIN);
                }
            },
            Reading::Nothing => {
                if !is_ready(stream, PollFlags::IN)? {
                    return Err(Errno::AGAIN);
                }
                // Another reader may take the bytes in between, and then read(2) would block.
                match nowait::read(stream, buffer) {
                    Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
                    result => return result,
                }
                let call = self.start(stream.clone(), buffer.len())?;
                match call.result_soon() {
                    Some(result) => result,
                    None => {
                        *state = Reading::InThread(call);
                        return Err(Errno::AGAIN);
                    }
                }
            }
        };
        let taken = result.map(|mut bytes| {
            let length = bytes.len().min(buffer.len());
            buffer[..length].copy_from_slice(&bytes[..length]);
            (length, bytes.split_off(length))
        });
        match taken {
            Ok((length, rest)) if !rest.is_empty() => {
                *state = Reading::Rest(rest);
                Ok(length)
            }
            taken => {
                // The guest has taken all bytes.
                self.has_bytes.clear();
                taken.map(|(length, _)| length)
            }
        }
    }

    /// Reads once in a thread.
    fn start(&self, stream: Arc<OwnedFd>, length: usize) -> io::Result<BlockingCall<Vec<u8>>> {
        let has_bytes = self.has_bytes.clone();
        BlockingCall::start(move || {
            let mut bytes = vec![0; length];
            let read = retry(|| io::read(&stream, &mut *bytes));
            // Before the result is there, so that taking the result can take this back.
            has_bytes.set();
            bytes.truncate(read?);
            Ok(bytes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::unix::access::wait_until_ready;
    use crate::os::unix::held_mode::set_nonblocking;
    use crate::os::unix::test_terminal::{make_fifo, pipe, terminal};
    use rustix::fs::{Mode, fcntl_getfl, open};
    use std::fs::File;
    use std::io::{Read, Seek, Write};
    use std::os::unix::net::UnixStream;

    /// The input and what a poll handle would watch.
    fn opened(stream: impl Into<OwnedFd>) -> (Input, OwnedFd) {
        let input = Input::new(stream.into());
        let watched = input.open().unwrap();
        (input, watched)
    }

    fn readable(watched: &OwnedFd) -> bool {
        is_ready(watched, PollFlags::IN).unwrap()
    }

    fn wait(watched: &OwnedFd) {
        wait_until_ready(watched, PollFlags::IN).unwrap();
    }

    /// Waits and reads. A thread that reads for the guest may be slow: then there is nothing yet, and
    /// the input is readable again when the thread is done.
    fn read_when_ready(input: &Input, watched: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            wait(watched);
            match input.read(buffer) {
                Err(Errno::AGAIN) => {}
                result => return result,
            }
        }
    }

    #[test]
    fn a_files_offset_moves_by_what_was_read() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"one\ntwo\n").unwrap();
        file.rewind().unwrap();
        let (input, watched) = opened(file.try_clone().unwrap());
        assert!(readable(&watched));
        assert_eq!(file.stream_position().unwrap(), 0);
        let mut buffer = [0; 4];
        assert_eq!(input.read(&mut buffer), Ok(4));
        assert_eq!((&buffer, file.stream_position().unwrap()), (b"one\n", 4));
        // Its end is readable too, and stays so.
        file.seek(std::io::SeekFrom::End(0)).unwrap();
        for _ in 0..2 {
            assert!(readable(&watched));
            assert_eq!(input.read(&mut buffer), Ok(0));
        }
    }

    #[test]
    fn dev_null_is_an_empty_input_and_a_directory_an_error() {
        let (input, watched) = opened(File::open("/dev/null").unwrap());
        assert!(readable(&watched));
        assert_eq!(input.read(&mut [0; 4]), Ok(0));
        let (input, watched) = opened(File::open("/").unwrap());
        assert!(readable(&watched));
        assert_eq!(input.read(&mut [0; 4]), Err(Errno::ISDIR));
    }

    #[test]
    fn what_is_not_for_reading_is_ebadf() {
        let (_read, write) = pipe();
        let null = File::options().write(true).open("/dev/null").unwrap();
        for stream in [null.into(), write] {
            let (input, watched) = opened(stream);
            wait(&watched);
            assert_eq!(input.read(&mut [0; 4]), Err(Errno::BADF));
        }
    }

    #[test]
    fn pipes_and_sockets_are_read_when_asked_and_no_further() {
        let (read, write) = pipe();
        let (ours, theirs) = UnixStream::pair().unwrap();
        for (stream, mut peer) in
            [(read, File::from(write)), (ours.into(), File::from(OwnedFd::from(theirs)))]
        {
            let mut kept = File::from(stream.try_clone().unwrap());
            let (input, watched) = opened(stream);
            let mut buffer = [0; 4];
            assert!(!readable(&watched));
            assert_eq!(input.read(&mut buffer), Err(Errno::AGAIN));
            peer.write_all(b"one\ntwo\n").unwrap();
            assert_eq!(read_when_ready(&input, &watched, &mut buffer), Ok(4));
            assert!(!fcntl_getfl(&kept).unwrap().contains(OFlags::NONBLOCK));
            kept.read_exact(&mut buffer).unwrap();
            assert_eq!(&buffer, b"two\n");
            drop(peer);
            assert_eq!(read_when_ready(&input, &watched, &mut buffer), Ok(0));
        }
    }

    #[test]
    fn a_fifo_whose_last_writer_is_gone_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        make_fifo(&path);
        let read = open(&path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let mut write = File::options().write(true).open(&path).unwrap();
        set_nonblocking(&read, false).unwrap();
        write.write_all(b"abc").unwrap();
        drop(write);
        let (input, watched) = opened(read);
        let mut lengths = Vec::new();
        while lengths.last() != Some(&0) {
            lengths.push(read_when_ready(&input, &watched, &mut [0; 100]).unwrap());
        }
        assert_eq!(lengths, [3, 0]);
    }

    /// A terminal's master can neither be opened again nor be read without blocking by a flag.
    #[test]
    fn what_can_only_be_read_blocking_is_read_once_for_each_request() {
        let (master, mut slave) = terminal();
        let (input, watched) = opened(master);
        assert!(matches!(input.reader.get(), Some(Reader::Shared(_))));
        let mut buffer = [0; 4];
        assert_eq!(input.read(&mut buffer), Err(Errno::AGAIN));
        slave.write_all(b"abcdef").unwrap();
        wait(&watched);
        let mut all = Vec::new();
        while all.len() < 6 {
            let read = read_when_ready(&input, &watched, &mut buffer).unwrap();
            all.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(all, b"abcdef");
        assert!(!readable(&watched));
    }

    #[test]
    fn a_read_that_another_reader_made_block_is_finished_later() {
        let (master, mut slave) = terminal();
        let (input, watched) = opened(master);
        let Some(Reader::Shared(shared)) = input.reader.get() else { unreachable!("see above") };
        // As if the bytes that poll(2) has seen were gone.
        let call = shared.start(input.stream.clone(), 100).unwrap();
        assert!(call.result_soon().is_none());
        *shared.state.lock().unwrap() = Reading::InThread(call);
        let mut buffer = [0; 4];
        assert_eq!(input.read(&mut buffer), Err(Errno::AGAIN));
        assert!(!readable(&watched));
        slave.write_all(b"abcdef").unwrap();
        let mut all = Vec::new();
        while all.len() < 6 {
            let read = read_when_ready(&input, &watched, &mut buffer).unwrap();
            all.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(all, b"abcdef");
        assert!(!readable(&watched));
    }

    #[test]
    fn a_read_that_still_blocks_keeps_nothing_from_ending() {
        let (master, _slave) = terminal();
        let (input, _watched) = opened(master);
        let Some(Reader::Shared(shared)) = input.reader.get() else { unreachable!("see above") };
        let call = shared.start(input.stream.clone(), 100).unwrap();
        *shared.state.lock().unwrap() = Reading::InThread(call);
        drop(input);
    }
}
