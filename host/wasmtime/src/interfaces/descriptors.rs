//! `uv:handles/descriptors`.

use crate::bindings::descriptors::{Datagram, Descriptor, Host, HostDescriptor, ShortBytes, ShutdownHow};
use crate::bindings::types::Error;
use crate::ctx::denied::Denied;
use crate::ctx::limits::Limits;
use crate::os::descriptors::{Descriptor as Open, Refused, number};
use crate::os::fd::AsRawFd;
use crate::view::UvCtxView;
use rustix::io::Errno;
use rustix::net::Shutdown;
use wasmtime::component::Resource;

impl UvCtxView<'_> {
    fn open_descriptor(&self, descriptor: &Resource<Descriptor>) -> Result<&Open, Errno> {
        self.ctx.descriptors.get(descriptor.rep())
    }
}

/// Returns the limit of one read. `max` is the guest's argument.
fn read_limit(max: u32, limits: &Limits) -> usize {
    max.min(limits.read_bytes) as usize
}

/// Returns the buffer of one read. `max` is limited before memory is allocated.
fn read_buffer<'a>(buffer: &'a mut Vec<u8>, max: u32, limits: &Limits) -> &'a mut [u8] {
    let max = read_limit(max, limits);
    if buffer.len() < max {
        buffer.resize(max, 0);
    }
    &mut buffer[..max]
}

impl Host for UvCtxView<'_> {}

impl HostDescriptor for UvCtxView<'_> {
    fn open(&mut self, name: String) -> Result<Resource<Descriptor>, Error> {
        match self.ctx.descriptors.open(&name) {
            Ok(place) => Ok(Resource::new_own(place)),
            Err(error) => {
                if matches!(error, Refused::NotGranted) {
                    self.ctx.on_denied.report(Denied::Descriptor(&name));
                }
                Err(error.into())
            }
        }
    }

    fn read(&mut self, descriptor: Resource<Descriptor>, max: u32) -> Result<Vec<u8>, Error> {
        let buffer = read_buffer(&mut self.ctx.read_buffer, max, &self.ctx.limits);
        let read = self.ctx.descriptors.get(descriptor.rep())?.read(buffer)?;
        Ok(buffer[..read].to_vec())
    }

    #[inline]
    fn read_short(&mut self, descriptor: Resource<Descriptor>, max: u32) -> Result<ShortBytes, Error> {
        let mut bytes = [0; size_of::<u64>()];
        let max = read_limit(max, &self.ctx.limits).min(bytes.len());
        let length = self.open_descriptor(&descriptor)?.read(&mut bytes[..max])? as u8;
        Ok(ShortBytes { length, bits: u64::from_le_bytes(bytes) })
    }

    fn recv_from(&mut self, descriptor: Resource<Descriptor>, max: u32) -> Result<Datagram, Error> {
        let buffer = read_buffer(&mut self.ctx.read_buffer, max, &self.ctx.limits);
        let (length, sender) = self.ctx.descriptors.get(descriptor.rep())?.recv_from(buffer)?;
        Ok(Datagram { bytes: buffer[..length].to_vec(), sender })
    }

    fn send_to(
        &mut self,
        descriptor: Resource<Descriptor>,
        bytes: Vec<u8>,
        address: String,
    ) -> Result<u32, Error> {
        let sent = self.open_descriptor(&descriptor)?.send_to(&bytes, &address)?;
        Ok(u32::try_from(sent).unwrap_or(u32::MAX))
    }

    fn write(&mut self, descriptor: Resource<Descriptor>, bytes: Vec<u8>) -> Result<u32, Error> {
        let written = self.open_descriptor(&descriptor)?.write(&bytes)?;
        // A guest's memory, and so its argument, is smaller than 4 GiB.
        Ok(u32::try_from(written).unwrap_or(u32::MAX))
    }

    #[inline]
    fn write_short(&mut self, descriptor: Resource<Descriptor>, bytes: ShortBytes) -> Result<u32, Error> {
        let all = bytes.bits.to_le_bytes();
        let bytes = all.get(..bytes.length.into()).ok_or(Errno::INVAL)?;
        Ok(self.open_descriptor(&descriptor)?.write(bytes)? as u32)
    }

    fn accept(&mut self, descriptor: Resource<Descriptor>) -> Result<Resource<Descriptor>, Error> {
        Ok(Resource::new_own(self.ctx.descriptors.accept(descriptor.rep())?))
    }

    fn shutdown(&mut self, descriptor: Resource<Descriptor>, how: ShutdownHow) -> Result<(), Error> {
        let how = match how {
            ShutdownHow::Read => Shutdown::Read,
            ShutdownHow::Write => Shutdown::Write,
            ShutdownHow::Both => Shutdown::Both,
        };
        Ok(self.open_descriptor(&descriptor)?.shutdown(how)?)
    }

    fn local_address(&mut self, descriptor: Resource<Descriptor>) -> Result<String, Error> {
        Ok(self.open_descriptor(&descriptor)?.local_address()?)
    }

    fn peer_address(&mut self, descriptor: Resource<Descriptor>) -> Result<String, Error> {
        Ok(self.open_descriptor(&descriptor)?.peer_address()?)
    }

    fn fileno(&mut self, descriptor: Resource<Descriptor>) -> u32 {
        number(descriptor.rep())
    }

    fn send_buffer_size(&mut self, descriptor: Resource<Descriptor>) -> Result<u32, Error> {
        Ok(self.open_descriptor(&descriptor)?.send_buffer_size()?)
    }

    fn set_send_buffer_size(&mut self, descriptor: Resource<Descriptor>, size: u32) -> Result<(), Error> {
        Ok(self.open_descriptor(&descriptor)?.set_send_buffer_size(size)?)
    }

    fn receive_buffer_size(&mut self, descriptor: Resource<Descriptor>) -> Result<u32, Error> {
        Ok(self.open_descriptor(&descriptor)?.receive_buffer_size()?)
    }

    fn set_receive_buffer_size(&mut self, descriptor: Resource<Descriptor>, size: u32) -> Result<(), Error> {
        Ok(self.open_descriptor(&descriptor)?.set_receive_buffer_size(size)?)
    }

    fn drop(&mut self, descriptor: Resource<Descriptor>) -> wasmtime::Result<()> {
        let place = descriptor.rep();
        let descriptors = &mut self.ctx.descriptors;
        // An interrupted guest no longer has its descriptors.
        if let Ok(open) = descriptors.get(place) {
            self.ctx.pollers.forget_descriptor(open.fd().as_raw_fd());
            self.ctx.loops.poll_source_gone(descriptors.source(place));
            descriptors.close(place);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::async_sender::HostAsyncSender;
    use crate::bindings::types::ErrorCode;
    use crate::ctx::UvCtx;

    #[test]
    fn an_interrupted_guest_gets_errors_for_its_descriptors_and_senders() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut uv = UvCtx::builder();
        uv.descriptor("socket", socket).unwrap();
        uv.async_connection("other", &UvCtx::builder().async_sender("other"));
        let mut ctx = uv.build();
        let view = &mut UvCtxView { ctx: &mut ctx };
        let descriptor = HostDescriptor::open(view, "socket".into()).unwrap();
        let sender = HostAsyncSender::open(view, "other".into()).unwrap();
        view.ctx.release_all();
        let [number, other] = [descriptor.rep(), sender.rep()];
        let refused = HostDescriptor::read(view, Resource::new_borrow(number), 64);
        assert!(matches!(refused, Err(Error::Code(ErrorCode::Ebadf))), "{refused:?}");
        let refused = HostAsyncSender::send(view, Resource::new_borrow(other));
        assert!(matches!(refused, Err(Error::Code(ErrorCode::Epipe))), "{refused:?}");
        // The guest can still give them up.
        HostDescriptor::drop(view, descriptor).unwrap();
        HostAsyncSender::drop(view, sender).unwrap();
    }
}
