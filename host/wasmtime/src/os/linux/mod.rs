//! Linux: epoll, eventfd, `RWF_NOWAIT`, `/proc` and other calls that no other system has.
//!
//! `portable` has the same modules for other systems.

pub(crate) mod always_ready;
pub(crate) mod description;
mod descriptor_table;
pub(crate) mod event;
pub(crate) mod nowait;
pub(crate) mod selector;
pub(crate) mod signal_numbers;
pub(crate) mod signal_wakes;
pub(crate) mod sigpipe;
pub(crate) mod sockets;
pub(crate) mod watched;

pub(crate) use descriptor_table::unshare_descriptors;
