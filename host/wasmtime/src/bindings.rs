//! What `bindgen!` makes of the WIT package: types and the traits that `interfaces/` implements.

wasmtime::component::bindgen!({
    path: "wit",
    world: "uv:handles/program",
    imports: {
        // What can end the guest: when its embedder interrupts it.
        "uv:handles/blocking": trappable,
    },
});

pub use self::uv::handles::*;

/// The blocking interface once more, for guests whose calls are futures.
#[cfg(feature = "async")]
pub(crate) mod in_task {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "uv:handles/program",
        imports: {
            "uv:handles/blocking": async | trappable,
        },
        with: {
            "uv:handles/types": super::types,
            "uv:handles/event-loop": super::event_loop,
            "uv:handles/handle": super::handle,
            "uv:handles/timer": super::timer,
            "uv:handles/idle": super::idle,
            "uv:handles/prepare": super::prepare,
            "uv:handles/check": super::check,
            "uv:handles/async-handle": super::async_handle,
            "uv:handles/async-sender": super::async_sender,
            "uv:handles/poll": super::poll,
            "uv:handles/signal": super::signal,
            "uv:handles/descriptors": super::descriptors,
            "uv:handles/batch": super::batch,
        },
    });

    pub use self::uv::handles::blocking;
}
