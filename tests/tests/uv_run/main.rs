//! The command `uv-run`. One program, because each has to be linked with wasmtime.

mod async_programs;
mod bad_input;
mod compose;
mod config;
mod descriptors;
mod everyday;
mod limits;
mod plugin;
mod streams;
mod time;
mod wake;
