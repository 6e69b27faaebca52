//! The one place that knows the operating system. It knows nothing of WIT or of the loop's rules.
//!
//! Tested on Linux. What is Linux's own is named where it is used.

pub(crate) mod access;
pub(crate) mod blocking_call;
mod descriptor_table;
pub(crate) mod descriptors;
pub(crate) mod interrupt;
pub(crate) mod poller;
pub(crate) mod pollers;
pub(crate) mod set_poller;
pub(crate) mod signal_log;
pub(crate) mod signals;
pub(crate) mod stdin;
pub(crate) mod stdout;
pub(crate) mod sync;
pub(crate) mod task_waker;
#[cfg(test)]
pub(crate) mod test_terminal;
mod waker;

pub(crate) use descriptor_table::share_no_descriptors;
pub(crate) use waker::Waker;
