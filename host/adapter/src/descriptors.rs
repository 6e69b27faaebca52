//! `uv:handles/descriptors`: the table of the guest's open descriptors.

use crate::bindings::exports::uv::handles::descriptors::{
    Datagram, Descriptor, DescriptorBorrow, Guest, GuestDescriptor, ShortBytes, ShutdownHow,
};
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::source::{self, Source};
use crate::{Adapter, with};
use slab::Slab;
use std::cell::RefCell;
use uv_handles_core::SourceId;

/// The number of a guest's first descriptor. Those below belong to the standard streams.
const FIRST_NUMBER: u32 = 3;

/// How many descriptors a guest may have open, as by default in the native host.
const LIMIT: usize = 1024;

/// The largest number of bytes that one read brings, as by default in the native host.
const READ_BYTES: u32 = 65_536;

/// A short read brings at most so many bytes.
const SHORT_BYTES: u32 = u64::BITS / 8;

thread_local! {
    static TABLE: RefCell<Table> = RefCell::new(Table::default());
}

/// All descriptors of the guest that the adapter is plugged into.
#[derive(Default)]
pub struct Table {
    open: Slab<Open>,
    serial: u32,
    /// Sources that the guest has closed and that still have data to send. Dropping such a stream
    /// blocks the guest on some runtimes, and loses data on others.
    pub closing: Vec<Source>,
}

struct Open {
    source: Source,
    /// Tells this descriptor from later ones in the same place.
    serial: u32,
}

/// Gives access to the descriptors. `f` must not call this function; it cannot be entered from the
/// guest, which is not called while `f` runs.
pub fn with_table<T>(f: impl FnOnce(&mut Table) -> T) -> T {
    TABLE.with_borrow_mut(f)
}

impl Table {
    fn insert(&mut self, source: Source) -> Descriptor {
        // The upper half of the core's numbers is for pollables.
        self.serial = self.serial.wrapping_add(1) & (u32::MAX >> 1);
        let serial = self.serial;
        Descriptor::new(Owned(self.open.insert(Open { source, serial }) as u32))
    }

    fn check_limit(&self) -> Result<(), Error> {
        match self.open.len() < LIMIT {
            true => Ok(()),
            false => Err(ErrorCode::Emfile.into()),
        }
    }

    fn id(&self, place: u32) -> SourceId {
        SourceId(u64::from(self.open[place as usize].serial) << 32 | u64::from(place))
    }

    /// The source of a descriptor, if it is still open.
    pub fn source(&mut self, id: SourceId) -> Option<&mut Source> {
        let open = self.open.get_mut(place(id))?;
        (u64::from(open.serial) == id.0 >> 32).then_some(&mut open.source)
    }

    /// The source of a descriptor that is known to be open.
    pub fn open_source(&self, id: SourceId) -> &Source {
        &self.open[place(id)].source
    }
}

fn place(id: SourceId) -> usize {
    id.0 as u32 as usize
}

/// The representation of a descriptor's resource: its place. It is dropped with the resource.
pub struct Owned(u32);

impl Owned {
    fn source<T>(&self, f: impl FnOnce(&mut Source) -> T) -> T {
        with_table(|table| f(&mut table.open[self.0 as usize].source))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        with_table(|table| {
            with(|loops| loops.poll_source_gone(table.id(self.0)));
            let Table { open, closing, .. } = table;
            closing.extend(open.remove(self.0 as usize).source.close());
        });
    }
}

/// The core's id of a descriptor.
pub fn id(descriptor: &DescriptorBorrow<'_>) -> SourceId {
    with_table(|table| table.id(descriptor.get::<Owned>().0))
}

/// Whether a descriptor is still open.
pub fn is_open(id: SourceId) -> bool {
    with_table(|table| table.source(id).is_some())
}

/// The number of a descriptor in the guest's own numbering.
pub fn number_of(id: SourceId) -> u32 {
    id.0 as u32 + FIRST_NUMBER
}

impl Guest for Adapter {
    type Descriptor = Owned;
}

impl GuestDescriptor for Owned {
    fn open(name: String) -> Result<Descriptor, Error> {
        with_table(|table| {
            table.check_limit()?;
            Ok(table.insert(source::open(&name)?))
        })
    }

    fn read(&self, max: u32) -> Result<Vec<u8>, Error> {
        self.source(|source| source.read(max.min(READ_BYTES) as usize))
    }

    fn read_short(&self, max: u32) -> Result<ShortBytes, Error> {
        let read = self.source(|source| source.read(max.min(SHORT_BYTES) as usize))?;
        let mut bytes = [0; SHORT_BYTES as usize];
        bytes[..read.len()].copy_from_slice(&read);
        Ok(ShortBytes { length: read.len() as u8, bits: u64::from_le_bytes(bytes) })
    }

    fn write(&self, bytes: Vec<u8>) -> Result<u32, Error> {
        self.source(|source| source.write(&bytes))
    }

    fn write_short(&self, bytes: ShortBytes) -> Result<u32, Error> {
        let all = bytes.bits.to_le_bytes();
        let bytes = all.get(..bytes.length.into()).ok_or(Error::Code(ErrorCode::Einval))?;
        self.source(|source| source.write(bytes))
    }

    fn recv_from(&self, _: u32) -> Result<Datagram, Error> {
        self.source(|source| source.datagrams())
    }

    fn send_to(&self, _: Vec<u8>, _: String) -> Result<u32, Error> {
        self.source(|source| source.datagrams())
    }

    fn accept(&self) -> Result<Descriptor, Error> {
        with_table(|table| {
            table.check_limit()?;
            let accepted = table.open[self.0 as usize].source.accept()?;
            Ok(table.insert(accepted))
        })
    }

    fn shutdown(&self, how: ShutdownHow) -> Result<(), Error> {
        self.source(|source| source.shutdown(how))
    }

    fn local_address(&self) -> Result<String, Error> {
        self.source(|source| source.local_address())
    }

    fn peer_address(&self) -> Result<String, Error> {
        self.source(|source| source.peer_address())
    }

    fn fileno(&self) -> u32 {
        self.0 + FIRST_NUMBER
    }

    fn send_buffer_size(&self) -> Result<u32, Error> {
        self.source(|source| source.send_buffer_size())
    }

    fn set_send_buffer_size(&self, size: u32) -> Result<(), Error> {
        self.source(|source| source.set_send_buffer_size(size))
    }

    fn receive_buffer_size(&self) -> Result<u32, Error> {
        self.source(|source| source.receive_buffer_size())
    }

    fn set_receive_buffer_size(&self, size: u32) -> Result<(), Error> {
        self.source(|source| source.set_receive_buffer_size(size))
    }
}
