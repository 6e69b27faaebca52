//! Windows: sockets by mio, standard streams by threads, console control events.

pub(crate) mod clock;
mod event;
pub(crate) mod fd;
pub(crate) mod nonblocking;
pub(crate) mod outside;
pub(crate) mod selector;
pub(crate) mod signal_wakes;
pub(crate) mod signals;
pub(crate) mod sockets;
pub(crate) mod stdin;
pub(crate) mod stdout;

/// A thread has no signals and no descriptor table here.
pub(crate) fn unshare_descriptors() {}
