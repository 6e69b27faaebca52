//! Giving the interfaces to guests: how a store's data shows its context, and the linker.

use crate::bindings;
use crate::view::{UvCtxView, UvView};
use wasmtime::component::{HasData, Linker};

struct HasUv;

impl HasData for HasUv {
    type Data<'a> = UvCtxView<'a>;
}

/// Adds all interfaces of `uv:handles` to a linker, for an embedder that calls guests synchronously:
/// those of `uv:handles/blocking` block the calling thread.
///
/// # Errors
///
/// wasmtime's, when one of the interfaces is in the linker already.
pub fn add_to_linker_sync<T: UvView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    bindings::Program::add_to_linker::<T, HasUv>(linker, T::uv)
}

/// Adds all interfaces of `uv:handles` to a linker, for an embedder that calls guests in tasks of a tokio
/// runtime: `uv:handles/blocking.pull` suspends the guest, and its thread does other work meanwhile. The
/// same components run under both linkers.
///
/// The runtime needs its I/O and time drivers
/// ([`enable_all`](https://docs.rs/tokio/1/tokio/runtime/struct.Builder.html#method.enable_all)), and the
/// guest is instantiated and called with wasmtime's `_async` functions.
///
/// # Errors
///
/// wasmtime's, when one of the interfaces is in the linker already.
#[cfg(feature = "async")]
pub fn add_to_linker_async<T: UvView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    bindings::in_task::Program::add_to_linker::<T, HasUv>(linker, T::uv)
}
