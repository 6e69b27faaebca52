//! A handle that is closed when it is dropped, for futures and streams.

use std::ops::Deref;

use crate::handle::Handle;

/// Dereferences to the handle.
#[derive(Debug)]
pub(super) struct Owned<H: Handle>(pub(super) H);

impl<H: Handle> Deref for Owned<H> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.0
    }
}

impl<H: Handle> Drop for Owned<H> {
    fn drop(&mut self) {
        self.0.close();
    }
}
