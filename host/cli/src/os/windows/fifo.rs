//! FIFOs, which this system does not have as files.

use crate::os::native::{Descriptor, not_available};
use crate::values::Fifo;
use wasmtime::Result;

/// Fails.
pub fn fifo(_: &Fifo) -> Result<Descriptor> {
    Err(not_available())
}
