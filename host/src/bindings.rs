//! What `bindgen!` makes of the WIT package: types and the traits that `interfaces/` implements.

wasmtime::component::bindgen!({
    path: "wit",
    world: "uv:handles/program",
});

pub(crate) use self::uv::handles::*;
