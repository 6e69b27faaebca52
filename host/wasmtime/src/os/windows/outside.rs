//! Waiting for a loop's poll from outside: its thread wakes the loop's task or set, so there is
//! nothing to watch.

use crate::os::windows::selector::Selector;
use mio::{Registry, Token};
use std::io;
#[cfg(feature = "async")]
use std::task::{Context, Poll};

#[derive(Debug, Default)]
pub(crate) struct Outside;

impl Outside {
    #[cfg(feature = "async")]
    pub(crate) fn watch_in_task(&mut self, _selector: &Selector) -> io::Result<()> {
        Ok(())
    }

    #[cfg(feature = "async")]
    pub(crate) fn has_something(&self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    #[cfg(feature = "concurrent")]
    pub(crate) fn watch_shared(&mut self, _selector: &Selector) -> io::Result<Shared> {
        Ok(Shared)
    }

    pub(crate) fn watch_in_set(
        &mut self,
        _selector: &Selector,
        _set: &Registry,
        _token: Token,
    ) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn forget_in_set(&mut self, _selector: &Selector, _set: &Registry) {}
}

/// A poll that a wait owns.
#[cfg(feature = "concurrent")]
#[derive(Debug, Clone)]
pub(crate) struct Shared;

#[cfg(feature = "concurrent")]
impl Shared {
    /// Never ends: the wait is woken.
    pub(crate) async fn has_something(&self) -> io::Result<()> {
        std::future::pending().await
    }
}
