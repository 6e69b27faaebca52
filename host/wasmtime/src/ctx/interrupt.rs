//! The handle that interrupts a guest from any thread.

use crate::os::interrupt::Interrupt;
use std::sync::Arc;
use thiserror::Error;

/// Interrupts a guest from any thread. [`UvCtx::interrupt_handle`](crate::UvCtx::interrupt_handle)
/// returns one.
///
/// The interrupt is sticky: a guest that is not waiting is ended when it next asks for an event.
/// Its call fails with an error that downcasts to [`Interrupted`]. None of its code runs
/// afterwards, and everything it had open is closed.
///
/// wasmtime's epochs interrupt a guest that computes without returning to its loop: see
/// [`interrupt_by_epochs_sync`](crate::interrupt_by_epochs_sync). Epochs and fuel alone do not
/// reach a guest that is blocked in the host. For a graceful shutdown, send the guest's async
/// handle, and let the guest stop its loop.
#[derive(Debug, Clone, Default)]
pub struct InterruptHandle {
    shared: Arc<Interrupt>,
}

/// The error of an interrupted guest's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the host interrupted the guest")]
pub struct Interrupted;

impl InterruptHandle {
    /// Interrupts the guest. Idempotent.
    pub fn interrupt(&self) {
        self.shared.set();
    }

    /// Returns whether the guest has been interrupted.
    pub fn is_interrupted(&self) -> bool {
        self.shared.is_set()
    }

    pub(crate) fn shared(&self) -> &Arc<Interrupt> {
        &self.shared
    }
}
