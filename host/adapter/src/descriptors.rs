//! `uv:handles/descriptors`: there are none, so opening one is all that a guest can try.

use crate::Adapter;
use crate::bindings::exports::uv::handles::descriptors::{
    Datagram, Descriptor, Guest, GuestDescriptor, ShutdownHow,
};
use crate::bindings::exports::uv::handles::types::{Error, StatusCode};

/// What would stand behind the resource of a descriptor. There is no value of it, and so no function
/// that takes one can be called.
pub enum None {}

impl Guest for Adapter {
    type Descriptor = None;
}

impl GuestDescriptor for None {
    fn open(_: String) -> Result<Descriptor, Error> {
        Err(StatusCode::Enosys.into())
    }

    fn read(&self, _: u32) -> Result<Vec<u8>, Error> {
        match *self {}
    }

    fn write(&self, _: Vec<u8>) -> Result<u32, Error> {
        match *self {}
    }

    fn recv_from(&self, _: u32) -> Result<Datagram, Error> {
        match *self {}
    }

    fn send_to(&self, _: Vec<u8>, _: String) -> Result<u32, Error> {
        match *self {}
    }

    fn accept(&self) -> Result<Descriptor, Error> {
        match *self {}
    }

    fn shutdown(&self, _: ShutdownHow) -> Result<(), Error> {
        match *self {}
    }

    fn local_address(&self) -> Result<String, Error> {
        match *self {}
    }

    fn peer_address(&self) -> Result<String, Error> {
        match *self {}
    }

    fn fileno(&self) -> u32 {
        match *self {}
    }

    fn send_buffer_size(&self) -> Result<u32, Error> {
        match *self {}
    }

    fn set_send_buffer_size(&self, _: u32) -> Result<(), Error> {
        match *self {}
    }

    fn receive_buffer_size(&self) -> Result<u32, Error> {
        match *self {}
    }

    fn set_receive_buffer_size(&self, _: u32) -> Result<(), Error> {
        match *self {}
    }
}
