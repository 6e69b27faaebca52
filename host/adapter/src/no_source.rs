//! The source behind a descriptor without the feature `descriptors`: opening one is refused.

use crate::bindings::exports::uv::handles::descriptors::ShutdownHow;
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::bindings::wasi::io::poll::Pollable;
use uv_handles_core::{PollEvents, Readiness};

/// A source. There is no value of it, so the functions below are never called.
pub enum Source {}

/// The direction of a source that is waited for.
#[derive(Clone, Copy)]
pub enum Direction {}

/// Refuses to open a source.
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
