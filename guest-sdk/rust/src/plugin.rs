//! Guests that are libraries: what their embedder hands events over to, between calls of their exports.
//!
//! All of it is behind [`plugin!`](crate::plugin), which a plugin states once.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks,
    reason = "generated code"
)]

use crate::bindings::uv::handles::types::Event;
use crate::{registry, reserve};

wit_bindgen::generate!({
    path: "wit",
    world: "uv:handles/plugin",
    with: {
        "uv:handles/types@0.1.0": crate::bindings::uv::handles::types,
        "uv:handles/event-loop@0.1.0": crate::bindings::uv::handles::event_loop,
        "uv:handles/handle@0.1.0": crate::bindings::uv::handles::handle,
        "uv:handles/timer@0.1.0": crate::bindings::uv::handles::timer,
        "uv:handles/idle@0.1.0": crate::bindings::uv::handles::idle,
        "uv:handles/prepare@0.1.0": crate::bindings::uv::handles::prepare,
        "uv:handles/check@0.1.0": crate::bindings::uv::handles::check,
        "uv:handles/async-handle@0.1.0": crate::bindings::uv::handles::async_handle,
        "uv:handles/async-sender@0.1.0": crate::bindings::uv::handles::async_sender,
        "uv:handles/poll@0.1.0": crate::bindings::uv::handles::poll,
        "uv:handles/signal@0.1.0": crate::bindings::uv::handles::signal,
        "uv:handles/descriptors@0.1.0": crate::bindings::uv::handles::descriptors,
        "uv:handles/batch@0.1.0": crate::bindings::uv::handles::batch,
        "uv:handles/blocking@0.1.0": crate::bindings::uv::handles::blocking,
    },
    pub_export_macro: true,
    export_macro_name: "export_events",
    default_bindings_module: "uv_handles::plugin",
});

/// What implements the export.
pub struct Events;

impl exports::uv::handles::plugin_events::Guest for Events {
    fn dispatch(event: Option<Event>) {
        match event {
            Some(event) => registry::dispatch(event),
            // Exports have been called before the embedder took charge of the plugin.
            None => reserve::refuse(),
        }
    }
}

/// Makes a library a plugin: its embedder drives its loops between calls, so that handles made in one
/// of its exports call back although nothing of the plugin runs. Stated once, beside the library's own
/// exports; its WIT world does not have to mention uv:handles.
///
/// Everything else is as in a program, except that [`Loop::run`](crate::Loop::run) answers ENOTSUP: the loop
/// is run already.
///
/// ```no_run
/// use uv_handles::{Loop, Result, Timer};
///
/// uv_handles::plugin!();
///
/// // The body of an export: the timer calls back after it has returned.
/// fn start() -> Result<()> {
///     let timer = Timer::new(&Loop::new()?)?;
///     timer.start_with(1000, 1000, |_| println!("tick"))
/// }
/// ```
#[macro_export]
macro_rules! plugin {
    () => {
        const _: () = {
            use $crate::plugin::Events;
    $crate::plugin::export_events!(Events with_types_in $crate::plugin);
        };
    };
}
