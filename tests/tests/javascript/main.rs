//! JavaScript under uv-run, and called by an embedder. One program, because each has to be linked
//! with wasmtime.

mod call;
mod errors;
mod examples;
mod fetch;
mod library;
mod limits;
mod order;
mod scripts;
mod typescript;
