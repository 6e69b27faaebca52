//! `descriptors`.

use std::rc::Rc;

use uv_handles_core::SourceId;

use crate::bindings::uv::handles::descriptors as generated;
use crate::bindings::uv::handles::types::{Error, ErrorCode};
use crate::native::stream::Source;
use crate::native::world::with;

pub(crate) mod descriptors {
    pub use super::Descriptor;
    pub use super::generated::{ShortBytes, ShutdownHow};
}

use generated::{Datagram, ShortBytes, ShutdownHow};

/// The number of a guest's first descriptor. Those below belong to the standard streams.
const FIRST_NUMBER: u64 = 3;

/// How many bytes one read brings at most, as by default on the host.
const READ_BYTES: u32 = 65_536;

pub struct Descriptor(pub(super) SourceId);

impl Descriptor {
    pub fn open(name: &str) -> Result<Descriptor, Error> {
        let source = with(|world| match world.grants.get_mut(name) {
            None => Err(Error::Code(ErrorCode::Enoent)),
            Some(grant) => grant.open().ok_or(Error::Code(ErrorCode::Ebusy)),
        })?;
        Ok(Self::of(source))
    }

    fn of(source: Rc<dyn Source>) -> Descriptor {
        with(|world| {
            let id = SourceId(FIRST_NUMBER + world.next_serial());
            world.open.insert(id, source);
            Descriptor(id)
        })
    }

    fn source(&self) -> Rc<dyn Source> {
        with(|world| world.open[&self.0].clone())
    }

    pub fn read(&self, max: u32) -> Result<Vec<u8>, Error> {
        self.source().read(max.min(READ_BYTES) as usize).map_err(Error::Code)
    }

    pub fn read_short(&self, max: u32) -> Result<ShortBytes, Error> {
        let mut bytes = [0; size_of::<u64>()];
        let read = self.read(max.min(bytes.len() as u32))?;
        bytes[..read.len()].copy_from_slice(&read);
        Ok(ShortBytes { length: read.len() as u8, bits: u64::from_le_bytes(bytes) })
    }

    pub fn write(&self, bytes: &[u8]) -> Result<u32, Error> {
        self.source().write(bytes).map_err(Error::Code)
    }

    pub fn write_short(&self, bytes: ShortBytes) -> Result<u32, Error> {
        let all = bytes.bits.to_le_bytes();
        self.write(all.get(..bytes.length.into()).ok_or(Error::Code(ErrorCode::Einval))?)
    }

    pub fn accept(&self) -> Result<Descriptor, Error> {
        self.source().accept().map(Self::of).map_err(Error::Code)
    }

    pub fn shutdown(&self, how: ShutdownHow) -> Result<(), Error> {
        let (reads, writes) = match how {
            ShutdownHow::Read => (true, false),
            ShutdownHow::Write => (false, true),
            ShutdownHow::Both => (true, true),
        };
        self.source().shutdown(reads, writes).map_err(Error::Code)
    }

    pub fn fileno(&self) -> u32 {
        self.0.0 as u32
    }

    pub fn recv_from(&self, _max: u32) -> Result<Datagram, Error> {
        no_socket()
    }

    pub fn send_to(&self, _bytes: &[u8], _address: &str) -> Result<u32, Error> {
        no_socket()
    }

    pub fn local_address(&self) -> Result<String, Error> {
        no_socket()
    }

    pub fn peer_address(&self) -> Result<String, Error> {
        no_socket()
    }

    pub fn send_buffer_size(&self) -> Result<u32, Error> {
        no_socket()
    }

    pub fn set_send_buffer_size(&self, _size: u32) -> Result<(), Error> {
        no_socket()
    }

    pub fn receive_buffer_size(&self) -> Result<u32, Error> {
        no_socket()
    }

    pub fn set_receive_buffer_size(&self, _size: u32) -> Result<(), Error> {
        no_socket()
    }
}

/// Streams in memory have no addresses, datagrams or buffers of the system.
fn no_socket<T>() -> Result<T, Error> {
    Err(Error::Code(ErrorCode::Enotsock))
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        let source = with(|world| {
            world.loops.poll_source_gone(self.0);
            world.open.remove(&self.0)
        });
        if let Some(source) = source {
            source.close();
        }
    }
}
