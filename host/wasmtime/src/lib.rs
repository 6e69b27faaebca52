//! libuv's event-loop handles for sandboxed WebAssembly guests, hosted by wasmtime.
//!
//! The handles are timer, poll, signal, idle, prepare, check and async, on the real OS. A guest
//! that imports the WIT package `uv:handles` makes handles on a loop, starts them with callbacks
//! and runs the loop, as a C program does with libuv. A guest has access only to what the embedder
//! grants. [`UvCtxBuilder`] has a method for each kind of grant.
//!
//! There are two shapes of guests. A *program* (WASI's command) runs its loop itself. A *plugin* (a
//! library; WASI's reactor) exports functions, and the host runs its loops: see [`Plugin`] and
//! [`PluginSet`].
//!
//! # Embedding
//!
//! The crate is used like wasmtime's own interface crates: the store's data holds a context, a view
//! trait returns it, and one call adds the interfaces to a linker.
//!
//! ```
//! use uv_handles_host::{UvCtx, UvCtxView, UvView};
//! use wasmtime::component::{Component, Linker, ResourceTable};
//! use wasmtime::{Engine, Result, Store};
//! use wasmtime_wasi::p2::bindings::sync::Command;
//! use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
//!
//! struct State {
//!     uv: UvCtx,
//!     wasi: WasiCtx,
//!     table: ResourceTable,
//! }
//!
//! impl UvView for State {
//!     fn uv(&mut self) -> UvCtxView<'_> {
//!         UvCtxView { ctx: &mut self.uv }
//!     }
//! }
//!
//! // Rust guests for wasm32-wasip2 import WASI as well.
//! impl WasiView for State {
//!     fn ctx(&mut self) -> WasiCtxView<'_> {
//!         WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
//!     }
//! }
//!
//! fn run_guest(wasm: &[u8]) -> Result<()> {
//!     let engine = Engine::default();
//!     let component = Component::new(&engine, wasm)?;
//!     let mut linker = Linker::<State>::new(&engine);
//!     uv_handles_host::add_to_linker_sync(&mut linker)?;
//!     wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
//!
//!     let mut uv = UvCtx::builder();
//!     uv.signal(15); // The guest may watch SIGTERM. There are no other grants.
//!     let state = State {
//!         uv: uv.build(),
//!         wasi: WasiCtx::builder().inherit_stdout().build(),
//!         table: ResourceTable::new(),
//!     };
//!     let mut store = Store::new(&engine, state);
//!     let command = Command::instantiate(&mut store, &component, &linker)?;
//!     command.wasi_cli_run().call_run(&mut store)?.expect("the guest reports success");
//!     Ok(())
//! }
//! # let guests = std::env::var_os("UV_HANDLES_GUESTS");
//! # let guests = std::path::PathBuf::from(guests.expect("`cargo xtask test` sets the directory"));
//! # run_guest(&std::fs::read(guests.join("first-timer.wasm")).unwrap()).unwrap();
//! ```
//!
//! # Blocking
//!
//! `uv:handles/blocking.wait` is the only import that blocks, for as long as uv_run would. With
//! [`add_to_linker_sync`] it blocks the calling thread. With [`add_to_linker_async`] it suspends
//! the guest's task. Guests with async functions wait with `uv:handles/concurrent.wait`, which
//! `add_concurrent_to_linker` (feature `concurrent`) adds.
//!
//! # Errors and limits
//!
//! Bad input of a guest results in an error value. It never causes a panic or a trap. [`Limits`]
//! bounds the resources of a guest.

#![deny(missing_docs, missing_debug_implementations, unsafe_code)]

/// Runs the examples of these pages as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../../../docs/embedding.md")]
#[doc = include_str!("../../../docs/python.md")]
struct Pages;

#[cfg(not(fuzzing))]
mod bindings;
/// The traits of the interfaces, which the fuzzer calls in place of a guest.
#[cfg(fuzzing)]
#[doc(hidden)]
#[allow(missing_docs, missing_debug_implementations, reason = "generated")]
pub mod bindings;
mod ctx;
#[cfg(feature = "wasi")]
mod denied_http;
mod driver;
mod engine;
mod grants;
mod interfaces;
mod linker;
mod os;
mod plugin;
pub mod supervisor;
mod view;

pub use ctx::UvCtx;
pub use ctx::builder::UvCtxBuilder;
pub use ctx::clock::VirtualClock;
pub use ctx::denied::Denied;
pub use ctx::interrupt::{InterruptHandle, Interrupted};
pub use ctx::limits::Limits;
pub use ctx::watch::DeadlineExceeded;
#[cfg(feature = "wasi")]
pub use denied_http::add_denied_http_to_linker;
#[cfg(feature = "async")]
pub use engine::interrupt_by_epochs_async;
pub use engine::{
    EpochTicker, MemoryLimit, MemoryUsage, dense_engine_config, engine_config, interrupt_by_epochs_sync,
};
pub use grants::async_sender::AsyncSender;
pub use grants::send_error::SendError;
#[cfg(feature = "concurrent")]
pub use linker::add_concurrent_to_linker;
#[cfg(feature = "wasi")]
pub use linker::add_pollables_to_linker;
#[cfg(feature = "async")]
pub use linker::add_to_linker_async;
pub use linker::add_to_linker_sync;
pub use plugin::{CallError, Durations, Ended, Lateness, PluginId, PluginSet, PluginStats, Turn, is_plugin};
#[cfg(feature = "async")]
pub use plugin::{Dispatched, Plugin, PluginGone, PluginHandle, STOP, Stopped};
pub use view::{UvCtxView, UvView};
