//! Types and traits that `bindgen!` generates from the WIT package.

wasmtime::component::bindgen!({
    path: "wit",
    inline: "
        package uv-handles:host;
        world host {
            include uv:handles/handles@0.2.0;
            import uv:handles/blocking@0.2.0;
            import uv:handles/blocking-batch@0.2.0;
            import uv:handles/plugin-loop@0.2.0;
        }
    ",
    world: "uv-handles:host/host",
    imports: {
        // An interrupt ends the guest in these functions.
        "uv:handles/event-loop.[method]run.next": trappable,
        "uv:handles/batch.next": trappable,
        "uv:handles/batch.next-callbacks": trappable,
        "uv:handles/blocking": trappable,
        "uv:handles/blocking-batch": trappable,
    },
});

pub use self::uv::handles::*;

/// The blocking interfaces for guests that are called as futures.
#[cfg(feature = "async")]
pub(crate) mod in_task {
    wasmtime::component::bindgen!({
        path: "wit",
        inline: "
            package uv-handles:host;
            world blocking {
                import uv:handles/blocking@0.2.0;
                import uv:handles/blocking-batch@0.2.0;
            }
        ",
        world: "uv-handles:host/blocking",
        imports: {
            "uv:handles/blocking": async | trappable,
            "uv:handles/blocking-batch": async | trappable,
        },
        with: {
            "uv:handles/types": super::types,
            "uv:handles/event-loop": super::event_loop,
            "uv:handles/timer": super::timer,
            "uv:handles/batch": super::batch,
        },
    });

    pub use self::uv::handles::{blocking, blocking_batch};
}

/// The interface for guests with async functions.
#[cfg(feature = "concurrent")]
pub(crate) mod in_instance {
    wasmtime::component::bindgen!({
        path: "wit",
        inline: "
            package uv-handles:host;
            world concurrent {
                import uv:handles/concurrent@0.2.0;
            }
        ",
        world: "uv-handles:host/concurrent",
        imports: {
            "uv:handles/concurrent": async | store | trappable,
        },
        with: {
            "uv:handles/types": super::types,
            "uv:handles/event-loop": super::event_loop,
        },
    });

    pub use self::uv::handles::concurrent;
}

/// The name of the export, with the contract's version. It is independent of the crate's version.
pub(crate) const PLUGIN_EVENTS: &str = "uv:handles/plugin-events@0.2.0";
