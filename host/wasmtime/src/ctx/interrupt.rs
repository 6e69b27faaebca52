//! The handle that ends a guest from any thread.

use crate::os::interrupt::Interrupt;
use std::sync::Arc;
use thiserror::Error;

/// Ends a guest from any thread. From [`UvCtx::interrupt_handle`](crate::UvCtx::interrupt_handle).
///
/// The interrupt is sticky: a guest that is not waiting now is ended when it next asks for an
/// event. Its call fails with an error that downcasts to [`Interrupted`], none of its code runs any
/// more, and everything it had open is closed.
///
/// A guest that computes without end and never returns to its loop is reached through wasmtime's
/// epochs: see [`interrupt_by_epochs_sync`](crate::interrupt_by_epochs_sync). Epochs and fuel alone
/// do not reach a guest that is blocked inside the host. For an orderly end, send the guest's async
/// handle, and let the guest stop its loop.
#[derive(Debug, Clone, Default)]
pub struct InterruptHandle {
    shared: Arc<Interrupt>,
}

/// The error that an interrupted guest's call fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the host interrupted the guest")]
pub struct Interrupted;

impl InterruptHandle {
    /// Ends the guest. Idempotent.
    pub fn interrupt(&self) {
        self.shared.set();
    }

    /// Whether the guest has been interrupted.
    pub fn is_interrupted(&self) -> bool {
        self.shared.is_set()
    }

    pub(crate) fn shared(&self) -> &Arc<Interrupt> {
        &self.shared
    }
}
