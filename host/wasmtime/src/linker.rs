//! Adding the interfaces to a linker.

use crate::bindings;
use crate::view::{UvCtxView, UvView};
use wasmtime::component::{HasData, Linker};

pub(crate) struct HasUv;

impl HasData for HasUv {
    type Data<'a> = UvCtxView<'a>;
}

/// Adds all interfaces of `uv:handles` to a linker, for an embedder that calls guests synchronously:
/// `uv:handles/blocking.wait` blocks the calling thread.
///
/// # Errors
///
/// wasmtime's, when one of the interfaces is in the linker already.
pub fn add_to_linker_sync<T: UvView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    add_shared::<T>(linker)?;
    bindings::blocking::add_to_linker::<T, HasUv>(linker, T::uv)
}

/// Adds all interfaces of `uv:handles` to a linker, for an embedder that calls guests in tasks of a
/// tokio runtime: `uv:handles/blocking.wait` suspends the guest, and its thread does other work
/// meanwhile. The same components run under both linkers.
///
/// The runtime needs its I/O and time drivers
/// ([`enable_all`](https://docs.rs/tokio/1/tokio/runtime/struct.Builder.html#method.enable_all)), and
/// the guest is instantiated and called with wasmtime's `_async` functions.
///
/// # Errors
///
/// wasmtime's, when one of the interfaces is in the linker already.
#[cfg(feature = "async")]
pub fn add_to_linker_async<T: UvView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    add_shared::<T>(linker)?;
    bindings::in_task::blocking::add_to_linker::<T, HasUv>(linker, T::uv)
}

/// Adds `uv:handles/concurrent` to a linker beside the interfaces of [`add_to_linker_async`], for guests
/// with async functions: `wait` suspends the task of the guest that calls it, and other tasks of the
/// same instance go on.
///
/// The engine needs the component model's async functions
/// ([`Config::wasm_component_model_async`](wasmtime::Config::wasm_component_model_async)), and the guest
/// is called by way of [`Store::run_concurrent`](wasmtime::Store::run_concurrent), inside a tokio runtime.
///
/// # Errors
///
/// wasmtime's, when the interface is in the linker already.
#[cfg(feature = "concurrent")]
pub fn add_concurrent_to_linker<T: UvView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    bindings::in_instance::concurrent::add_to_linker::<T, HasUv>(linker, T::uv)
}

/// Adds everything that does not wait.
fn add_shared<T: UvView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    bindings::types::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::event_loop::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::handle::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::timer::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::idle::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::prepare::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::check::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::async_handle::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::async_sender::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::poll::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::signal::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::descriptors::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::batch::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::plugin_loop::add_to_linker::<T, HasUv>(linker, T::uv)
}
