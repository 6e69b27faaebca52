//! Wakes loops when a console control event has arrived. Its handler runs in a thread of its own, so
//! it wakes them itself.

use crate::os::listeners::SignalListener;
use mio::{Registry, Token};
use std::io;

/// Makes deliveries wake a loop or a set, until it is dropped.
#[derive(Debug)]
pub(crate) struct SignalWake(SignalListener);

impl SignalWake {
    /// Makes every delivery from now on call this function, which ends the poll's wait.
    pub(crate) fn new(
        _registry: &Registry,
        _token: Token,
        wake: impl Fn() -> io::Result<()> + Send + Sync + 'static,
    ) -> io::Result<SignalWake> {
        Ok(SignalWake(SignalListener::new(wake)))
    }

    /// Makes deliveries end the poll's wait no more.
    pub(crate) fn remove(self, _registry: &Registry) -> io::Result<()> {
        Ok(())
    }

    /// Returns whether there was a delivery since the last call that had no event of its own.
    pub(crate) fn take_delivery(&self) -> bool {
        self.0.take_delivery()
    }
}
