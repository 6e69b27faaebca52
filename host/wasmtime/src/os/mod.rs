//! The operating system layer.
//!
//! It knows neither WIT nor the rules of the loop. Files in this directory are for every system.
//! They use the same names of one of three implementations, which `native` is:
//!
//! - `linux` uses Linux's own calls;
//! - `portable` uses mio and what all Unix systems have. Linux can use it too, with the feature
//!   `portable-os`;
//! - `windows` uses mio for sockets, and threads for standard streams.
//!
//! `unix` is the part that the first two share: standard streams, signal handlers and access to
//! descriptors. docs/platforms.md tells what each system can do.

pub(crate) mod deliveries;
pub(crate) mod descriptors;
pub(crate) mod errors;
pub(crate) mod interrupt;
#[cfg(all(target_os = "linux", not(feature = "portable-os")))]
mod linux;
#[cfg(any(not(target_os = "linux"), feature = "portable-os"))]
mod listeners;
pub(crate) mod outputs;
pub(crate) mod poller;
pub(crate) mod poller_set;
pub(crate) mod pollers;
#[cfg(all(unix, any(not(target_os = "linux"), feature = "portable-os")))]
mod portable;
pub(crate) mod signal_log;
pub(crate) mod sync;
pub(crate) mod task_waker;
#[cfg(unix)]
mod unix;
mod waker;
#[cfg(windows)]
mod windows;

#[cfg(all(target_os = "linux", not(feature = "portable-os")))]
use linux as native;
#[cfg(all(unix, any(not(target_os = "linux"), feature = "portable-os")))]
use portable as native;
#[cfg(unix)]
use unix as family;
#[cfg(windows)]
use {windows as family, windows as native};

pub(crate) use family::{clock, fd, signals, stdin, stdout};
pub(crate) use native::unshare_descriptors;
pub(crate) use waker::Waker;
