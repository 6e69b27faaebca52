//! `uv:handles/poll`.

use crate::bindings::exports::uv::handles::descriptors::DescriptorBorrow;
use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::poll::{Guest, GuestPoll, Poll};
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode, PollEvents};
use crate::{Adapter, Owned, descriptors, event_loop, pollables, with};

impl Guest for Adapter {
    type Poll = Owned;
}

impl GuestPoll for Owned {
    fn create(owner: LoopBorrow<'_>, token: u64, descriptor: DescriptorBorrow<'_>) -> Result<Poll, Error> {
        let source = descriptors::id(&descriptor);
        let handle = with(|loops| loops.make_poll(event_loop::id(&owner), token, source))?;
        Ok(Poll::new(Owned(handle)))
    }

    fn start(&self, events: PollEvents) -> Result<(), Error> {
        with(|loops| {
            loops.check_open(self.0)?;
            let is_open = |source| pollables::is_pollable(source) || descriptors::is_open(source);
            if !loops.poll_source(self.0).is_some_and(is_open) {
                return Err(ErrorCode::Ebadf.into());
            }
            Ok(loops.poll_start(self.0, events.into())?)
        })
    }

    fn stop(&self) {
        with(|loops| loops.poll_stop(self.0));
    }
}
