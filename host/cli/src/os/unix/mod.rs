//! Unix systems.

pub mod closed;
pub mod control;
mod fifo;
mod guest_path;
pub mod ignored;
pub mod kept;
pub mod process;
mod signal_numbers;
pub mod signal_set;
pub mod sockets;
pub mod stdio;

pub use fifo::fifo;
pub use guest_path::guest_path;
/// A descriptor that can be granted.
pub use std::os::fd::OwnedFd as Descriptor;
