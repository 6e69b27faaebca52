//! The outputs of a guest.

use crate::os::family::stdout::Output;
use crate::os::interrupt::Interrupt;
use std::sync::Arc;

/// A guest's outputs. Dropping them waits for writes in progress.
#[derive(Debug)]
pub(crate) struct Outputs {
    pub(crate) all: Vec<Arc<Output>>,
    pub(crate) interrupt: Arc<Interrupt>,
}

impl Outputs {
    /// Waits until everything is out that was reported as written. An interrupt ends the wait: the
    /// reader may have stopped reading.
    pub(crate) fn finish(&self) {
        self.all.iter().for_each(|output| output.finish(&self.interrupt));
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.finish();
    }
}
