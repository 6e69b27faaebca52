//! `uv:handles/async-handle`.

use crate::bindings::exports::uv::handles::async_handle::{AsyncHandle, Guest, GuestAsyncHandle};
use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::{Adapter, Owned, event_loop, with};

impl Guest for Adapter {
    type AsyncHandle = Owned;
}

impl GuestAsyncHandle for Owned {
    fn create(owner: LoopBorrow<'_>, token: u64) -> Result<AsyncHandle, Error> {
        let handle = with(|loops| loops.make_async(event_loop::id(&owner), token))?;
        Ok(AsyncHandle::new(Owned(handle)))
    }

    /// A composition grants no names.
    fn create_named(_: LoopBorrow<'_>, _: u64, _: String) -> Result<AsyncHandle, Error> {
        Err(ErrorCode::Enoent.into())
    }

    fn send(&self) -> Result<(), Error> {
        Ok(with(|loops| loops.async_send(self.0))?)
    }

    /// Only named handles have a mailbox.
    fn receive(&self) -> Result<Option<Vec<u8>>, Error> {
        with(|loops| loops.check_open(self.0))?;
        Err(ErrorCode::Enotsup.into())
    }
}
