//! TCP connections and listening sockets.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};
use wasip2::io::streams::{InputStream, OutputStream};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::ErrorCode;
use wasip2::sockets::tcp::{ShutdownType, TcpSocket};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

use crate::descriptor::Shutdown;
use crate::error::{Error, Result};
use crate::status::StatusCode;
use crate::task::executor::current_loop;
use crate::task::net::address::{error, family, from_wasi, to_wasi};
use crate::task::pollable::AsyncPollable;
use crate::task::wasi_stream::{Input, Output, Refused};

/// A TCP connection of WASI. Dropping it closes the connection.
///
/// One task reads and one writes at a time. Reading waits first: each read takes an iteration of the
/// loop. **Dropping a future** loses no input; after a future of [`write_all`](Self::write_all) was
/// dropped, the number of bytes that have been written is unknown.
///
/// It implements [`AsyncRead`] and [`AsyncWrite`] too, for the adapters of the crate futures. Closing
/// it as an `AsyncWrite` shuts down the write side.
///
/// WASI 0.2 does not tell why a connection fails: reading and writing answer ECONNRESET. A write to a
/// side that is closed is EPIPE.
#[derive(Debug)]
pub struct TcpStream {
    // Children of the socket, so they are dropped first.
    input: Input,
    output: Output,
    socket: TcpSocket,
}

impl TcpStream {
    /// Connects to an address. The system's errors, ECONNREFUSED for example; EACCES if it is not
    /// granted. Dropping the future ends the attempt.
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let network = instance_network();
        let socket = create_tcp_socket(family(address)).map_err(error)?;
        socket.start_connect(&network, to_wasi(address)).map_err(error)?;
        let (input, output) = finish(&socket, TcpSocket::finish_connect).await?;
        Self::of(socket, input, output)
    }

    fn of(socket: TcpSocket, input: InputStream, output: OutputStream) -> Result<Self> {
        let event_loop = current_loop();
        let input = Input::new(&event_loop, input)?;
        let output = Output::new(&event_loop, output)?;
        Ok(Self { input, output, socket })
    }

    /// Waits until there is something to read and reads it: 0 is the end.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.input.read(buffer.len(), |_| FAILED).await?;
        buffer[..read.len()].copy_from_slice(&read);
        Ok(read.len())
    }

    /// Waits until there is something to read and reads it, at most `max` bytes: an empty vector is
    /// the end.
    pub async fn read_vec(&self, max: usize) -> Result<Vec<u8>> {
        self.input.read(max, |_| FAILED).await
    }

    /// Writes as many bytes as fit, and waits if none does.
    pub async fn write(&self, bytes: &[u8]) -> Result<usize> {
        self.output.write(bytes).await.map_err(Error::from)
    }

    /// Writes all bytes, and waits as often as needed.
    pub async fn write_all(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let written = self.write(bytes).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Shuts down one or both sides of the connection.
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        let how = match how {
            Shutdown::Read => ShutdownType::Receive,
            Shutdown::Write => ShutdownType::Send,
            Shutdown::Both => ShutdownType::Both,
        };
        self.socket.shutdown(how).map_err(error)
    }

    /// The address of this side.
    pub fn local_address(&self) -> Result<SocketAddr> {
        self.socket.local_address().map(from_wasi).map_err(error)
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> Result<SocketAddr> {
        self.socket.remote_address().map(from_wasi).map_err(error)
    }
}

/// WASI does not tell the reason. A reset is the likely one.
const FAILED: Error = Error::Status(StatusCode::ECONNRESET);

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Closed => StatusCode::EPIPE.into(),
            Refused::Failed => FAILED,
            Refused::Wait(error) => error,
        }
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.input.poll_read(cx, buffer, |_| FAILED.into())
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.output.poll_write(cx, bytes).map_err(|refused| Error::from(refused).into())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll_flush(cx).map_err(|refused| Error::from(refused).into())
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown(Shutdown::Write).map_err(io::Error::from))
    }
}

/// A listening TCP socket of WASI. Dropping it closes the socket.
#[derive(Debug)]
pub struct TcpListener {
    // A child of the socket, so it is dropped first.
    waits: AsyncPollable,
    socket: TcpSocket,
}

impl TcpListener {
    /// Binds a socket to an address and listens. The system's errors, EADDRINUSE for example; EACCES
    /// if it is not granted.
    pub async fn bind(address: SocketAddr) -> Result<Self> {
        let network = instance_network();
        let socket = create_tcp_socket(family(address)).map_err(error)?;
        socket.start_bind(&network, to_wasi(address)).map_err(error)?;
        finish(&socket, TcpSocket::finish_bind).await?;
        socket.start_listen().map_err(error)?;
        finish(&socket, TcpSocket::finish_listen).await?;
        Ok(Self { waits: AsyncPollable::new(&current_loop(), socket.subscribe())?, socket })
    }

    /// Waits for a connection and accepts it.
    pub async fn accept(&self) -> Result<TcpStream> {
        loop {
            self.waits.ready().await?;
            match self.socket.accept() {
                Ok((socket, input, output)) => return TcpStream::of(socket, input, output),
                Err(ErrorCode::WouldBlock) => {}
                Err(code) => return Err(error(code)),
            }
        }
    }

    /// The address that it listens on.
    pub fn local_address(&self) -> Result<SocketAddr> {
        self.socket.local_address().map(from_wasi).map_err(error)
    }
}

/// Waits until the operation in progress has a result.
async fn finish<T>(socket: &TcpSocket, finish: impl Fn(&TcpSocket) -> Result<T, ErrorCode>) -> Result<T> {
    let mut waits = None;
    loop {
        match finish(socket) {
            Err(ErrorCode::WouldBlock) => {}
            result => return result.map_err(error),
        }
        let waits = match &waits {
            Some(waits) => waits,
            None => waits.insert(AsyncPollable::new(&current_loop(), socket.subscribe())?),
        };
        waits.ready().await?;
    }
}
