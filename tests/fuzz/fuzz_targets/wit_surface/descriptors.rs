//! The guest's calls of descriptors.

use crate::guest::{Guest, refusable};
use crate::resources::{borrow, pick};
use uv_handles_host::UvCtxView;
use uv_handles_host::bindings::uv::handles::descriptors::{
    Descriptor, HostDescriptor, ShortBytes, ShutdownHow,
};
use wasmtime::component::Resource;

impl Guest {
    pub fn open(&mut self, name: String) {
        let opened = HostDescriptor::open(&mut self.host(), name);
        self.descriptors.extend(opened.ok().map(|descriptor| descriptor.rep()));
    }

    fn with_descriptor(&mut self, at: u8, call: impl FnOnce(&mut UvCtxView<'_>, Resource<Descriptor>)) {
        if let Some((_, descriptor)) = pick(&self.descriptors, at) {
            call(&mut self.host(), borrow(descriptor));
        }
    }

    pub fn read(&mut self, at: u8, max: u32) {
        self.with_descriptor(at, |host, descriptor| {
            let read = host.read(descriptor, max).unwrap_or_default();
            assert!(read.len() <= max.min(4_096) as usize);
        });
    }

    pub fn read_short(&mut self, at: u8, max: u32) {
        self.with_descriptor(at, |host, descriptor| {
            if let Ok(short) = host.read_short(descriptor, max) {
                assert!(u32::from(short.length) <= max.min(8));
            }
        });
    }

    pub fn recv_from(&mut self, at: u8, max: u32) {
        self.with_descriptor(at, |host, descriptor| {
            if let Ok(datagram) = host.recv_from(descriptor, max) {
                assert!(datagram.bytes.len() <= max.min(4_096) as usize);
            }
        });
    }

    pub fn write(&mut self, at: u8, bytes: Vec<u8>) {
        let length = bytes.len();
        self.with_descriptor(at, |host, descriptor| {
            assert!(host.write(descriptor, bytes).unwrap_or_default() as usize <= length);
        });
    }

    pub fn write_short(&mut self, at: u8, length: u8, bits: u64) {
        self.with_descriptor(at, |host, descriptor| {
            let written = host.write_short(descriptor, ShortBytes { length, bits });
            assert!(written.unwrap_or_default() <= length.into() && (length <= 8 || written.is_err()));
        });
    }

    pub fn send_to(&mut self, at: u8, bytes: Vec<u8>, address: String) {
        self.with_descriptor(at, |host, descriptor| refusable(host.send_to(descriptor, bytes, address)));
    }

    pub fn accept(&mut self, at: u8) {
        if let Some((_, descriptor)) = pick(&self.descriptors, at) {
            let accepted = self.host().accept(borrow(descriptor));
            self.descriptors.extend(accepted.ok().map(|descriptor| descriptor.rep()));
        }
    }

    pub fn shutdown(&mut self, at: u8, how: ShutdownHow) {
        self.with_descriptor(at, |host, descriptor| refusable(host.shutdown(descriptor, how)));
    }

    pub fn query_descriptor(&mut self, at: u8) {
        if let Some((_, rep)) = pick(&self.descriptors, at) {
            let mut host = self.host();
            assert!(HostDescriptor::fileno(&mut host, borrow(rep)) >= 3);
            let sizes = [
                HostDescriptor::send_buffer_size(&mut host, borrow(rep)),
                HostDescriptor::receive_buffer_size(&mut host, borrow(rep)),
            ];
            let socket = host.local_address(borrow(rep)).is_ok();
            assert!(
                sizes.iter().all(|size| size.is_ok() == socket),
                "all sockets have them, nothing else has"
            );
            refusable(host.peer_address(borrow(rep)));
        }
    }

    pub fn set_send_buffer_size(&mut self, at: u8, size: u32) {
        self.with_descriptor(at, |host, descriptor| {
            refusable(HostDescriptor::set_send_buffer_size(host, descriptor, size));
        });
    }

    pub fn set_receive_buffer_size(&mut self, at: u8, size: u32) {
        self.with_descriptor(at, |host, descriptor| {
            refusable(HostDescriptor::set_receive_buffer_size(host, descriptor, size));
        });
    }

    pub fn drop_descriptor(&mut self, at: u8) {
        if let Some((at, descriptor)) = pick(&self.descriptors, at) {
            self.descriptors.remove(at);
            HostDescriptor::drop(&mut self.host(), Resource::new_own(descriptor)).unwrap();
        }
    }
}
