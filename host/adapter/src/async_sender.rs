//! `uv:handles/async-sender`: nobody is there to connect a guest with another one.

use crate::Adapter;
use crate::bindings::exports::uv::handles::async_sender::{AsyncSender, Guest, GuestAsyncSender};
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};

/// A connection, of which there is none.
#[derive(Debug)]
pub enum Connection {}

impl Guest for Adapter {
    type AsyncSender = Connection;
}

impl GuestAsyncSender for Connection {
    fn open(_: String) -> Result<AsyncSender, Error> {
        Err(ErrorCode::Enoent.into())
    }

    fn send(&self) -> Result<(), Error> {
        match *self {}
    }

    fn send_message(&self, _: Vec<u8>) -> Result<(), Error> {
        match *self {}
    }
}
