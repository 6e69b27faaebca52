//! The parts of uv-run that differ between systems. Both implementations have the same names.
//!
//! A grant that a system has nothing for fails before the guest starts, with an error that follows
//! the option's name: [`sockets`], [`fifo`] and [`control`] of Windows.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as native;
#[cfg(windows)]
use windows as native;

pub use native::{
    Descriptor, closed, control, fifo, guest_path, ignored, kept, process, signal_set, sockets, stdio,
};
