//! `uv:handles` as a WebAssembly component, implemented on WASI 0.2.
//!
//! Plugged into a guest, it makes an ordinary WASI component of it, which runs on runtimes that do
//! not have the native host. The guest sees what the native host shows, with two differences,
//! because only descriptors can bring events into a composition: watching a signal is refused
//! (ENOSYS), and a wait that nothing could end is refused (ECANCELED).
//!
//! It is built twice. With the feature `descriptors`, the environment grants descriptors
//! (`grants.rs`): WASI's standard streams and TCP sockets (`source.rs`). Without it, opening a
//! descriptor is refused (ENOSYS), and the component imports only a clock and pollables.
//!
//! Each interface has a thin file, as in the host crate: it turns resources into the core's ids and
//! back. `driver.rs` drives the core's sessions, `wait.rs` waits.

#![deny(missing_docs)]

mod async_handle;
mod async_sender;
mod batch;
mod blocking;
mod descriptors;
mod driver;
mod event_loop;
#[cfg(feature = "descriptors")]
mod grants;
mod handle;
mod poll;
mod pollables;
mod run_keys;
mod signal;
#[cfg_attr(not(feature = "descriptors"), path = "no_source.rs")]
mod source;
#[cfg(feature = "descriptors")]
mod streams;
#[cfg(feature = "descriptors")]
mod tcp;
mod timer;
mod types;
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
    /// All loops of the guest that the adapter is plugged into.
    static LOOPS: RefCell<Loops> = RefCell::new(Loops::new(Limits::default()));
}

/// Gives access to the loops. `f` must not call this function; it cannot be entered from the guest,
/// which is not called while `f` runs.
fn with<T>(f: impl FnOnce(&mut Loops) -> T) -> T {
    LOOPS.with_borrow_mut(f)
}

/// The representation of a handle's resource, the same for all kinds. It is dropped with the
/// resource.
struct Owned(HandleId);

impl Drop for Owned {
    fn drop(&mut self) {
        with(|loops| {
            pollables::close(loops, self.0);
            loops.release(self.0);
        });
    }
}

struct Adapter;

bindings::export!(Adapter with_types_in bindings);
