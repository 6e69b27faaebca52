//! libuv's event-loop handles - timer, poll, signal, idle, prepare, check, async - for sandboxed
//! WebAssembly guests, implemented on the real OS and given to guests through wasmtime.
//!
//! A guest that imports the WIT package `uv:handles` makes handles on a loop, starts them with
//! callbacks and runs the loop, as a C program does with libuv. What it can reach is what the
//! embedder granted, and nothing else: [`UvCtxBuilder`] has a method for each kind of grant.
//!
//! # Embedding
//!
//! As with wasmtime's own interface crates: a context in the store's data, a view that finds it, and
//! a call that adds the interfaces to a linker.
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
//!     uv.signal(15); // The guest may watch SIGTERM, and reaches nothing else.
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
//! # let guests = std::env::var_os("UV_HANDLES_GUESTS").expect("`cargo xtask test` says where the guests are");
//! # run_guest(&std::fs::read(std::path::Path::new(&guests).join("first-timer.wasm")).unwrap()).unwrap();
//! ```
//!
//! # Blocking
//!
//! Of all imports only `uv:handles/blocking.wait` blocks, as long as uv_run would:
//! [`add_to_linker_sync`] lets it block the calling thread, [`add_to_linker_async`] suspends the
//! guest's task instead. Guests with async functions wait with `uv:handles/concurrent.wait`, which
//! `add_concurrent_to_linker` (feature `concurrent`) adds.
//!
//! # Errors and limits
//!
//! A guest's bad input is answered with an error value and never panics or traps. [`Limits`] bounds
//! what a guest may have.

#![deny(missing_docs, missing_debug_implementations, unsafe_code)]

/// The examples of these pages are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../../../docs/embedding.md")]
#[doc = include_str!("../../../docs/python.md")]
struct Pages;

#[cfg(not(fuzzing))]
mod bindings;
/// The traits of the interfaces, for the fuzzer: it calls them as a guest would, without a guest.
#[cfg(fuzzing)]
#[doc(hidden)]
#[allow(missing_docs, missing_debug_implementations, reason = "generated")]
pub mod bindings;
mod ctx;
mod driver;
mod engine;
mod grants;
mod interfaces;
mod linker;
mod os;
mod plugin;
mod view;

pub use ctx::UvCtx;
pub use ctx::builder::UvCtxBuilder;
pub use ctx::clock::VirtualClock;
pub use ctx::denied::Denied;
pub use ctx::interrupt::{InterruptHandle, Interrupted};
pub use ctx::limits::Limits;
#[cfg(feature = "async")]
pub use engine::interrupt_by_epochs_async;
pub use engine::{EpochTicker, dense_engine_config, engine_config, interrupt_by_epochs_sync};
pub use grants::async_sender::{AsyncSender, SendError};
#[cfg(feature = "concurrent")]
pub use linker::add_concurrent_to_linker;
#[cfg(feature = "async")]
pub use linker::add_to_linker_async;
pub use linker::add_to_linker_sync;
#[cfg(feature = "async")]
pub use plugin::{Dispatched, Plugin, PluginGone, PluginHandle, STOP, Stopped};
pub use plugin::{Ended, Lateness, PluginId, PluginSet, PluginStats, Turn, is_plugin};
pub use view::{UvCtxView, UvView};
