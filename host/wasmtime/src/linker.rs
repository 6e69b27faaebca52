//! Functions that add the interfaces to a linker.

use crate::bindings;
use crate::view::{UvCtxView, UvView};
use wasmtime::component::{HasData, Linker};

pub(crate) struct HasUv;

impl HasData for HasUv {
    type Data<'a> = UvCtxView<'a>;
}

/// Adds all interfaces of `uv:handles` to a linker, for synchronous calls of guests.
///
/// `uv:handles/blocking` and `blocking-batch` block the calling thread.
///
/// # Errors
///
/// Returns wasmtime's error if the linker already has one of the interfaces.
pub fn add_to_linker_sync<T: UvView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    add_shared::<T>(linker)?;
    bindings::event_loop::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::blocking::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::blocking_batch::add_to_linker::<T, HasUv>(linker, T::uv)
}

/// Adds all interfaces of `uv:handles` to a linker, for guests called in tasks of a tokio runtime.
///
/// `uv:handles/blocking` and `blocking-batch` suspend the guest, and its thread does
/// other work meanwhile. A loop that always has something to do yields to other tasks after an
/// iteration, once in a millisecond. The same components run under both linkers.
///
/// The runtime needs its I/O and time drivers
/// ([`enable_all`](https://docs.rs/tokio/1/tokio/runtime/struct.Builder.html#method.enable_all)).
/// The guest is instantiated and called with wasmtime's `_async` functions.
///
/// # Errors
///
/// Returns wasmtime's error if the linker already has one of the interfaces.
#[cfg(feature = "async")]
pub fn add_to_linker_async<T: UvView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    add_shared::<T>(linker)?;
    bindings::event_loop::add_to_linker::<T, HasUv>(linker, uv_in_task)?;
    bindings::in_task::blocking::add_to_linker::<T, HasUv>(linker, T::uv)?;
    bindings::in_task::blocking_batch::add_to_linker::<T, HasUv>(linker, uv_in_task)
}

/// Adds `uv:handles/concurrent` to a linker, for guests with async functions.
///
/// It complements [`add_to_linker_async`]. `wait` suspends the guest's task that calls it, and
/// other tasks of the same instance continue.
///
/// The engine needs the component model's async functions
/// ([`Config::wasm_component_model_async`](wasmtime::Config::wasm_component_model_async)). The
/// guest is called through [`Store::run_concurrent`](wasmtime::Store::run_concurrent) inside a
/// tokio runtime.
///
/// # Errors
///
/// Returns wasmtime's error if the linker already has the interface.
#[cfg(feature = "concurrent")]
pub fn add_concurrent_to_linker<T: UvView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    bindings::in_instance::concurrent::add_to_linker::<T, HasUv>(linker, T::uv)
}

/// Adds `uv:wasi/pollables` to a linker: poll handles on the pollables of `wasi:io/poll`, which are
/// streams, sockets, pending HTTP responses and clocks.
///
/// It complements [`add_to_linker_sync`] and [`add_to_linker_async`]. The store's WASI must use the
/// table of [`UvCtx::table`](crate::UvCtx::table):
///
/// ```
/// use uv_handles_host::{UvCtx, UvCtxView, UvView};
/// use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
///
/// struct State {
///     uv: UvCtx,
///     wasi: WasiCtx,
/// }
///
/// impl UvView for State {
///     fn uv(&mut self) -> UvCtxView<'_> {
///         UvCtxView { ctx: &mut self.uv }
///     }
/// }
///
/// impl WasiView for State {
///     fn ctx(&mut self) -> WasiCtxView<'_> {
///         WasiCtxView { ctx: &mut self.wasi, table: self.uv.table() }
///     }
/// }
/// ```
///
/// wasmtime-wasi waits with tokio. Where the guest is not called inside a tokio runtime, its
/// pollables are driven by the runtime that wasmtime-wasi starts for such guests.
///
/// # Errors
///
/// Returns wasmtime's error if the linker already has the interface.
#[cfg(feature = "wasi")]
pub fn add_pollables_to_linker<T: UvView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    bindings::on_wasi::pollables::add_to_linker::<T, HasUv>(linker, T::uv)
}

/// Returns the context, marked as that of a guest whose waits can yield.
#[cfg(feature = "async")]
fn uv_in_task<T: UvView>(data: &mut T) -> UvCtxView<'_> {
    let view = data.uv();
    view.ctx.turn.in_task = true;
    view
}

/// Adds the interfaces that are the same for all embedders.
fn add_shared<T: UvView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    bindings::types::add_to_linker::<T, HasUv>(linker, T::uv)?;
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
