//! Guests that are libraries: their embedder calls their exports and, between calls, drives their loops.
//!
//! A plugin makes handles in any of its exports and returns. What becomes due is handed over by its export
//! `dispatch` of `uv:handles/plugin-events`. There are two ways to host it: [`Plugin`](one) waits and is called in a task
//! of tokio's, a [set](set) of many waits on a thread, and calls them synchronously.

mod loops;
#[cfg(feature = "async")]
mod one;
#[cfg(feature = "async")]
mod requests;
mod set;
mod stats;
#[cfg(feature = "async")]
mod task;
mod woken;

#[cfg(feature = "async")]
pub use loops::Dispatched;
#[cfg(feature = "async")]
pub use one::Plugin;
pub use set::{Ended, PluginId, PluginSet, Turn};
pub use stats::{Lateness, PluginStats};
#[cfg(feature = "async")]
pub use task::{PluginGone, PluginHandle, STOP, Stopped};

use crate::bindings::types::Event;
use crate::ctx::epoch_deadline::EpochDeadline;
use crate::view::UvView;
use wasmtime::component::{Instance, TypedFunc};
use wasmtime::{Store, error::Context};

/// The export that a plugin's callbacks are called by.
type Dispatch = TypedFunc<(Option<Event>,), ()>;

const EVENTS: &str = concat!("uv:handles/plugin-events@", env!("CARGO_PKG_VERSION"));

/// Makes a plugin of an instance in its store: from now on its loops are driven from outside.
fn take_charge<T: UvView>(store: &mut Store<T>, instance: &Instance) -> wasmtime::Result<Dispatch> {
    let dispatch = (|| {
        let interface = instance.get_export_index(&mut *store, None, EVENTS)?;
        instance.get_export_index(&mut *store, Some(&interface), "dispatch")
    })();
    let dispatch =
        dispatch.with_context(|| format!("the component is no plugin: it does not export {EVENTS}"))?;
    let dispatch = instance.get_typed_func(&mut *store, dispatch)?;
    let ctx = store.data_mut().uv().ctx;
    ctx.is_plugin = true;
    // It comes from the embedder.
    ctx.epochs = EpochDeadline::Lent;
    Ok(dispatch)
}
