//! UDP sockets.

use std::net::SocketAddr;

use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::ErrorCode;
use wasip2::sockets::udp::{
    IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket as RawSocket,
};
use wasip2::sockets::udp_create_socket::create_udp_socket;

use crate::error::Result;
use crate::task::executor::current_loop;
use crate::task::net::address::{error, family, from_wasi, to_wasi};
use crate::task::pollable::AsyncPollable;

/// A UDP socket of WASI. Dropping it closes the socket. One task receives and one sends at a time.
#[derive(Debug)]
pub struct UdpSocket {
    // Children come before their parents, so that they are dropped first.
    input_waits: AsyncPollable,
    output_waits: AsyncPollable,
    input: IncomingDatagramStream,
    output: OutgoingDatagramStream,
    socket: RawSocket,
}

impl UdpSocket {
    /// Binds a socket to an address. The system's errors, EADDRINUSE for example; EACCES if it is not
    /// granted.
    pub async fn bind(address: SocketAddr) -> Result<Self> {
        let network = instance_network();
        let socket = create_udp_socket(family(address)).map_err(error)?;
        socket.start_bind(&network, to_wasi(address)).map_err(error)?;
        loop {
            match socket.finish_bind() {
                Ok(()) => break,
                Err(ErrorCode::WouldBlock) => {
                    AsyncPollable::new(&current_loop(), socket.subscribe())?.ready().await?;
                }
                Err(code) => return Err(error(code)),
            }
        }
        let (input, output) = socket.stream(None).map_err(error)?;
        let event_loop = current_loop();
        let input_waits = AsyncPollable::new(&event_loop, input.subscribe())?;
        let output_waits = AsyncPollable::new(&event_loop, output.subscribe())?;
        Ok(Self { input_waits, output_waits, input, output, socket })
    }

    /// Waits for a datagram. Returns it and its sender.
    pub async fn recv_from(&self) -> Result<(Vec<u8>, SocketAddr)> {
        loop {
            self.input_waits.ready().await?;
            if let Some(datagram) = self.input.receive(1).map_err(error)?.pop() {
                return Ok((datagram.data, from_wasi(datagram.remote_address)));
            }
        }
    }

    /// Sends a datagram, and waits if it does not fit now. EMSGSIZE when it is too large; EACCES if
    /// the address is not granted.
    pub async fn send_to(&self, bytes: &[u8], address: SocketAddr) -> Result<()> {
        let datagram = [OutgoingDatagram { data: bytes.to_vec(), remote_address: Some(to_wasi(address)) }];
        loop {
            let fits = self.output.check_send().map_err(error)?;
            if fits > 0 && self.output.send(&datagram).map_err(error)? > 0 {
                return Ok(());
            }
            self.output_waits.ready().await?;
        }
    }

    /// The address that it is bound to.
    pub fn local_address(&self) -> Result<SocketAddr> {
        self.socket.local_address().map(from_wasi).map_err(error)
    }
}
