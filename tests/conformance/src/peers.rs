//! The socket pairs that poll handles poll: our ends, the peers' ends, and the operations on them.

use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, sockopt};
use std::cell::RefCell;
use std::fs::File;
use uv_handles_conformance_program::{Kind, Program, Source, SourceOp, fill};

/// The socket pairs of one run of a program.
#[derive(Debug)]
pub struct Peers {
    pairs: Vec<Pair>,
    file: File,
}

#[derive(Debug)]
struct Pair {
    ours: OwnedFd,
    /// None after a reset.
    peer: RefCell<Option<OwnedFd>>,
}

/// Small, so that it is soon full.
const SEND_BUFFER: usize = 4096;

impl Peers {
    /// As many pairs as the program uses.
    pub fn new(program: &Program) -> Peers {
        let polls = program.handles.iter().filter(|declared| declared.kind == Kind::Poll);
        let used = polls.filter_map(|declared| match declared.source {
            Source::Pair(pair) => Some(pair + 1),
            Source::File => None,
        });
        let pairs = (0..used.max().unwrap_or(0)).map(|_| Pair::new()).collect();
        Peers { pairs, file: File::open("/dev/null").expect("every Unix has it") }
    }

    /// The descriptor that a poll handle polls.
    pub fn fd(&self, source: Source) -> BorrowedFd<'_> {
        match source {
            Source::Pair(pair) => self.pairs[pair].ours.as_fd(),
            Source::File => self.file.as_fd(),
        }
    }

    /// Whether it is one of our ends.
    pub fn has(&self, fd: RawFd) -> bool {
        self.pairs.iter().any(|pair| pair.ours.as_raw_fd() == fd)
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Does a step and returns its answer.
    pub fn perform(&self, pair: usize, op: SourceOp) -> String {
        let Some(pair) = self.pairs.get(pair) else {
            return "no such pair".into();
        };
        let answer = match (op, &*pair.peer.borrow()) {
            (SourceOp::Read, _) => read_all(pair.ours.as_fd()),
            (SourceOp::Fill, _) => fill(|bytes| rustix::net::send(&pair.ours, bytes, no_signal())),
            (_, None) => Err(Errno::BADF),
            (SourceOp::PeerWrite(bytes), Some(peer)) => {
                rustix::net::send(peer, &vec![7; bytes as usize], no_signal())
            }
            (SourceOp::PeerRead, Some(peer)) => read_all(peer.as_fd()),
            (SourceOp::PeerShutdown, Some(peer)) => rustix::net::shutdown(peer, Shutdown::Write).map(|()| 0),
            (SourceOp::PeerReset, Some(_)) => {
                // With something unread, closing is a reset.
                let _ = rustix::net::send(&pair.ours, &[0], no_signal());
                Ok(0)
            }
        };
        if op == SourceOp::PeerReset {
            pair.peer.take();
        }
        shown(answer)
    }

    /// The events of a source that are ready, as poll(2) reports them.
    pub fn ready(&self, source: Source) -> PollFlags {
        let asked = PollFlags::IN | PollFlags::OUT | PollFlags::RDHUP | PollFlags::PRI;
        let mut fds = [PollFd::from_borrowed_fd(self.fd(source), asked)];
        rustix::event::poll(&mut fds, Some(&rustix::fs::Timespec::default())).expect("poll works");
        fds[0].revents()
    }
}

impl Pair {
    fn new() -> Pair {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (ours, peer) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)
            .expect("there are descriptors");
        sockopt::set_socket_send_buffer_size(&ours, SEND_BUFFER).expect("a socket has a buffer");
        Pair { ours, peer: RefCell::new(Some(peer)) }
    }
}

fn no_signal() -> rustix::net::SendFlags {
    rustix::net::SendFlags::NOSIGNAL
}

fn read_all(fd: BorrowedFd<'_>) -> Result<usize, Errno> {
    let mut buffer = [0; 65_536];
    rustix::io::read(fd, &mut buffer)
}

fn shown(answer: Result<usize, Errno>) -> String {
    match answer {
        Ok(bytes) => bytes.to_string(),
        Err(error) => crate::native::error_name(-error.raw_os_error()),
    }
}
