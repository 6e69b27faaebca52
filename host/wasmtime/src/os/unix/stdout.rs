//! Standard output as a descriptor that a loop can poll.
//!
//! The host writes when the guest writes, to the stream itself. So the order of all writes to it is
//! the order of the calls. The mode of the open file description, which the process shares with its
//! terminal or its parent, stays as it is.

use crate::os::interrupt::Interrupt;
use crate::os::native::nowait;
use crate::os::unix::access::{Access, is_ready, retry, wait_until_ready};
use crate::os::unix::blocking_call::BlockingCall;
use crate::os::unix::nonblocking::send;
use crate::os::unix::signal_mask;
use rustix::event::PollFlags;
use rustix::fs::OFlags;
use rustix::io::{self, Errno, fcntl_dupfd_cloexec};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// The interval of checks for an interrupt while the guest waits for a write in progress.
const GRACE: Duration = Duration::from_millis(250);

/// The most bytes that a thread writes for one request. A stream that poll(2) reports as writable
/// may take fewer.
const CHUNK: usize = 4096;

/// A granted output.
#[derive(Debug)]
pub(crate) struct Output {
    stream: Arc<OwnedFd>,
    /// Set when the guest first opens the output.
    access: OnceLock<Access>,
    /// The state of the last write that a thread made: only with [`Access::Shared`].
    last: Mutex<Last>,
}

/// A write that was reported to the guest before it was done.
#[derive(Debug, Default)]
enum Last {
    #[default]
    Done,
    InThread(BlockingCall<()>),
    /// The error has not been reported to the guest yet.
    Failed(Errno),
}

impl From<io::Result<()>> for Last {
    fn from(result: io::Result<()>) -> Last {
        result.map_or_else(Last::Failed, |()| Last::Done)
    }
}

impl Output {
    /// An output to a duplicate of this stream. Nothing is opened yet.
    pub(crate) fn to(stream: &impl AsFd) -> std::io::Result<Output> {
        stream.as_fd().try_clone_to_owned().map(Output::new)
    }

    /// An output to this stream. Nothing is opened yet.
    pub(crate) fn new(stream: OwnedFd) -> Output {
        Output { stream: Arc::new(stream), access: OnceLock::new(), last: Mutex::default() }
    }

    /// A new descriptor that is writable whenever the output is.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        let access = match self.access.get() {
            Some(access) => access,
            None => {
                let access = Access::to(self.stream.as_fd(), OFlags::WRONLY)?;
                self.access.get_or_init(|| access)
            }
        };
        match access {
            Access::Own(own) => fcntl_dupfd_cloexec(own, 3),
            Access::Ready(ready) => ready.open(),
            Access::Socket | Access::Shared(_) => fcntl_dupfd_cloexec(&self.stream, 3),
        }
    }

    /// Writes what fits, without waiting. A closed reader is an error, never a SIGPIPE.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let stream = &self.stream;
        match self.access.get() {
            None => Err(Errno::BADF),
            Some(Access::Own(own)) => signal_mask::without_sigpipe(|| retry(|| io::write(own, bytes))),
            Some(Access::Socket) => send(stream, bytes),
            Some(Access::Ready(_)) => retry(|| io::write(stream, bytes)),
            Some(Access::Shared(_)) => self.write_shared(bytes),
        }
    }

    fn write_shared(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Last::InThread(call) = &*last {
            *last = call.result_now().ok_or(Errno::AGAIN)?.into();
        }
        if let Last::Failed(error) = std::mem::take(&mut *last) {
            return Err(error);
        }
        if bytes.is_empty() {
            return Ok(0);
        }
        if !is_ready(&self.stream, PollFlags::OUT)? {
            return Err(Errno::AGAIN);
        }
        // Other writers may fill it in between, and then write(2) would block.
        match signal_mask::without_sigpipe(|| nowait::write(&self.stream, bytes)) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
            result => return result,
        }
        let chunk = bytes[..bytes.len().min(CHUNK)].to_vec();
        let (length, stream) = (chunk.len(), self.stream.clone());
        let call = BlockingCall::start(move || write_all(&stream, &chunk))?;
        match call.result_soon() {
            Some(result) => result?,
            None => *last = Last::InThread(call),
        }
        Ok(length)
    }

    /// Waits until everything is out that was reported as written, or the guest is interrupted.
    pub(crate) fn finish(&self, interrupt: &Interrupt) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        while let Last::InThread(call) = &*last {
            match call.result_within(GRACE) {
                Some(result) => *last = result.into(),
                None if interrupt.is_set() => return,
                None => {}
            }
        }
    }
}

/// Writes everything, for as long as it takes.
fn write_all(stream: &OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match signal_mask::without_sigpipe(|| retry(|| io::write(stream, bytes))) {
            Ok(written) => bytes = &bytes[written..],
            // Another process has switched a shared description to non-blocking mode.
            Err(Errno::AGAIN) => wait_until_ready(stream, PollFlags::OUT)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::outputs::Outputs;
    use crate::os::unix::test_child::with_default_sigpipe;
    use crate::os::unix::test_terminal::{pipe, terminal};
    use rustix::fs::fcntl_getfl;
    use std::fs::File;
    use std::io::{Read, Seek, Write};
    use std::os::unix::net::UnixStream;

    /// The output and what a poll handle would watch.
    fn opened(stream: impl Into<OwnedFd>) -> (Arc<Output>, OwnedFd) {
        let output = Arc::new(Output::new(stream.into()));
        let watched = output.open().unwrap();
        (output, watched)
    }

    fn outputs(output: &Arc<Output>) -> Outputs {
        Outputs { all: vec![output.clone()], interrupt: Arc::default() }
    }

    /// Writes all of it, and waits as a guest does.
    fn write_as_guest((output, watched): &(Arc<Output>, OwnedFd), mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match output.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::AGAIN) => wait_until_ready(watched, PollFlags::OUT)?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn content() -> Vec<u8> {
        (0..1_000_000u32).map(|n| b'a' + (n % 23) as u8).collect()
    }

    #[test]
    fn a_file_has_it_at_once_and_in_order() {
        let mut file = tempfile::tempfile().unwrap();
        let mut beside = file.try_clone().unwrap();
        let output = opened(file.try_clone().unwrap());
        assert!(is_ready(&output.1, PollFlags::OUT).unwrap());
        let mut expected = String::new();
        for n in 0..1000 {
            write_as_guest(&output, format!("descriptor {n}\n").as_bytes()).unwrap();
            writeln!(beside, "print {n}").unwrap();
            expected += &format!("descriptor {n}\nprint {n}\n");
        }
        let mut all = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut all).unwrap();
        assert!(all == expected);
    }

    #[test]
    fn a_slow_reader_gets_everything_and_no_mode_changes() {
        let (read, write) = pipe();
        let (theirs, ours) = UnixStream::pair().unwrap();
        let (master, slave) = terminal();
        let (other_master, other_slave) = terminal();
        let streams: [(OwnedFd, OwnedFd); 4] = [
            (read, write),
            (theirs.into(), ours.into()),
            (master, slave.into()),
            // To the master, which threads write. A terminal in this mode takes lines.
            (other_slave.into(), other_master),
        ];
        for (number, (reader, stream)) in streams.into_iter().enumerate() {
            let content: Vec<u8> = content().chunks(99).flat_map(|line| [line, b"\n"].concat()).collect();
            let content = &content[..if number < 3 { content.len() } else { 50_000 }];
            let kept = stream.try_clone().unwrap();
            let output = opened(stream);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    write_as_guest(&output, content).unwrap();
                    drop(outputs(&output.0));
                });
                let mut reader = File::from(reader);
                let mut all: Vec<u8> = Vec::new();
                let mut piece = [0; 1000];
                while all.len() < content.len() {
                    let read = reader.read(&mut piece).unwrap();
                    // A terminal's newline.
                    all.extend(piece[..read].iter().filter(|&&byte| byte != b'\r'));
                }
                assert!(all == content, "{number}");
            });
            assert!(!fcntl_getfl(&kept).unwrap().contains(OFlags::NONBLOCK));
        }
    }

    #[test]
    fn a_write_in_progress_is_waited_for_unless_the_guest_is_interrupted() {
        let (master, _slave) = terminal();
        let (output, _watched) = opened(master);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let call = BlockingCall::start(move || {
            let _ = wait.recv();
            Ok(())
        });
        *output.last.lock().unwrap() = Last::InThread(call.unwrap());
        assert_eq!(output.write(b"next"), Err(Errno::AGAIN));
        let interrupted = outputs(&output);
        interrupted.interrupt.set();
        drop(interrupted);

        let waiting = outputs(&output);
        let waiter = std::thread::spawn(move || drop(waiting));
        drop(go);
        waiter.join().unwrap();
    }

    #[test]
    fn a_failure_that_comes_late_is_the_next_writes() {
        let (master, _slave) = terminal();
        let (output, _watched) = opened(master);
        let call = BlockingCall::start(|| Err(Errno::IO)).unwrap();
        *output.last.lock().unwrap() = Last::InThread(call);
        outputs(&output).finish();
        assert_eq!(output.write(b"next"), Err(Errno::IO));
        assert_eq!(output.write(b"next"), Ok(4));
    }

    #[test]
    fn without_a_reader_no_signal_is_raised() {
        let name = "os::unix::stdout::tests::without_a_reader_no_signal_is_raised";
        with_default_sigpipe(name, without_a_reader_the_write_is_an_error);
    }

    fn without_a_reader_the_write_is_an_error() {
        let (read, write) = pipe();
        let (theirs, ours) = UnixStream::pair().unwrap();
        drop((read, theirs));
        for stream in [write, ours.into()] {
            let (output, watched) = opened(stream);
            wait_until_ready(&watched, PollFlags::OUT).unwrap();
            assert_eq!(output.write(b"hello"), Err(Errno::PIPE));
        }
    }

    #[test]
    fn what_is_not_for_writing_is_ebadf() {
        let (read, _write) = pipe();
        for stream in [read, File::open("/dev/null").unwrap().into()] {
            let (output, watched) = opened(stream);
            wait_until_ready(&watched, PollFlags::OUT).unwrap();
            assert_eq!(output.write(b"hello"), Err(Errno::BADF));
        }
    }
}
