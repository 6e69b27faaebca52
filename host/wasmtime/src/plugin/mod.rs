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

use crate::bindings::PLUGIN_EVENTS;
use crate::bindings::types::Event;
use crate::ctx::epoch_deadline::EpochDeadline;
use crate::view::UvView;
use wasmtime::component::{Component, ComponentExportIndex, TypedFunc};
use wasmtime::{Store, error::Context};

/// The export that delivers events to a plugin.
type Dispatch = TypedFunc<(Event,), ()>;

/// Whether a component is a plugin: it exports `uv:handles/plugin-events`. Known before it is
/// instantiated, from its type.
pub fn is_plugin(component: &Component) -> bool {
    dispatch_of(component).is_some()
}

fn dispatch_of(component: &Component) -> Option<ComponentExportIndex> {
    let interface = component.get_export_index(None, PLUGIN_EVENTS)?;
    component.get_export_index(Some(&interface), "dispatch")
}

/// Marks the store's guest as a plugin, before any of its code runs: its loops are run from outside,
/// and it must not block.
fn mark<T: UvView>(store: &mut Store<T>, component: &Component) -> wasmtime::Result<ComponentExportIndex> {
    let dispatch = dispatch_of(component)
        .with_context(|| format!("the component is not a plugin: it does not export {PLUGIN_EVENTS}"))?;
    let ctx = store.data_mut().uv().ctx;
    ctx.is_plugin = true;
    // The embedder made the store.
    ctx.epochs = EpochDeadline::Lent;
    Ok(dispatch)
}
