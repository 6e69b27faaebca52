//! Windows. It has neither FIFOs nor Unix sockets that uv-run could grant, and its only signals are
//! console control events.

pub mod closed;
mod console_events;
pub mod control;
mod fifo;
mod guest_path;
pub mod ignored;
pub mod kept;
pub mod process;
pub mod signal_set;
pub mod sockets;
pub mod stdio;

pub use fifo::fifo;
pub use guest_path::guest_path;
/// A descriptor that can be granted.
pub use std::os::windows::io::OwnedSocket as Descriptor;

/// The error of a grant that this system has nothing for. The option's name precedes it.
fn not_available() -> wasmtime::Error {
    wasmtime::Error::msg("it is not available on Windows")
}
