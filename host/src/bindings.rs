//! What `bindgen!` makes of the WIT package: types and the traits that `interfaces/` implements.

wasmtime::component::bindgen!({
    path: "wit",
    world: "uv:handles/program",
    imports: {
        // The one function that can end the guest: when its embedder interrupts it.
        "uv:handles/blocking.pull": trappable,
    },
});

pub(crate) use self::uv::handles::*;
