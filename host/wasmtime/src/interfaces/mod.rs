//! One thin file for each WIT interface: it turns resources into the core's ids and back, and keeps
//! the OS in step with what the core decided. No rule of the loop is here.
//!
//! A resource's representation is the number of its loop, run, handle or descriptor in the guest's
//! context. wasmtime checks every resource that a guest passes, so a number that arrives here names
//! something that exists. A `ResourceTable` would be a second look-up that can fail, with a limit
//! whose overrun is a trap.

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
mod signal;
mod timer;
mod types;
mod watchers;

use uv_handles_core::{HandleId, LoopId, RunId};
use wasmtime::component::Resource;

/// The loop behind a resource.
fn loop_id<T: 'static>(resource: &Resource<T>) -> LoopId {
    LoopId::from_index(resource.rep())
}

/// The run behind a resource.
fn run_id<T: 'static>(resource: &Resource<T>) -> RunId {
    RunId::from_index(resource.rep())
}

/// The handle behind a resource of any kind.
fn handle_id<T: 'static>(resource: &Resource<T>) -> HandleId {
    HandleId::from_index(resource.rep())
}

/// The resource for a handle that has just been made.
fn handle_resource<T: 'static>(handle: HandleId) -> Resource<T> {
    Resource::new_own(handle.index())
}
