//! The parts that all Unix systems share.

pub(crate) mod access;
mod blocking_call;
pub(crate) mod clock;
mod errno;
pub(crate) mod fd;
pub(crate) mod held_mode;
pub(crate) mod nonblocking;
pub(crate) mod outside;
pub(crate) mod signal_mask;
mod signal_thread;
pub(crate) mod signals;
pub(crate) mod stdin;
pub(crate) mod stdout;
#[cfg(test)]
pub(crate) mod test_child;
#[cfg(test)]
pub(crate) mod test_terminal;
