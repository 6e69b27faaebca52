//! The operating system layer.
//!
//! It knows neither WIT nor the rules of the loop. It is tested on Linux, and uses Linux
//! directly in some files; README.md lists the uses.

pub(crate) mod access;
pub(crate) mod blocking_call;
mod descriptor_table;
pub(crate) mod descriptors;
mod held_mode;
pub(crate) mod interrupt;
pub(crate) mod nonblocking;
pub(crate) mod poller;
pub(crate) mod poller_set;
pub(crate) mod pollers;
pub(crate) mod signal_log;
pub(crate) mod signal_mask;
mod signal_thread;
pub(crate) mod signal_wakes;
pub(crate) mod signals;
pub(crate) mod stdin;
pub(crate) mod stdout;
pub(crate) mod sync;
pub(crate) mod task_waker;
#[cfg(test)]
pub(crate) mod test_terminal;
mod waker;

pub(crate) use descriptor_table::unshare_descriptors;
pub(crate) use waker::Waker;
