//! TCP sockets, of `wasi:sockets`. Only opening one blocks.

use crate::bindings::exports::uv::handles::descriptors::ShutdownHow;
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::bindings::wasi::io::poll::Pollable;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream};
use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::ip_name_lookup::resolve_addresses;
use crate::bindings::wasi::sockets::network::{
    ErrorCode as SocketError, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress,
    Ipv6SocketAddress,
};
use crate::bindings::wasi::sockets::tcp::{ShutdownType, TcpSocket};
use crate::bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::streams::{Reader, Writer};
use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use uv_handles_core::Readiness;

/// The code of a failure of a connection's streams. WASI 0.2 does not tell the reason; a reset is
/// the likely one.
const FAILURE: ErrorCode = ErrorCode::Econnreset;

/// libuv's status codes that have no errno.
const UNKNOWN: Error = Error::Other(-4094);
const EAI_AGAIN: Error = Error::Other(-3001);
const EAI_FAIL: Error = Error::Other(-3004);
const EAI_NONAME: Error = Error::Other(-3008);

/// A TCP socket.
pub struct Socket(TcpSocket);

/// A connection.
pub struct Connection {
    // The socket's children, so they are dropped before the socket.
    pub reader: Reader,
    pub writer: Writer,
    socket: Socket,
    /// The peer's address. It is kept because it cannot be asked for after the peer has gone.
    peer: Result<SocketAddr, SocketError>,
}

/// A listening socket.
pub struct Listener {
    // The socket's child, so it is dropped before the socket.
    pollable: OnceCell<Pollable>,
    socket: Socket,
}

/// Makes a listening socket.
pub fn listen(address: SocketAddr) -> Result<Listener, Error> {
    let network = instance_network();
    let socket = Socket::new(address)?;
    socket.0.start_bind(&network, address.into())?;
    socket.finish(TcpSocket::finish_bind)?;
    socket.0.start_listen()?;
    socket.finish(TcpSocket::finish_listen)?;
    Ok(Listener { pollable: OnceCell::new(), socket })
}

/// Connects to the first of a host's addresses that answers.
pub fn connect(host: &str, port: u16) -> Result<Connection, Error> {
    let mut result = Err(EAI_NONAME);
    for address in resolve(host)? {
        result = connect_to(SocketAddr::new(address, port));
        if result.is_ok() {
            break;
        }
    }
    result
}

fn connect_to(address: SocketAddr) -> Result<Connection, Error> {
    let network = instance_network();
    let socket = Socket::new(address)?;
    socket.0.start_connect(&network, address.into())?;
    let (input, output) = socket.finish(TcpSocket::finish_connect)?;
    Ok(Connection::new(socket, input, output))
}

/// The addresses of a host, given as a name or an address.
fn resolve(host: &str) -> Result<Vec<IpAddr>, Error> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let network = instance_network();
    let lookup = resolve_addresses(&network, host)?;
    let mut addresses = Vec::new();
    loop {
        match lookup.resolve_next_address() {
            Ok(Some(address)) => addresses.push(address.into()),
            Ok(None) => return Ok(addresses),
            Err(SocketError::WouldBlock) => lookup.subscribe().block(),
            Err(error) => return Err(error.into()),
        }
    }
}

impl Socket {
    fn new(address: SocketAddr) -> Result<Socket, Error> {
        let family = if address.is_ipv4() { IpAddressFamily::Ipv4 } else { IpAddressFamily::Ipv6 };
        Ok(Socket(create_tcp_socket(family)?))
    }

    /// Blocks until the operation in progress has a result.
    fn finish<T>(&self, finish: impl Fn(&TcpSocket) -> Result<T, SocketError>) -> Result<T, Error> {
        loop {
            match finish(&self.0) {
                Err(SocketError::WouldBlock) => self.0.subscribe().block(),
                result => return Ok(result?),
            }
        }
    }

    pub fn local_address(&self) -> Result<String, Error> {
        Ok(SocketAddr::from(self.0.local_address()?).to_string())
    }

    pub fn send_buffer_size(&self) -> Result<u32, Error> {
        Ok(saturated(self.0.send_buffer_size()?))
    }

    pub fn set_send_buffer_size(&self, size: u32) -> Result<(), Error> {
        Ok(self.0.set_send_buffer_size(settable(size)?)?)
    }

    pub fn receive_buffer_size(&self) -> Result<u32, Error> {
        Ok(saturated(self.0.receive_buffer_size()?))
    }

    pub fn set_receive_buffer_size(&self, size: u32) -> Result<(), Error> {
        Ok(self.0.set_receive_buffer_size(settable(size)?)?)
    }
}

fn saturated(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

fn settable(size: u32) -> Result<u64, Error> {
    match i32::try_from(size) {
        Ok(size) if size > 0 => Ok(size as u64),
        _ => Err(ErrorCode::Einval.into()),
    }
}

impl Listener {
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    pub fn pollable(&self) -> &Pollable {
        self.pollable.get_or_init(|| self.socket.0.subscribe())
    }

    pub fn accept(&self) -> Result<Connection, Error> {
        let (socket, input, output) = self.socket.0.accept()?;
        Ok(Connection::new(Socket(socket), input, output))
    }
}

impl Connection {
    fn new(socket: Socket, input: InputStream, output: OutputStream) -> Connection {
        let peer = socket.0.remote_address().map(SocketAddr::from);
        let (reader, writer) = (Reader::new(input, FAILURE), Writer::new(output, FAILURE));
        Connection { reader, writer, socket, peer }
    }

    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    pub fn peer_address(&self) -> Result<String, Error> {
        match self.peer {
            Ok(peer) => Ok(peer.to_string()),
            Err(SocketError::InvalidState) => Err(ErrorCode::Enotconn.into()),
            Err(error) => Err(error.into()),
        }
    }

    pub fn shutdown(&mut self, how: ShutdownHow) -> Result<(), Error> {
        let shutdown_type = match how {
            ShutdownHow::Read => ShutdownType::Receive,
            ShutdownHow::Write => ShutdownType::Send,
            ShutdownHow::Both => ShutdownType::Both,
        };
        match self.socket.0.shutdown(shutdown_type) {
            Ok(()) => {}
            Err(SocketError::InvalidState) => return Err(ErrorCode::Enotconn.into()),
            Err(error) => return Err(error.into()),
        }
        if how != ShutdownHow::Write {
            self.reader.shut_down();
        }
        if how != ShutdownHow::Read {
            self.writer.shut_down();
        }
        Ok(())
    }

    pub fn known(&self) -> Readiness {
        let both = self.reader.has_ended() && self.writer.is_shut_down();
        let hang_up = if both { Readiness::HANGUP } else { Readiness::empty() };
        self.reader.known() | self.writer.known() | hang_up
    }
}

impl From<SocketAddr> for IpSocketAddress {
    fn from(address: SocketAddr) -> IpSocketAddress {
        match address {
            SocketAddr::V4(v4) => {
                let [a, b, c, d] = v4.ip().octets();
                IpSocketAddress::Ipv4(Ipv4SocketAddress { port: v4.port(), address: (a, b, c, d) })
            }
            SocketAddr::V6(v6) => {
                let [a, b, c, d, e, f, g, h] = v6.ip().segments();
                IpSocketAddress::Ipv6(Ipv6SocketAddress {
                    port: v6.port(),
                    flow_info: v6.flowinfo(),
                    address: (a, b, c, d, e, f, g, h),
                    scope_id: v6.scope_id(),
                })
            }
        }
    }
}

impl From<IpSocketAddress> for SocketAddr {
    fn from(address: IpSocketAddress) -> SocketAddr {
        match address {
            IpSocketAddress::Ipv4(v4) => SocketAddrV4::new(ipv4(v4.address), v4.port).into(),
            IpSocketAddress::Ipv6(v6) => {
                SocketAddrV6::new(ipv6(v6.address), v6.port, v6.flow_info, v6.scope_id).into()
            }
        }
    }
}

impl From<IpAddress> for IpAddr {
    fn from(address: IpAddress) -> IpAddr {
        match address {
            IpAddress::Ipv4(address) => ipv4(address).into(),
            IpAddress::Ipv6(address) => ipv6(address).into(),
        }
    }
}

fn ipv4((a, b, c, d): (u8, u8, u8, u8)) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

fn ipv6((a, b, c, d, e, f, g, h): (u16, u16, u16, u16, u16, u16, u16, u16)) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

impl From<SocketError> for Error {
    fn from(error: SocketError) -> Error {
        Error::Code(match error {
            SocketError::Unknown => return UNKNOWN,
            SocketError::NameUnresolvable => return EAI_NONAME,
            SocketError::TemporaryResolverFailure => return EAI_AGAIN,
            SocketError::PermanentResolverFailure => return EAI_FAIL,
            SocketError::AccessDenied => ErrorCode::Eacces,
            SocketError::NotSupported => ErrorCode::Enotsup,
            SocketError::InvalidArgument | SocketError::InvalidState | SocketError::NotInProgress => {
                ErrorCode::Einval
            }
            SocketError::OutOfMemory => ErrorCode::Enomem,
            SocketError::Timeout => ErrorCode::Etimedout,
            SocketError::ConcurrencyConflict => ErrorCode::Ealready,
            SocketError::WouldBlock => ErrorCode::Eagain,
            SocketError::NewSocketLimit => ErrorCode::Emfile,
            SocketError::AddressNotBindable => ErrorCode::Eaddrnotavail,
            SocketError::AddressInUse => ErrorCode::Eaddrinuse,
            SocketError::RemoteUnreachable => ErrorCode::Ehostunreach,
            SocketError::ConnectionRefused => ErrorCode::Econnrefused,
            SocketError::ConnectionReset => ErrorCode::Econnreset,
            SocketError::ConnectionAborted => ErrorCode::Econnaborted,
            SocketError::DatagramTooLarge => ErrorCode::Emsgsize,
        })
    }
}
