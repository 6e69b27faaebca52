//! The generated import bindings of the world `uv:handles/program`.
//!
//! Everything a guest imports comes from here and is reached through the safe types of this crate,
//! so that a guest needs no WIT of its own. The module is public, but hidden, for those who call the
//! interfaces themselves.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks,
    reason = "generated code"
)]

wit_bindgen::generate!({
    path: "wit",
    world: "uv:handles/program",
    generate_all,
});
