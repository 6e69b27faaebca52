//! The generated bindings of everything that a guest can import.
//!
//! A component imports only those functions that its program calls: the linker drops the rest. So
//! one world serves programs and plugins. Guests reach the interfaces through the safe types of
//! this crate and need no WIT of their own. The module is public, but hidden, for guests that call
//! the interfaces directly.

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
    inline: "
        package uv-handles:sdk;
        world imports {
            include uv:handles/handles@0.2.0;
            import uv:handles/blocking@0.2.0;
            import uv:handles/blocking-batch@0.2.0;
            import uv:handles/plugin-loop@0.2.0;
        }
    ",
    world: "uv-handles:sdk/imports",
    generate_all,
});

/// The interface for guests with async functions.
#[cfg(feature = "concurrent")]
pub mod in_instance {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package uv-handles:sdk;
            world concurrent {
                import uv:handles/concurrent@0.2.0;
            }
        ",
        world: "uv-handles:sdk/concurrent",
        with: {
            "uv:handles/types@0.2.0": super::uv::handles::types,
            "uv:handles/event-loop@0.2.0": super::uv::handles::event_loop,
        },
        generate_all,
    });

    pub use uv::handles::concurrent;
}
