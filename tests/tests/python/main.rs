//! Python under uv-run, and called by an embedder. One program, because each has to be linked with
//! wasmtime.

mod asyncio;
mod call;
mod errors;
mod examples;
mod http;
mod libraries;
mod library;
mod network;
mod scripts;
mod signals;
