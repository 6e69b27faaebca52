//! `uv:handles/async-sender`: a composition is connected with no other guest.

use crate::Adapter;
use crate::bindings::exports::uv::handles::async_sender::{AsyncSender, Guest, GuestAsyncSender};
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};

/// A connection. There is no value of it.
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
