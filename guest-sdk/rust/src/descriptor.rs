//! Descriptors that the host granted: sockets, pipes, terminals.

use std::fmt;
use std::io;
use std::rc::{Rc, Weak};

use crate::batch::{self, Synced};
use crate::error::Result;
use crate::imports::descriptors::{Descriptor as RawDescriptor, ShortBytes, ShutdownHow};
use crate::imports::types::Error as RawError;
use crate::not_granted::{self, Kind};

/// A descriptor that the host granted under a name, or a connection accepted from one.
///
/// **No call blocks.** A call that would block answers EAGAIN, and a [`Poll`](crate::Poll) handle
/// tells when to repeat it. Clones are the same descriptor; dropping the last one closes it. A poll
/// handle that is active on it is stopped then, and called with EBADF.
///
/// Through [`io::Read`] and [`io::Write`] EAGAIN is [`io::ErrorKind::WouldBlock`], as for any
/// non-blocking stream.
#[derive(Clone)]
pub struct Descriptor(Rc<Synced<RawDescriptor>>);

/// Which side of a connection to shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// No more reads.
    Read,
    /// No more writes: the peer reads the end of its input.
    Write,
    /// Both.
    Both,
}

impl Descriptor {
    /// Opens what the host granted under this name. ENOENT if there is no such grant, EBUSY while
    /// it is open already, EMFILE when the guest has as many descriptors as the host allows.
    pub fn open(name: &str) -> Result<Self> {
        batch::sync();
        let opened = match RawDescriptor::open(name) {
            // An error of the OS, also if it is ENOENT: the name is granted.
            Err(error @ RawError::Other(_)) => return Err(error.into()),
            opened => not_granted::named(Kind::Descriptor, name, opened)?,
        };
        Ok(Self(Rc::new(Synced::new(opened))))
    }

    /// Reads into `buffer` and returns the number of bytes: 0 is the end of the input, unless the
    /// buffer is empty.
    ///
    /// It may be fewer than fit, since the host limits a read. EAGAIN when there is no input yet;
    /// otherwise the system's error (ECONNRESET, ENOTCONN for a listening socket, …).
    // Inlined because most callers know the buffer's length: one of the two ways is left.
    #[inline]
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        match buffer.len() <= size_of::<u64>() {
            true => self.read_short(buffer),
            false => self.read_long(buffer),
        }
    }

    fn read_short(&self, buffer: &mut [u8]) -> Result<usize> {
        let short = self.0.without_sync().read_short(buffer.len() as u32)?;
        let bytes = short.bits.to_le_bytes();
        let length = usize::from(short.length).min(buffer.len());
        // A copy of memory is a call of the WebAssembly runtime. This is one store, as for an eventfd, or
        // goes byte by byte.
        match (<&mut [u8; size_of::<u64>()]>::try_from(&mut *buffer), length) {
            (Ok(buffer), 8) => *buffer = bytes,
            _ => buffer[..length].iter_mut().zip(bytes).for_each(|(to, from)| *to = from),
        }
        Ok(length)
    }

    fn read_long(&self, buffer: &mut [u8]) -> Result<usize> {
        let bytes = self.read_vec(clamped(buffer.len()))?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    /// Reads at most `max` bytes, as [`read`](Self::read) but without a copy. An empty vector is
    /// the end of the input, unless `max` is 0.
    pub fn read_vec(&self, max: u32) -> Result<Vec<u8>> {
        Ok(self.0.without_sync().read(max)?)
    }

    /// Writes as many bytes as fit and returns their number. EAGAIN when none fits now, EPIPE when
    /// the other side does not read any more; otherwise the system's error.
    // Inlined as `read`.
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> Result<usize> {
        match bytes.len() <= size_of::<u64>() {
            true => self.write_short(bytes),
            false => self.write_long(bytes),
        }
    }

    fn write_short(&self, bytes: &[u8]) -> Result<usize> {
        // One load, as for an eventfd, or byte by byte.
        let bits = match <[u8; size_of::<u64>()]>::try_from(bytes) {
            Ok(bytes) => u64::from_le_bytes(bytes),
            Err(_) => bytes.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
        };
        let short = ShortBytes { length: bytes.len() as u8, bits };
        Ok(self.0.without_sync().write_short(short)? as usize)
    }

    fn write_long(&self, bytes: &[u8]) -> Result<usize> {
        Ok(self.0.without_sync().write(bytes)? as usize)
    }

    /// Receives a datagram, as much of it as fits, and returns its length and its sender. The rest
    /// of a longer one is lost, as with recvfrom(2). EAGAIN when there is none yet, ENOTSOCK if the
    /// descriptor is no socket; otherwise the system's error.
    pub fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, String)> {
        let datagram = self.0.without_sync().recv_from(clamped(buffer.len()))?;
        buffer[..datagram.bytes.len()].copy_from_slice(&datagram.bytes);
        Ok((datagram.bytes.len(), datagram.sender))
    }

    /// Sends a datagram to an IP address and port (`127.0.0.1:8125`, `[::1]:8125`) and returns how
    /// many bytes were sent. EINVAL for any other notation, EAGAIN when the datagram does not fit
    /// now, EMSGSIZE when it is too large, ENOTSOCK if the descriptor is no socket; otherwise the
    /// system's error. A socket that the host has connected sends to its peer alone: EISCONN for
    /// any other address.
    pub fn send_to(&self, bytes: &[u8], address: &str) -> Result<usize> {
        Ok(self.0.without_sync().send_to(bytes, address)? as usize)
    }

    /// Accepts a connection on a listening socket. EAGAIN when none is waiting, EINVAL or ENOTSOCK
    /// on anything else, EMFILE when the guest has as many descriptors as the host allows (the
    /// connection goes on waiting); otherwise the system's error.
    pub fn accept(&self) -> Result<Self> {
        Ok(Self(Rc::new(Synced::new(self.0.without_sync().accept()?))))
    }

    /// Shuts down one or both sides of a connection, as `shutdown(2)`. ENOTCONN if it is not
    /// connected, ENOTSOCK if it is no socket.
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        Ok(self.0.without_sync().shutdown(match how {
            Shutdown::Read => ShutdownHow::Read,
            Shutdown::Write => ShutdownHow::Write,
            Shutdown::Both => ShutdownHow::Both,
        })?)
    }

    /// The address that a socket is bound to: `127.0.0.1:8080`, `[::1]:8080`, or the path of a Unix
    /// socket, empty if it has none. ENOTSOCK if it is no socket.
    pub fn local_address(&self) -> Result<String> {
        Ok(self.0.without_sync().local_address()?)
    }

    /// The address of a connection's other side, in the same notation. ENOTCONN if it is not
    /// connected, ENOTSOCK if it is no socket.
    pub fn peer_address(&self) -> Result<String> {
        Ok(self.0.without_sync().peer_address()?)
    }

    /// The descriptor's number in the guest's own numbering, which has nothing to do with the
    /// host's. It stays the same while the descriptor is open and may be used again afterwards.
    pub fn fileno(&self) -> u32 {
        self.0.without_sync().fileno()
    }

    /// The size of a socket's send buffer in bytes, as it was set, within the system's limits
    /// (Linux reports twice the size; the host hides that). ENOTSOCK if it is no socket.
    pub fn send_buffer_size(&self) -> Result<u32> {
        Ok(self.0.without_sync().send_buffer_size()?)
    }

    /// Sets the size of a socket's send buffer in bytes. EINVAL for 0 or more than [`i32::MAX`],
    /// ENOTSOCK if it is no socket.
    pub fn set_send_buffer_size(&self, size: u32) -> Result<()> {
        Ok(self.0.without_sync().set_send_buffer_size(size)?)
    }

    /// The size of a socket's receive buffer in bytes, as
    /// [`send_buffer_size`](Self::send_buffer_size).
    pub fn receive_buffer_size(&self) -> Result<u32> {
        Ok(self.0.without_sync().receive_buffer_size()?)
    }

    /// Sets the size of a socket's receive buffer in bytes, as
    /// [`set_send_buffer_size`](Self::set_send_buffer_size).
    pub fn set_receive_buffer_size(&self, size: u32) -> Result<()> {
        Ok(self.0.without_sync().set_receive_buffer_size(size)?)
    }

    pub(crate) fn raw(&self) -> &RawDescriptor {
        &self.0
    }

    pub(crate) fn downgrade(&self) -> Weak<Synced<RawDescriptor>> {
        Rc::downgrade(&self.0)
    }

    pub(crate) fn upgrade(weak: &Weak<Synced<RawDescriptor>>) -> Option<Self> {
        weak.upgrade().map(Self)
    }
}

/// A length as the host takes it. No single read is longer than that.
fn clamped(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Clones of one descriptor are equal, and nothing else is.
impl PartialEq for Descriptor {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Descriptor {}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Descriptor").finish_non_exhaustive()
    }
}

impl io::Read for &Descriptor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(Descriptor::read(self, buffer)?)
    }
}

impl io::Read for Descriptor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(Descriptor::read(self, buffer)?)
    }
}

impl io::Write for &Descriptor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(Descriptor::write(self, bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Write for Descriptor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(Descriptor::write(self, bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
