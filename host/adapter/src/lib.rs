//! `uv:handles` as a WebAssembly component: the loop's core, and below it WASI 0.2 instead of an OS.
//!
//! Plugged into a guest it makes an ordinary WASI component of it, which runs where the native host does
//! not: on runtimes whose imports are fixed. What the guest sees is what the native host shows, with two
//! differences, because nothing but descriptors can come from outside of a composition: a signal can not be
//! watched (ENOSYS), and a wait that nothing would ever end is refused (ECANCELED).
//!
//! It is built twice. With the feature `descriptors`, the environment grants descriptors (`grants.rs`), which are
//! WASI's standard streams and TCP sockets (`source.rs`); without it, opening one is ENOSYS, and nothing is
//! imported but the clock.
//!
//! Each interface has a thin file, as in the host crate: it turns resources into the core's ids and back.

#![deny(missing_docs)]

mod async_handle;
mod async_sender;
mod batch;
mod blocking;
mod descriptors;
mod event_loop;
#[cfg(feature = "descriptors")]
mod grants;
mod handle;
mod poll;
mod signal;
#[cfg_attr(not(feature = "descriptors"), path = "no_source.rs")]
mod source;
mod status;
#[cfg(feature = "descriptors")]
mod streams;
#[cfg(feature = "descriptors")]
mod tcp;
mod timer;
mod wait;
mod watchers;

mod bindings {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unsafe_code,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    #[cfg(not(feature = "descriptors"))]
    wit_bindgen::generate!({ path: "wit", world: "adapter", generate_all });
    #[cfg(feature = "descriptors")]
    wit_bindgen::generate!({ path: "wit", world: "adapter-with-descriptors", generate_all });
}

use std::cell::RefCell;
use uv_handles_core::{HandleId, Limits, Loops};

thread_local! {
    /// All loops of the guest that this is plugged into.
    static LOOPS: RefCell<Loops> = RefCell::new(Loops::new(Limits::default()));
}

/// Does something with the loops. Nothing of it calls the guest, so it is never nested.
fn with<T>(f: impl FnOnce(&mut Loops) -> T) -> T {
    LOOPS.with_borrow_mut(f)
}

/// What stands behind the resource of a handle, of whichever kind. Dropping it is dropping the resource.
struct Owned(HandleId);

impl Drop for Owned {
    fn drop(&mut self) {
        with(|loops| {
            loops.close(self.0);
            loops.release(self.0);
        });
    }
}

struct Adapter;

bindings::export!(Adapter with_types_in bindings);
