//! The JavaScript runtime: QuickJS and the event loop of uv:handles, for components that run
//! scripts.
//!
//! The scripts' globals are written in JavaScript, in `../js`. They call the functions of the
//! module `native`. This crate has nothing to offer on the machine itself.

#![cfg(target_family = "wasm")]

mod engine;
pub mod image;
mod memory;
mod modules;
mod native;
pub mod plugin;
pub mod script;
