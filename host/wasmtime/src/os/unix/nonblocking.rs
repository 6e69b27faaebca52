//! Reads, writes and accepts that do not block, on descriptors that the guest shares with others.
//!
//! `O_NONBLOCK` belongs to the open file description. Other guests, the embedder and other
//! processes may have the same one and may change its mode at any time, so no call relies on it
//! without need:
//!
//! - a socket has a flag for each call, except to accept;
//! - a pipe, an eventfd and the like have `RWF_NOWAIT`;
//! - a terminal is reopened, with a description of its own;
//! - for the rest, and to accept, the mode is set before each call: see `held_mode`.
//!
//! A description that nothing else uses keeps its mode: that of an accepted connection, or one of which
//! the embedder states it. It is read and written directly: see [`Way::exclusive`].

use crate::os::native::{nowait, sockets};
use crate::os::unix::access::reopened;
use crate::os::unix::held_mode::{Held, set_nonblocking};
use crate::os::unix::signal_mask;
use rustix::fs::{FileType, RawMode, fstat};
use rustix::io::{self, Errno};
use rustix::net::{self, SocketAddrAny};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use crate::os::unix::access::retry;

/// How a descriptor is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// With flags of the call: a socket.
    Socket,
    /// As `Plain`. Writes may raise SIGPIPE, which has to be held back: a pipe.
    MayRaise,
    /// With a flag of the call, where the file supports it.
    Plain,
    /// Directly: a file that never blocks.
    File,
}

impl Way {
    /// Returns the way for a descriptor.
    pub(crate) fn to(fd: impl AsFd) -> io::Result<Way> {
        fstat(fd).map(|stat| Way::of(stat.st_mode))
    }

    /// Returns the way for a file of this mode, as fstat(2) gives it.
    fn of(mode: RawMode) -> Way {
        match FileType::from_raw_mode(mode) {
            FileType::Socket => Way::Socket,
            FileType::Fifo => Way::MayRaise,
            FileType::RegularFile | FileType::Directory | FileType::BlockDevice => Way::File,
            FileType::Unknown if mode & libc::S_IFMT != 0 => Way::MayRaise,
            // Nothing else has a reader. Linux gives an eventfd, a timerfd and their like no type
            // at all.
            _ => Way::Plain,
        }
    }

    /// Switches a descriptor whose description nothing else uses to non-blocking mode, and returns its
    /// way.
    pub(crate) fn exclusive(fd: impl AsFd) -> io::Result<Way> {
        set_nonblocking(&fd, true)?;
        Way::to(fd)
    }

    /// Reads what is there, as much as fits. The description is in non-blocking mode.
    #[inline]
    pub(crate) fn read(self, fd: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Way::Socket => receive(fd, buffer),
            Way::File | Way::Plain | Way::MayRaise => retry(|| io::read(&fd, &mut *buffer)),
        }
    }

    /// Writes what fits. The description is in non-blocking mode. A closed reader is an error, never a
    /// SIGPIPE.
    #[inline]
    pub(crate) fn write(self, fd: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Way::Socket => send(fd, bytes),
            Way::File | Way::Plain => retry(|| io::write(&fd, bytes)),
            Way::MayRaise => signal_mask::without_sigpipe(|| retry(|| io::write(&fd, bytes))),
        }
    }
}

/// A granted descriptor.
#[derive(Debug)]
pub(crate) struct Shared {
    fd: OwnedFd,
    way: Way,
    /// The file supports `RWF_NOWAIT` in this direction, as far as is known. An eventfd does for
    /// reads alone.
    read_has_flag: AtomicBool,
    write_has_flag: AtomicBool,
    /// Set by the first call that has no flag of its own.
    other: OnceLock<Other>,
}

#[derive(Debug)]
enum Other {
    /// A separate description, in non-blocking mode.
    Own(OwnedFd),
    Held(Held),
}

impl Shared {
    pub(crate) fn new(fd: OwnedFd) -> io::Result<Shared> {
        let way = Way::to(&fd)?;
        let [read_has_flag, write_has_flag] = [true; 2].map(AtomicBool::new);
        Ok(Shared { fd, way, read_has_flag, write_has_flag, other: OnceLock::new() })
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Reads what is there, as much as fits.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.way {
            Way::Socket | Way::File => self.way.read(&self.fd, buffer),
            Way::Plain | Way::MayRaise => {
                if self.read_has_flag.load(Ordering::Relaxed) {
                    match nowait::read(&self.fd, buffer) {
                        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                            self.read_has_flag.store(false, Ordering::Relaxed);
                        }
                        result => return result,
                    }
                }
                self.nonblocking(|fd| self.way.read(fd, buffer))
            }
        }
    }

    /// Writes what fits. A closed reader is an error, never a SIGPIPE.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.way {
            Way::Socket | Way::File => self.way.write(&self.fd, bytes),
            Way::Plain => self.write_plain(bytes),
            Way::MayRaise => signal_mask::without_sigpipe(|| self.write_plain(bytes)),
        }
    }

    fn write_plain(&self, bytes: &[u8]) -> io::Result<usize> {
        if self.write_has_flag.load(Ordering::Relaxed) {
            match nowait::write(&self.fd, bytes) {
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.write_has_flag.store(false, Ordering::Relaxed),
                result => return result,
            }
        }
        self.nonblocking(|fd| retry(|| io::write(fd, bytes)))
    }

    /// Accepts a connection, which is in non-blocking mode.
    pub(crate) fn accept(&self) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
        self.nonblocking(|fd| accept(fd))
    }

    /// Calls a function with a descriptor of the same file in non-blocking mode.
    fn nonblocking<T>(&self, call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
        let other = match self.other.get() {
            Some(other) => other,
            None => {
                let other = match reopened(self.fd.as_fd())? {
                    Some(own) => Other::Own(own),
                    None => Other::Held(Held::new(self.fd.as_fd())?),
                };
                self.other.get_or_init(|| other)
            }
        };
        match other {
            Other::Own(own) => call(own.as_fd()),
            Other::Held(held) => held.call(self.fd.as_fd(), call),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(Other::Held(held)) = self.other.get() {
            held.put_back(self.fd.as_fd());
        }
    }
}

/// Accepts a connection, which is in non-blocking mode as the listening socket is.
pub(crate) fn accept(listener: impl AsFd) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    retry(|| sockets::accept(&listener))
}

/// Receives what is there, whatever the socket's mode.
pub(crate) fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    retry(|| net::recv(&socket, &mut *buffer, sockets::RECEIVE)).map(|(received, _)| received)
}

/// Sends what fits, whatever the socket's mode. A closed peer is an error, never a SIGPIPE.
pub(crate) fn send(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    retry(|| sockets::send(&socket, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::unix::test_child::with_default_sigpipe;
    use crate::os::unix::test_terminal::{make_fifo, pipe, terminal};
    #[cfg(target_os = "linux")]
    use rustix::event::{EventfdFlags, eventfd};
    use rustix::fs::{OFlags, fcntl_getfl};
    use std::fs::File;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixStream;
    use std::thread;

    #[test]
    fn only_pipes_may_raise_sigpipe() {
        let (_reader, writer) = pipe();
        assert_eq!(Way::to(&writer), Ok(Way::MayRaise));
        assert_eq!(Way::to(UdpSocket::bind("127.0.0.1:0").unwrap()), Ok(Way::Socket));
        #[cfg(target_os = "linux")]
        assert_eq!(Way::to(eventfd(0, EventfdFlags::empty()).unwrap()), Ok(Way::Plain));
        assert_eq!(Way::to(tempfile::tempfile().unwrap()), Ok(Way::File));
        assert_eq!(Way::to(File::open("/dev/null").unwrap()), Ok(Way::Plain));
    }

    fn is_nonblocking(fd: impl AsFd) -> bool {
        fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK)
    }

    #[cfg(target_os = "linux")]
    fn inotify() -> OwnedFd {
        rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::CLOEXEC).unwrap()
    }

    /// Runs a test that would not end if a call blocked.
    fn in_time(test: impl FnOnce() + Send + 'static) {
        let (send, ended) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            test();
            send.send(()).unwrap();
        });
        let ended = ended.recv_timeout(std::time::Duration::from_secs(60));
        assert_ne!(ended, Err(std::sync::mpsc::RecvTimeoutError::Timeout), "a call blocked");
        thread.join().unwrap();
    }

    /// Returns once the description is in blocking mode again. A call of another test, on a descriptor
    /// of the same inode, may be in progress: then that call puts the mode back.
    fn wait_until_blocking(fd: impl AsFd) {
        while is_nonblocking(&fd) {
            thread::yield_now();
        }
    }

    /// Fills the output until nothing fits. More may fit a moment later: the system moves what a
    /// terminal or a TCP connection holds to the other end in its own time.
    fn fill(output: &Shared) {
        let refused = loop {
            if let Err(error) = output.write(&[0; 10_000]) {
                break error;
            }
        };
        assert_eq!(refused, Errno::AGAIN);
    }

    /// Descriptors of each kind from which nothing can be read now, and their other ends.
    fn empty_inputs() -> Vec<(&'static str, OwnedFd, Option<OwnedFd>)> {
        let (read, write) = pipe();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (master, slave) = terminal();
        let (other_master, other_slave) = terminal();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (tcp, _) = listener.accept().unwrap();
        vec![
            ("pipe", read, Some(write)),
            ("unix", ours.into(), Some(theirs.into())),
            ("tcp", tcp.into(), Some(client.into())),
            ("udp", UdpSocket::bind("127.0.0.1:0").unwrap().into(), None),
            ("terminal", slave.into(), Some(master)),
            ("master", other_master, Some(other_slave.into())),
            #[cfg(target_os = "linux")]
            ("eventfd", eventfd(0, EventfdFlags::empty()).unwrap(), None),
            #[cfg(target_os = "linux")]
            ("inotify", inotify(), None),
        ]
    }

    #[test]
    fn a_read_does_not_block_whatever_the_mode() {
        in_time(|| {
            for (name, fd, _peer) in empty_inputs() {
                let beside = fd.try_clone().unwrap();
                let shared = Shared::new(fd).unwrap();
                for _ in 0..3 {
                    assert_eq!(shared.read(&mut [0; 64]), Err(Errno::AGAIN), "{name}");
                    // As another holder of the description may do.
                    set_nonblocking(&beside, false).unwrap();
                }
                drop(shared);
                wait_until_blocking(&beside);
            }
        });
    }

    #[test]
    fn a_write_does_not_block_whatever_the_mode() {
        in_time(|| {
            for (name, fd, peer) in empty_inputs() {
                let (output, _other) = match (name, peer) {
                    ("udp" | "inotify", _) => continue,
                    ("eventfd", _) => {
                        let shared = Shared::new(fd).unwrap();
                        assert_eq!(shared.write(&(u64::MAX - 1).to_ne_bytes()), Ok(8));
                        assert_eq!(shared.write(&1u64.to_ne_bytes()), Err(Errno::AGAIN));
                        continue;
                    }
                    ("pipe", Some(writer)) => (writer, Some(fd)),
                    (_, peer) => (fd, peer),
                };
                let beside = output.try_clone().unwrap();
                let shared = Shared::new(output).unwrap();
                // A master takes everything: its terminal throws away what does not fit.
                if name != "master" {
                    fill(&shared);
                    set_nonblocking(&beside, false).unwrap();
                    fill(&shared);
                }
                drop(shared);
                wait_until_blocking(&beside);
            }
        });
    }

    #[test]
    fn an_exclusive_description_is_switched_once() {
        in_time(|| {
            for (name, fd, peer) in empty_inputs() {
                let way = Way::exclusive(&fd).unwrap();
                assert!(is_nonblocking(&fd), "{name}");
                assert_eq!(way.read(&fd, &mut [0; 64]), Err(Errno::AGAIN), "{name}");
                let output = match (name, &peer) {
                    ("udp" | "inotify" | "master", _) => continue,
                    ("pipe", Some(writer)) => writer,
                    _ => &fd,
                };
                let way = Way::exclusive(output).unwrap();
                let bytes: &[u8] = if name == "eventfd" { &[0x7f; 8] } else { &[0; 10_000] };
                let refused = std::iter::repeat_with(|| way.write(output, bytes)).find(Result::is_err);
                assert_eq!(refused, Some(Err(Errno::AGAIN)), "{name}");
            }
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            assert_eq!(Way::exclusive(&listener), Ok(Way::Socket));
            assert_eq!(accept(&listener).map(drop), Err(Errno::AGAIN));
        });
    }

    #[test]
    fn without_a_reader_no_signal_is_raised() {
        let name = "os::unix::nonblocking::tests::without_a_reader_no_signal_is_raised";
        with_default_sigpipe(name, without_a_reader_the_write_is_an_error);
    }

    fn without_a_reader_the_write_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        make_fifo(&fifo);
        let both_ends = File::options().read(true).write(true).open(&fifo).unwrap();
        let named = File::options().write(true).open(&fifo).unwrap();
        drop(both_ends);
        let outputs = empty_inputs().into_iter().filter_map(|(name, fd, peer)| match name {
            // The other ends are closed here.
            "pipe" => peer,
            "unix" => Some(fd),
            "tcp" => {
                // Both directions have ended, so the first write is refused.
                net::shutdown(&fd, net::Shutdown::Both).unwrap();
                Some(fd)
            }
            _ => None,
        });
        for output in outputs.chain([named.into()]).collect::<Vec<_>>() {
            let shared = Shared::new(output).unwrap();
            assert_eq!(shared.write(b"hello"), Err(Errno::PIPE));
            if shared.way == Way::MayRaise {
                // Also where the call has no flag.
                let write = || shared.nonblocking(|fd| retry(|| io::write(fd, b"hello")));
                assert_eq!(signal_mask::without_sigpipe(write), Err(Errno::PIPE));
            } else {
                assert_eq!(send(shared.fd(), b"hello"), Err(Errno::PIPE));
            }
            let way = Way::exclusive(shared.fd()).unwrap();
            assert_eq!(way.write(shared.fd(), b"hello"), Err(Errno::PIPE));
        }
    }

    #[test]
    fn accepting_does_not_block_while_one_of_several_holders_is_left() {
        in_time(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let holders = [(); 3].map(|()| Shared::new(listener.try_clone().unwrap().into()).unwrap());
            assert!(!is_nonblocking(&listener));
            for holder in &holders {
                assert_eq!(holder.accept().map(drop), Err(Errno::AGAIN));
            }
            let mut holders = Vec::from(holders);
            while holders.len() > 1 {
                holders.remove(0);
                for holder in &holders {
                    assert_eq!(holder.accept().map(drop), Err(Errno::AGAIN));
                }
                assert!(is_nonblocking(&listener));
            }
            set_nonblocking(&listener, false).unwrap();
            assert_eq!(holders[0].accept().map(drop), Err(Errno::AGAIN), "others may change the mode");
            let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            holders[0].accept().unwrap();
            holders.clear();
            assert!(!is_nonblocking(&listener), "the last one puts the mode back");
        });
    }

    /// All inotify descriptors have one inode.
    #[test]
    #[cfg(target_os = "linux")]
    fn holders_of_different_descriptions_of_one_kind_are_apart() {
        in_time(|| {
            let [one, two] = [inotify(), inotify()];
            let [kept_one, kept_two] = [&one, &two].map(|fd| fd.try_clone().unwrap());
            set_nonblocking(&two, true).unwrap();
            let [one, two] = [one, two].map(|fd| Shared::new(fd).unwrap());
            for shared in [&one, &two] {
                assert_eq!(shared.read(&mut [0; 64]), Err(Errno::AGAIN));
            }
            drop(one);
            wait_until_blocking(&kept_one);
            assert!(is_nonblocking(&kept_two));
            drop(two);
            assert!(is_nonblocking(&kept_two), "it was in this mode before");
        });
    }

    /// Linux alone has a flag.
    #[test]
    #[cfg(all(target_os = "linux", not(feature = "portable-os")))]
    fn an_eventfd_is_read_with_the_flag_of_the_call_also_after_writes() {
        let fd = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let beside = fd.try_clone().unwrap();
        let shared = Shared::new(fd).unwrap();
        // A write has no flag, so it sets the mode.
        assert_eq!(shared.write(&1u64.to_ne_bytes()), Ok(8));
        set_nonblocking(&beside, false).unwrap();
        assert_eq!(shared.read(&mut [0; 8]), Ok(8));
        assert_eq!(shared.read(&mut [0; 8]), Err(Errno::AGAIN));
        assert!(!is_nonblocking(&beside));
    }

    /// All eventfds have one inode.
    #[test]
    #[cfg(target_os = "linux")]
    fn each_of_many_descriptions_of_one_inode_has_its_own_mode_back() {
        in_time(|| {
            let was_nonblocking = |at: usize| at.is_multiple_of(3);
            let new = |_| eventfd(0, EventfdFlags::CLOEXEC).unwrap();
            let eventfds: Vec<OwnedFd> = (0..100).map(new).collect();
            let mut holders = Vec::new();
            for (at, fd) in eventfds.iter().enumerate() {
                set_nonblocking(fd, was_nonblocking(at)).unwrap();
                // Two holders of each, far apart.
                for place in [at, 0] {
                    holders.insert(place, Shared::new(fd.try_clone().unwrap()).unwrap());
                }
            }
            for holder in &holders {
                assert_eq!(holder.write(&1u64.to_ne_bytes()), Ok(8));
            }
            assert!(eventfds.iter().all(is_nonblocking));
            holders.truncate(50);
            holders.clear();
            for (at, fd) in eventfds.iter().enumerate() {
                match was_nonblocking(at) {
                    true => assert!(is_nonblocking(fd), "{at}"),
                    false => wait_until_blocking(fd),
                }
            }
        });
    }
}
