//! `uv:handles/descriptors`.

use crate::UvCtxView;
use crate::bindings::descriptors::{Descriptor, Host, HostDescriptor, ShutdownHow};
use crate::bindings::types::Error;
use crate::os::descriptors::{Descriptor as Open, number};
use rustix::net::Shutdown;
use wasmtime::component::Resource;

impl UvCtxView<'_> {
    fn open_descriptor(&self, descriptor: &Resource<Descriptor>) -> &Open {
        self.ctx.descriptors.get(descriptor.rep())
    }
}

impl Host for UvCtxView<'_> {}

impl HostDescriptor for UvCtxView<'_> {
    fn open(&mut self, name: String) -> Result<Resource<Descriptor>, Error> {
        match self.ctx.descriptors.open(&name) {
            Ok(place) => Ok(Resource::new_own(place)),
            Err(error) => {
                tracing::debug!(name, ?error, "the guest asked for a descriptor");
                Err(error.into())
            }
        }
    }

    fn read(&mut self, descriptor: Resource<Descriptor>, max: u32) -> Result<Vec<u8>, Error> {
        // `max` is the guest's: it is cut to the limit before anything is allocated.
        let max = max.min(self.ctx.limits.read_bytes) as usize;
        let buffer = &mut self.ctx.read_buffer;
        if buffer.len() < max {
            buffer.resize(max, 0);
        }
        let read = self.ctx.descriptors.get(descriptor.rep()).read(&mut buffer[..max])?;
        Ok(buffer[..read].to_vec())
    }

    fn write(&mut self, descriptor: Resource<Descriptor>, bytes: Vec<u8>) -> Result<u32, Error> {
        let written = self.open_descriptor(&descriptor).write(&bytes)?;
        // A guest's memory, and so what it can pass, is smaller than 4 GiB.
        Ok(u32::try_from(written).unwrap_or(u32::MAX))
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
        Ok(self.open_descriptor(&descriptor).shutdown(how)?)
    }

    fn local_address(&mut self, descriptor: Resource<Descriptor>) -> Result<String, Error> {
        Ok(self.open_descriptor(&descriptor).local_address()?)
    }

    fn peer_address(&mut self, descriptor: Resource<Descriptor>) -> Result<String, Error> {
        Ok(self.open_descriptor(&descriptor).peer_address()?)
    }

    fn fileno(&mut self, descriptor: Resource<Descriptor>) -> u32 {
        number(descriptor.rep())
    }

    fn send_buffer_size(&mut self, descriptor: Resource<Descriptor>) -> Result<u32, Error> {
        Ok(self.open_descriptor(&descriptor).send_buffer_size()?)
    }

    fn set_send_buffer_size(&mut self, descriptor: Resource<Descriptor>, size: u32) -> Result<(), Error> {
        Ok(self.open_descriptor(&descriptor).set_send_buffer_size(size)?)
    }

    fn receive_buffer_size(&mut self, descriptor: Resource<Descriptor>) -> Result<u32, Error> {
        Ok(self.open_descriptor(&descriptor).receive_buffer_size()?)
    }

    fn set_receive_buffer_size(&mut self, descriptor: Resource<Descriptor>, size: u32) -> Result<(), Error> {
        Ok(self.open_descriptor(&descriptor).set_receive_buffer_size(size)?)
    }

    fn drop(&mut self, descriptor: Resource<Descriptor>) -> wasmtime::Result<()> {
        let place = descriptor.rep();
        let descriptors = &mut self.ctx.descriptors;
        self.ctx.pollers.forget_descriptor(descriptors.get(place).raw_fd());
        self.ctx.loops.poll_source_gone(descriptors.source(place));
        descriptors.close(place);
        Ok(())
    }
}
