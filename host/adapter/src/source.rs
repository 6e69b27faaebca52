//! The source behind a descriptor: a standard stream, a TCP connection or a listening TCP socket.

use crate::bindings::exports::uv::handles::descriptors::ShutdownHow;
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::bindings::wasi::io::poll::Pollable;
use crate::grants;
use crate::streams::{Reader, Writer};
use crate::tcp::{self, Connection, Listener};
use uv_handles_core::{PollEvents, Readiness};

/// The source behind a descriptor.
pub struct Source {
    /// The index of its grant. An accepted connection has none.
    grant: Option<usize>,
    kind: Kind,
}

/// The kinds of sources.
pub enum Kind {
    Input(Reader),
    Output(Writer),
    Connection(Connection),
    Listener(Listener),
}

/// The direction of a source that is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Input,
    Output,
}

/// Opens the source that is granted under a name.
pub fn open(name: &str) -> Result<Source, Error> {
    let (grant, kind) = grants::open(name)?;
    Ok(Source { grant: Some(grant), kind })
}

/// The answer to an operation of sockets on another source.
fn no_socket<T>() -> Result<T, Error> {
    Err(ErrorCode::Enotsock.into())
}

impl Source {
    pub fn read(&mut self, max: usize) -> Result<Vec<u8>, Error> {
        match &mut self.kind {
            Kind::Input(reader) => reader.read(max),
            Kind::Connection(connection) => connection.reader.read(max),
            Kind::Output(_) => Err(ErrorCode::Ebadf.into()),
            Kind::Listener(_) if max == 0 => Ok(Vec::new()),
            Kind::Listener(_) => Err(ErrorCode::Enotconn.into()),
        }
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<u32, Error> {
        match &mut self.kind {
            Kind::Output(writer) => writer.write(bytes),
            Kind::Connection(connection) => connection.writer.write(bytes),
            Kind::Input(_) => Err(ErrorCode::Ebadf.into()),
            Kind::Listener(_) => Err(ErrorCode::Epipe.into()),
        }
    }

    pub fn accept(&self) -> Result<Source, Error> {
        match &self.kind {
            Kind::Listener(listener) => {
                Ok(Source { grant: None, kind: Kind::Connection(listener.accept()?) })
            }
            Kind::Connection(_) => Err(ErrorCode::Einval.into()),
            Kind::Input(_) | Kind::Output(_) => no_socket(),
        }
    }

    pub fn shutdown(&mut self, how: ShutdownHow) -> Result<(), Error> {
        match &mut self.kind {
            Kind::Connection(connection) => connection.shutdown(how),
            Kind::Listener(_) => Err(ErrorCode::Enotconn.into()),
            Kind::Input(_) | Kind::Output(_) => no_socket(),
        }
    }

    fn socket(&self) -> Result<&tcp::Socket, Error> {
        match &self.kind {
            Kind::Connection(connection) => Ok(connection.socket()),
            Kind::Listener(listener) => Ok(listener.socket()),
            Kind::Input(_) | Kind::Output(_) => no_socket(),
        }
    }

    pub fn local_address(&self) -> Result<String, Error> {
        self.socket()?.local_address()
    }

    pub fn peer_address(&self) -> Result<String, Error> {
        match &self.kind {
            Kind::Connection(connection) => connection.peer_address(),
            Kind::Listener(_) => Err(ErrorCode::Enotconn.into()),
            Kind::Input(_) | Kind::Output(_) => no_socket(),
        }
    }

    /// Sends or receives a datagram. No source supports that.
    pub fn datagrams<T>(&self) -> Result<T, Error> {
        self.socket()?;
        Err(ErrorCode::Enosys.into())
    }

    pub fn send_buffer_size(&self) -> Result<u32, Error> {
        self.socket()?.send_buffer_size()
    }

    pub fn set_send_buffer_size(&self, size: u32) -> Result<(), Error> {
        self.socket()?.set_send_buffer_size(size)
    }

    pub fn receive_buffer_size(&self) -> Result<u32, Error> {
        self.socket()?.receive_buffer_size()
    }

    pub fn set_receive_buffer_size(&self, size: u32) -> Result<(), Error> {
        self.socket()?.set_receive_buffer_size(size)
    }

    /// The readiness that is known without asking.
    pub fn known(&self) -> Readiness {
        match &self.kind {
            // A pipe without a writer has hung up.
            Kind::Input(reader) if reader.has_ended() => reader.known() | Readiness::HANGUP,
            Kind::Input(reader) => reader.known(),
            Kind::Output(writer) => writer.known(),
            Kind::Connection(connection) => connection.known(),
            Kind::Listener(_) => Readiness::empty(),
        }
    }

    /// The directions that have to be asked to know about these events.
    pub fn unknown(&self, events: PollEvents) -> Vec<Direction> {
        let (input, output) = match &self.kind {
            Kind::Input(reader) => (reader.is_unknown(events), false),
            Kind::Output(writer) => (false, writer.is_unknown(events)),
            Kind::Connection(of) => (of.reader.is_unknown(events), of.writer.is_unknown(events)),
            Kind::Listener(_) => (events.contains(PollEvents::READABLE), false),
        };
        [input.then_some(Direction::Input), output.then_some(Direction::Output)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The pollable of a direction that [`unknown`](Source::unknown) has named.
    pub fn pollable(&self, direction: Direction) -> &Pollable {
        match &self.kind {
            Kind::Input(reader) => reader.pollable(),
            Kind::Output(writer) => writer.pollable(),
            Kind::Listener(listener) => listener.pollable(),
            Kind::Connection(connection) if direction == Direction::Input => connection.reader.pollable(),
            Kind::Connection(connection) => connection.writer.pollable(),
        }
    }

    /// The readiness after the pollable of this direction has become ready.
    pub fn look(&mut self, direction: Direction) -> Readiness {
        match &mut self.kind {
            Kind::Input(reader) => {
                reader.look();
            }
            Kind::Output(writer) => return writer.look(),
            Kind::Listener(_) => return Readiness::READABLE,
            Kind::Connection(connection) if direction == Direction::Input => {
                connection.reader.look();
            }
            Kind::Connection(connection) => return connection.writer.look(),
        }
        self.known()
    }

    /// Whether written data has not been sent yet.
    pub fn is_sending(&mut self) -> bool {
        matches!(&self.kind, Kind::Connection(connection) if connection.writer.is_sending())
    }

    /// The pollable that is ready when all written data has been sent.
    pub fn sent(&self) -> &Pollable {
        self.pollable(Direction::Output)
    }

    /// Closes the source. Returns it if it still has data to send.
    pub fn close(mut self) -> Option<Source> {
        let is_sending = self.is_sending();
        match (self.grant.take(), self.kind) {
            // There is one of each per guest. Dropping it would lose the data that was read ahead.
            (Some(grant), kind @ (Kind::Input(_) | Kind::Output(_))) => grants::closed(grant, Some(kind)),
            (grant, kind) => {
                if let Some(grant) = grant {
                    grants::closed(grant, None);
                }
                return is_sending.then_some(Source { grant: None, kind });
            }
        }
        None
    }
}
