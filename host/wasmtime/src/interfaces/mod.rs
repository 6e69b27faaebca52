//! Implementations of the WIT interfaces, each in one thin file; small ones share a file.
//!
//! A file converts resources to the core's ids and back, and updates the OS after the core's
//! decisions. The rules of the loop are in the core.
//!
//! A resource's representation is the number of its loop, run, handle or descriptor in the guest's
//! context. wasmtime checks every resource that a guest passes, so the number always names an
//! existing object. A `ResourceTable` would add a second look-up that can fail, and a limit that
//! traps.

mod async_handle;
mod async_sender;
mod batch;
mod blocking;
#[cfg(feature = "concurrent")]
mod concurrent;
mod descriptors;
mod event_loop;
mod handle;
mod poll;
#[cfg(feature = "wasi")]
mod pollables;
mod signal;
mod timer;
mod types;
mod watchers;

use uv_handles_core::{HandleId, LoopId, RunId};
use wasmtime::component::Resource;

/// Returns the loop of a resource.
fn loop_id<T: 'static>(resource: &Resource<T>) -> LoopId {
    LoopId::from_index(resource.rep())
}

/// Returns the run of a resource.
fn run_id<T: 'static>(resource: &Resource<T>) -> RunId {
    RunId::from_index(resource.rep())
}

/// Returns the handle of a resource of any kind.
fn handle_id<T: 'static>(resource: &Resource<T>) -> HandleId {
    HandleId::from_index(resource.rep())
}

/// Returns the resource of a new handle.
fn handle_resource<T: 'static>(handle: HandleId) -> Resource<T> {
    Resource::new_own(handle.index())
}
