//! `uv:handles/poll`: a handle needs a descriptor, and there are none.

use crate::Adapter;
use crate::bindings::exports::uv::handles::descriptors::DescriptorBorrow;
use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::poll::{Guest, GuestPoll, Poll};
use crate::bindings::exports::uv::handles::types::{Error, PollEvents};
use crate::descriptors;

/// What would stand behind the resource of a poll handle.
pub enum None {}

impl Guest for Adapter {
    type Poll = None;
}

impl GuestPoll for None {
    fn create(_: LoopBorrow<'_>, _: u64, descriptor: DescriptorBorrow<'_>) -> Result<Poll, Error> {
        match *descriptor.get::<descriptors::None>() {}
    }

    fn start(&self, _: PollEvents) -> Result<(), Error> {
        match *self {}
    }

    fn stop(&self) {
        match *self {}
    }
}
