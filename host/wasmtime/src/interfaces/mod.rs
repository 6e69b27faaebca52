//! The WIT interfaces, one thin file for each: it turns resources into the core's ids and back, and
//! keeps the OS in step with what the core decided. No rule of the loop is here.
//!
//! A resource's representation is the number of its loop, handle or descriptor in the guest's
//! context. wasmtime checks every resource that a guest passes, so a number that arrives here names
//! something that exists. A `ResourceTable` would be a second look-up that can fail, with a limit
//! whose overrun is a trap.

mod async_handle;
mod async_sender;
mod batch;
mod blocking;
mod descriptors;
mod event_loop;
mod handle;
mod poll;
mod signal;
mod status;
mod timer;
mod watchers;

use uv_handles_core::{HandleId, LoopId};
use wasmtime::component::Resource;

/// The loop behind a resource.
fn loop_id<T: 'static>(resource: &Resource<T>) -> LoopId {
    LoopId::from_index(resource.rep())
}

/// The handle behind a resource of whichever kind.
fn handle_id<T: 'static>(resource: &Resource<T>) -> HandleId {
    HandleId::from_index(resource.rep())
}

/// The resource for a handle that has just been made.
fn handle_resource<T: 'static>(handle: HandleId) -> Resource<T> {
    Resource::new_own(handle.index())
}
