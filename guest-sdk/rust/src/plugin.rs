//! Plugins: the export with which the host delivers events between the calls of a library's
//! exports.
//!
//! A plugin states [`plugin!`](crate::plugin!) once; everything here is behind that macro.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks,
    reason = "generated code"
)]

use crate::bindings::uv::handles::types::Event;
use crate::registry;

wit_bindgen::generate!({
    path: "wit",
    world: "uv:handles/plugin",
    with: {
        "uv:handles/types@0.2.0": crate::bindings::uv::handles::types,
        "uv:handles/event-loop@0.2.0": crate::bindings::uv::handles::event_loop,
        "uv:handles/handle@0.2.0": crate::bindings::uv::handles::handle,
        "uv:handles/timer@0.2.0": crate::bindings::uv::handles::timer,
        "uv:handles/idle@0.2.0": crate::bindings::uv::handles::idle,
        "uv:handles/prepare@0.2.0": crate::bindings::uv::handles::prepare,
        "uv:handles/check@0.2.0": crate::bindings::uv::handles::check,
        "uv:handles/async-handle@0.2.0": crate::bindings::uv::handles::async_handle,
        "uv:handles/async-sender@0.2.0": crate::bindings::uv::handles::async_sender,
        "uv:handles/poll@0.2.0": crate::bindings::uv::handles::poll,
        "uv:handles/signal@0.2.0": crate::bindings::uv::handles::signal,
        "uv:handles/descriptors@0.2.0": crate::bindings::uv::handles::descriptors,
        "uv:handles/batch@0.2.0": crate::bindings::uv::handles::batch,
        "uv:handles/plugin-loop@0.2.0": crate::bindings::uv::handles::plugin_loop,
    },
    pub_export_macro: true,
    export_macro_name: "export_events",
    default_bindings_module: "uv_handles::plugin",
});

/// The export of a plugin's life, in a world of its own because it is optional.
#[doc(hidden)]
pub mod life {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package uv-handles:life;
            world life { export uv:handles/plugin-life@0.2.0; }
        ",
        world: "uv-handles:life/life",
        pub_export_macro: true,
        export_macro_name: "export_life",
        default_bindings_module: "uv_handles::plugin::life",
    });
}

pub use life::export_life;

/// The life of a plugin under a supervisor: how it begins with a configuration, and the state that
/// it hands over to the instance that replaces it.
pub use life::exports::uv::handles::plugin_life::Guest as Life;

/// The implementation of the export.
pub struct Events;

impl exports::uv::handles::plugin_events::Guest for Events {
    fn dispatch(event: Event) {
        registry::dispatch(event);
    }
}

/// Makes a library a plugin: the host drives its loops between calls, so that handles made in one
/// of its exports call back although nothing of the plugin runs. Stated once, beside the library's
/// own exports; the library's WIT world does not have to mention uv:handles.
///
/// A plugin makes its loops with [`Loop::hosted`](crate::Loop::hosted) and does not run them:
/// [`Loop::new`](crate::Loop::new) and [`Loop::run`](crate::Loop::run) answer ENOTSUP. Everything
/// else is as in a program.
///
/// ```no_run
/// use uv_handles::{Loop, Result, Timer};
///
/// uv_handles::plugin!();
///
/// // The body of an export: the timer calls back after it has returned.
/// fn start() -> Result<()> {
///     let timer = Timer::new(&Loop::hosted()?)?;
///     timer.start_with(1000, 1000, |_| println!("tick"))
/// }
/// ```
///
/// With the name of a type, the macro exports also the plugin's life, which the type implements: a
/// supervisor then configures the plugin, and hands its state over to the instance that replaces it.
///
/// ```no_run
/// use std::cell::Cell;
/// use uv_handles::plugin::Life;
///
/// struct Counter;
///
/// thread_local! {
///     static COUNT: Cell<u64> = const { Cell::new(0) };
/// }
///
/// impl Life for Counter {
///     fn init(_config: Vec<u8>, state: Option<Vec<u8>>) -> Result<(), String> {
///         if let Some(state) = state {
///             let count = state.try_into().map_err(|_| "the state is no number")?;
///             COUNT.set(u64::from_le_bytes(count));
///         }
///         Ok(())
///     }
///
///     fn hand_over() -> Option<Vec<u8>> {
///         Some(COUNT.get().to_le_bytes().into())
///     }
/// }
///
/// uv_handles::plugin!(Counter);
/// ```
#[macro_export]
macro_rules! plugin {
    () => {
        const _: () = {
            use $crate::plugin::Events;
            $crate::plugin::export_events!(Events with_types_in $crate::plugin);
        };
    };
    ($life:ident) => {
        $crate::plugin!();
        $crate::plugin::export_life!($life with_types_in $crate::plugin::life);
    };
}
