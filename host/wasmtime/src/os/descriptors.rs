//! Descriptors: what the embedder granted under a name, and what a guest has opened or accepted.
//!
//! A guest gets a duplicate of the granted descriptor, so a grant outlives its use and can be
//! opened again. A guest sees numbers of its own, never those of the host.

use crate::os::family::fd::{AsFd, BorrowedFd, OwnedFd, duplicate};
use crate::os::family::nonblocking::{self, Shared, retry};
use crate::os::family::stdin::Input;
use crate::os::family::stdout::Output;
use crate::os::native::sockets;
use rustix::io::Errno;
use rustix::net::{Shutdown, SocketAddr, SocketAddrAny};
use rustix::{io, net};
use slab::Slab;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;
use uv_handles_core::SourceId;

/// The first number that a guest's descriptors get: those below are the standard streams' own.
const FIRST_NUMBER: u32 = 3;

/// Why a descriptor is refused.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Nothing was granted under this name.
    NotGranted,
    /// It is open already.
    Busy,
    /// The guest has as many descriptors as its limit allows.
    TooMany,
    /// The OS refused.
    Os(Errno),
    /// The embedder's function could not make it.
    NotMade(std::io::Error),
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Refused {
        Refused::Os(errno)
    }
}

/// A descriptor that the embedder granted.
#[derive(Debug)]
struct Grant {
    granted: Granted,
    open: bool,
}

enum Granted {
    Descriptor(Arc<Shared>),
    /// Nothing else uses its description.
    Exclusive(OwnedFd, nonblocking::Way),
    /// Made at each open.
    Made(Box<Make>),
    Input(Arc<Input>),
    Output(Arc<Output>),
}

/// Makes a descriptor.
type Make = dyn Fn() -> std::io::Result<OwnedFd> + Send + Sync;

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Granted::Descriptor(_) => "Descriptor",
            Granted::Exclusive(..) => "Exclusive",
            Granted::Made(_) => "Made",
            Granted::Input(_) => "Input",
            Granted::Output(_) => "Output",
        })
    }
}

/// A descriptor that the guest has open.
#[derive(Debug)]
pub(crate) struct Descriptor {
    /// The descriptor that poll handles watch.
    fd: OwnedFd,
    /// Never used again, unlike the descriptor's place.
    serial: u32,
    grant: Option<usize>,
    way: Way,
    /// The peer of an accepted connection. The OS no longer reports it once the connection has been
    /// reset. Boxed, because an address is large and most descriptors have none: the data that many
    /// handles read and write stays close together.
    peer: Option<Box<SocketAddrAny>>,
}

/// How a descriptor is read and written.
#[derive(Debug)]
enum Way {
    /// Nothing but the guest uses the description: an accepted connection, or an exclusive grant.
    Exclusive(nonblocking::Way),
    Shared(Arc<Shared>),
    /// For reading alone, in the input's own way.
    Input(Arc<Input>),
    /// For writing alone, in the output's own way.
    Output(Arc<Output>),
}

/// All grants and open descriptors of a guest.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    grants: Vec<Grant>,
    /// Where in `grants` a name is.
    names: HashMap<String, usize>,
    open: Slab<Descriptor>,
    serial: u32,
    /// How many may be open at once.
    pub(crate) limit: u32,
}

impl Descriptors {
    /// Grants a descriptor. A later grant of the same name replaces an earlier one.
    pub(crate) fn grant(&mut self, name: String, fd: OwnedFd) -> io::Result<()> {
        self.insert_grant(name, Granted::Descriptor(Arc::new(Shared::new(fd)?)));
        Ok(())
    }

    /// Grants a descriptor whose description nothing else uses, as `grant` does.
    pub(crate) fn grant_exclusive(&mut self, name: String, fd: OwnedFd) -> io::Result<()> {
        let way = nonblocking::Way::exclusive(&fd)?;
        self.insert_grant(name, Granted::Exclusive(fd, way));
        Ok(())
    }

    /// Grants descriptors that this function makes, one at each open, as `grant` does.
    pub(crate) fn grant_made(
        &mut self,
        name: String,
        make: impl Fn() -> std::io::Result<OwnedFd> + Send + Sync + 'static,
    ) {
        self.insert_grant(name, Granted::Made(Box::new(make)));
    }

    /// Grants an input, as `grant` does.
    pub(crate) fn grant_input(&mut self, name: String, input: Input) {
        self.insert_grant(name, Granted::Input(Arc::new(input)));
    }

    /// Grants an output, as `grant` does.
    pub(crate) fn grant_output(&mut self, name: String, output: Arc<Output>) {
        self.insert_grant(name, Granted::Output(output));
    }

    fn insert_grant(&mut self, name: String, granted: Granted) {
        let grant = Grant { granted, open: false };
        match self.names.entry(name) {
            Entry::Occupied(known) => self.grants[*known.get()] = grant,
            Entry::Vacant(new) => {
                new.insert(self.grants.len());
                self.grants.push(grant);
            }
        }
    }

    /// Opens what was granted under a name and answers with its place.
    pub(crate) fn open(&mut self, name: &str) -> Result<u32, Refused> {
        let at = *self.names.get(name).ok_or(Refused::NotGranted)?;
        if self.grants[at].open {
            return Err(Refused::Busy);
        }
        self.check_limit()?;
        let (fd, way) = match &self.grants[at].granted {
            Granted::Descriptor(shared) => (duplicate(shared.fd())?, Way::Shared(shared.clone())),
            Granted::Exclusive(fd, way) => (duplicate(fd)?, Way::Exclusive(*way)),
            Granted::Made(make) => {
                let shared = Shared::new(make().map_err(Refused::NotMade)?)?;
                (duplicate(shared.fd())?, Way::Shared(Arc::new(shared)))
            }
            Granted::Input(input) => (input.open()?, Way::Input(input.clone())),
            Granted::Output(output) => (output.open()?, Way::Output(output.clone())),
        };
        self.grants[at].open = true;
        Ok(self.insert(fd, way, Some(at), None))
    }

    /// Accepts a connection on the listening socket at this place.
    pub(crate) fn accept(&mut self, place: u32) -> Result<u32, Refused> {
        self.check_limit()?;
        let listener = self.get(place)?;
        let (fd, peer) = match &listener.way {
            Way::Exclusive(_) => nonblocking::accept(&listener.fd)?,
            Way::Shared(shared) => shared.accept()?,
            Way::Input(_) | Way::Output(_) => return Err(Errno::NOTSOCK.into()),
        };
        Ok(self.insert(fd, Way::Exclusive(nonblocking::Way::Socket), None, peer))
    }

    fn check_limit(&self) -> Result<(), Refused> {
        match self.open.len() < self.limit as usize {
            true => Ok(()),
            false => Err(Refused::TooMany),
        }
    }

    fn insert(&mut self, fd: OwnedFd, way: Way, grant: Option<usize>, peer: Option<SocketAddrAny>) -> u32 {
        // The upper half of the core's numbers is for other sources.
        self.serial = self.serial.wrapping_add(1) & (u32::MAX >> 1);
        let peer = peer.map(Box::new);
        self.open.insert(Descriptor { fd, serial: self.serial, grant, way, peer }) as u32
    }

    /// Closes the descriptor at this place. Nothing watches it any more.
    pub(crate) fn close(&mut self, place: u32) {
        let descriptor = self.open.remove(place as usize);
        if let Some(at) = descriptor.grant {
            self.grants[at].open = false;
        }
    }

    /// EBADF if there is none any more, because the guest was interrupted.
    pub(crate) fn get(&self, place: u32) -> io::Result<&Descriptor> {
        self.open.get(place as usize).ok_or(Errno::BADF)
    }

    /// The core's identifier of the descriptor at this place.
    pub(crate) fn source(&self, place: u32) -> SourceId {
        let serial = self.open.get(place as usize).map_or(0, |descriptor| descriptor.serial);
        SourceId(u64::from(serial) << 32 | u64::from(place))
    }

    /// A descriptor that the core knows, if it is still open.
    pub(crate) fn fd(&self, source: SourceId) -> Option<BorrowedFd<'_>> {
        let descriptor = self.open.get(source.0 as u32 as usize)?;
        (u64::from(descriptor.serial) == source.0 >> 32).then(|| descriptor.fd.as_fd())
    }
}

/// The guest's own number of the descriptor at this place.
pub(crate) fn number(place: u32) -> u32 {
    place + FIRST_NUMBER
}

/// The guest's own number of a descriptor that the core knows.
pub(crate) fn number_of(source: SourceId) -> u32 {
    number(source.0 as u32)
}

impl Descriptor {
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The descriptor for the calls that are for sockets. A standard stream that is a socket has
    /// none: it is for reading alone or for writing alone.
    fn socket(&self) -> io::Result<&OwnedFd> {
        match self.way {
            Way::Input(_) | Way::Output(_) => Err(Errno::NOTSOCK),
            _ => Ok(&self.fd),
        }
    }

    /// Reads what is there, as much as fits.
    #[inline]
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.way {
            Way::Input(input) => input.read(buffer),
            Way::Output(_) => Err(Errno::BADF),
            _ if buffer.is_empty() => Ok(0),
            Way::Exclusive(way) => way.read(&self.fd, buffer),
            Way::Shared(shared) => shared.read(buffer),
        }
    }

    /// Writes what fits. A closed reader is an error, never a SIGPIPE, whatever the embedder does
    /// with that signal.
    #[inline]
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.way {
            Way::Exclusive(way) => way.write(&self.fd, bytes),
            Way::Shared(shared) => shared.write(bytes),
            Way::Input(_) => Err(Errno::BADF),
            Way::Output(output) => output.write(bytes),
        }
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        net::shutdown(self.socket()?, how)
    }

    pub(crate) fn local_address(&self) -> io::Result<String> {
        net::getsockname(self.socket()?).map(|address| text(&address))
    }

    pub(crate) fn peer_address(&self) -> io::Result<String> {
        match &self.peer {
            Some(peer) => Ok(text(peer)),
            None => net::getpeername(self.socket()?).map(|peer| peer.as_ref().map(text).unwrap_or_default()),
        }
    }

    /// Receives a datagram, as much of it as fits, and tells where it comes from.
    pub(crate) fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, String)> {
        let (length, _, sender) = retry(|| net::recvfrom(self.socket()?, &mut *buffer, sockets::RECEIVE))?;
        Ok((length, sender.as_ref().map(text).unwrap_or_default()))
    }

    /// Sends a datagram, to IP addresses only: the path of a Unix socket would give access to the
    /// file system without a grant. A connected socket sends to its peer only. Linux would send to
    /// other addresses too, but an embedder that grants a connected socket grants that peer alone.
    pub(crate) fn send_to(&self, bytes: &[u8], address: &str) -> io::Result<usize> {
        let address: SocketAddr = address.parse().map_err(|_| Errno::INVAL)?;
        if let Ok(Some(peer)) = net::getpeername(self.socket()?)
            && SocketAddr::try_from(peer) != Ok(address)
        {
            return Err(Errno::ISCONN);
        }
        retry(|| sockets::send_to(self.socket()?, bytes, &address))
    }

    pub(crate) fn send_buffer_size(&self) -> io::Result<u32> {
        net::sockopt::socket_send_buffer_size(self.socket()?).map(size)
    }

    pub(crate) fn set_send_buffer_size(&self, size: u32) -> io::Result<()> {
        net::sockopt::set_socket_send_buffer_size(self.socket()?, settable(size)?)
    }

    pub(crate) fn receive_buffer_size(&self) -> io::Result<u32> {
        net::sockopt::socket_recv_buffer_size(self.socket()?).map(size)
    }

    pub(crate) fn set_receive_buffer_size(&self, size: u32) -> io::Result<()> {
        net::sockopt::set_socket_recv_buffer_size(self.socket()?, settable(size)?)
    }
}

fn size(size: usize) -> u32 {
    u32::try_from(sockets::set_size(size)).unwrap_or(u32::MAX)
}

fn settable(size: u32) -> io::Result<usize> {
    match i32::try_from(size) {
        Ok(size) if size > 0 => Ok(size as usize),
        _ => Err(Errno::INVAL),
    }
}

/// An address in the usual notation.
fn text(address: &SocketAddrAny) -> String {
    if let Ok(address) = SocketAddr::try_from(address.clone()) {
        return address.to_string();
    }
    sockets::path(address).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn a_connected_socket_reaches_only_its_peer() {
        let [ours, peer, other] = [(); 3].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let [peer_address, other_address] = [&peer, &other].map(|s| s.local_addr().unwrap().to_string());
        let mut descriptors = Descriptors { limit: 2, ..Descriptors::default() };
        descriptors.grant("free".into(), ours.try_clone().unwrap().into()).unwrap();
        let place = descriptors.open("free").unwrap();
        let socket = descriptors.get(place).unwrap();
        assert_eq!(socket.send_to(b"a", &other_address), Ok(1));

        ours.connect(&peer_address).unwrap();
        assert_eq!(socket.send_to(b"b", &other_address), Err(Errno::ISCONN));
        assert_eq!(socket.send_to(b"b", &peer_address), Ok(1));
        assert_eq!(socket.write(b"c"), Ok(1));
    }

    #[test]
    fn a_connection_is_made_at_each_open_and_its_errors_are_the_oss() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut descriptors = Descriptors { limit: 2, ..Descriptors::default() };
        let connect = move || Ok(std::net::TcpStream::connect(address)?.into());
        descriptors.grant_made("peer".into(), connect);
        let mut ports = Vec::new();
        for _ in 0..2 {
            let place = descriptors.open("peer").unwrap();
            assert!(matches!(descriptors.open("peer"), Err(Refused::Busy)));
            assert_eq!(descriptors.get(place).unwrap().write(b"a"), Ok(1));
            ports.push(listener.accept().unwrap().1.port());
            descriptors.close(place);
        }
        assert_ne!(ports[0], ports[1]);
        drop(listener);
        let Err(Refused::NotMade(error)) = descriptors.open("peer") else { panic!("there is no listener") };
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    }

    #[test]
    #[cfg(unix)]
    fn a_standard_stream_has_one_direction_also_if_it_is_a_socket() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut descriptors = Descriptors { limit: 2, ..Descriptors::default() };
        descriptors.grant_input("in".into(), Input::new(ours.try_clone().unwrap().into()));
        descriptors.grant_output("out".into(), Arc::new(Output::new(ours.into())));
        let [input, output] = ["in", "out"].map(|name| descriptors.open(name).unwrap());
        assert_eq!(descriptors.get(input).unwrap().write(b"a"), Err(Errno::BADF));
        assert_eq!(descriptors.get(output).unwrap().read(&mut [0]), Err(Errno::BADF));
        assert_eq!(descriptors.get(input).unwrap().read(&mut [0]), Err(Errno::AGAIN));
        assert_eq!(descriptors.get(output).unwrap().write(b"a"), Ok(1));
        for place in [input, output] {
            let stream = descriptors.get(place).unwrap();
            assert_eq!(stream.shutdown(Shutdown::Both), Err(Errno::NOTSOCK));
            assert_eq!(stream.recv_from(&mut [0]), Err(Errno::NOTSOCK));
            assert_eq!(stream.send_to(b"a", "127.0.0.1:1"), Err(Errno::NOTSOCK));
            assert_eq!(stream.peer_address(), Err(Errno::NOTSOCK));
            assert_eq!(stream.set_receive_buffer_size(1), Err(Errno::NOTSOCK));
            assert!(matches!(descriptors.accept(place), Err(Refused::TooMany)));
        }
        descriptors.limit = 3;
        assert!(matches!(descriptors.accept(input), Err(Refused::Os(Errno::NOTSOCK))));
        drop(theirs);
    }
}
