//! `uv:wasi/pollables`. There is no WASI on the machine itself, so a poll handle cannot watch any of
//! its pollables.

use super::event_loop::Loop;
use super::poll::Poll;
use crate::bindings::uv::handles::types::{Error, ErrorCode};
use wasip2::io::poll::Pollable;

/// ENOTSUP.
pub(crate) fn create(_: &Loop, _: u64, _: Pollable) -> Result<Poll, Error> {
    Err(Error::Code(ErrorCode::Enotsup))
}
