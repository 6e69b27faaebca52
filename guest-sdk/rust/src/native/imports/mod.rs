//! The interfaces of `uv:handles` on the core, with the names and types of the generated bindings.
//!
//! Each module stands for the interface of its name. Types without resources are the generated
//! ones.

#![allow(missing_debug_implementations, reason = "they have the shape of generated resources")]

mod batches;
mod handles;
mod loops;
#[cfg(feature = "wasi")]
pub(crate) mod pollables;
mod streams;

#[cfg(feature = "concurrent")]
pub(crate) use self::batches::concurrent;
pub(crate) use self::batches::{batch, blocking_batch};
pub(crate) use self::handles::{
    async_handle, async_sender, check, handle, idle, poll, prepare, signal, timer,
};
pub(crate) use self::loops::{event_loop, plugin_loop};
pub(crate) use self::streams::descriptors;
pub(crate) use crate::bindings::uv::handles::types;
pub(crate) use crate::native::between_waits;

/// There always is a host.
pub(crate) const fn check_host() {}
