//! What a descriptor is without the feature `descriptors`: nothing, so opening one is all that a guest can try.

use crate::bindings::exports::uv::handles::descriptors::ShutdownHow;
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::bindings::wasi::io::poll::Pollable;
use uv_handles_core::{PollEvents, Readiness};

/// There is no value of it, and so no function that takes one can be called.
pub enum Source {}

/// In which direction a source is waited for.
#[derive(Clone, Copy)]
pub enum Direction {}

/// Opens what was granted under a name.
pub fn open(_: &str) -> Result<Source, Error> {
    Err(ErrorCode::Enosys.into())
}

impl Source {
    pub fn read(&mut self, _: usize) -> Result<Vec<u8>, Error> {
        match *self {}
    }

    pub fn write(&mut self, _: &[u8]) -> Result<u32, Error> {
        match *self {}
    }

    pub fn accept(&self) -> Result<Source, Error> {
        match *self {}
    }

    pub fn shutdown(&mut self, _: ShutdownHow) -> Result<(), Error> {
        match *self {}
    }

    pub fn local_address(&self) -> Result<String, Error> {
        match *self {}
    }

    pub fn peer_address(&self) -> Result<String, Error> {
        match *self {}
    }

    pub fn datagrams<T>(&self) -> Result<T, Error> {
        match *self {}
    }

    pub fn send_buffer_size(&self) -> Result<u32, Error> {
        match *self {}
    }

    pub fn set_send_buffer_size(&self, _: u32) -> Result<(), Error> {
        match *self {}
    }

    pub fn receive_buffer_size(&self) -> Result<u32, Error> {
        match *self {}
    }

    pub fn set_receive_buffer_size(&self, _: u32) -> Result<(), Error> {
        match *self {}
    }

    pub fn known(&self) -> Readiness {
        match *self {}
    }

    pub fn unknown(&self, _: PollEvents) -> Vec<Direction> {
        match *self {}
    }

    pub fn pollable(&self, _: Direction) -> &Pollable {
        match *self {}
    }

    pub fn look(&mut self, _: Direction) -> Readiness {
        match *self {}
    }

    pub fn is_sending(&mut self) -> bool {
        match *self {}
    }

    pub fn sent(&self) -> &Pollable {
        match *self {}
    }

    pub fn close(self) -> Option<Source> {
        match self {}
    }
}
