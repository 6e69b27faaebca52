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
use wasmtime::component::{Component, Instance, TypedFunc};
use wasmtime::error::Context;
use wasmtime::{Store, bail};

/// The export that delivers events to a plugin.
type Dispatch = TypedFunc<(Event,), ()>;

/// Whether a component is a plugin: it exports `uv:handles/plugin-events`. Its type tells, before it is
/// instantiated.
pub fn is_plugin(component: &Component) -> bool {
    let interface = component.get_export_index(None, PLUGIN_EVENTS);
    interface.is_some_and(|interface| component.get_export_index(Some(&interface), "dispatch").is_some())
}

/// Marks the store's guest as a plugin, before any of its code runs: its loops are run from outside,
/// and it must not block.
fn mark<T: UvView>(store: &mut Store<T>, component: &Component) -> wasmtime::Result<()> {
    if !is_plugin(component) {
        bail!("the component is not a plugin: it does not export {PLUGIN_EVENTS}");
    }
    store.data_mut().uv().ctx.is_plugin = true;
    Ok(())
}

/// The export of an instance that delivers events. Its store's guest has been a plugin from the
/// beginning.
fn dispatch_of<T: UvView>(store: &mut Store<T>, instance: &Instance) -> wasmtime::Result<Dispatch> {
    let ctx = store.data_mut().uv().ctx;
    if !ctx.is_plugin {
        bail!(
            "the context was not built for a plugin: use UvCtxBuilder::plugin, or instantiate the component here"
        );
    }
    // The embedder has had the store.
    ctx.epochs = EpochDeadline::Lent;
    let dispatch = (|| {
        let interface = instance.get_export_index(&mut *store, None, PLUGIN_EVENTS)?;
        instance.get_export_index(&mut *store, Some(&interface), "dispatch")
    })();
    let dispatch = dispatch
        .with_context(|| format!("the component is not a plugin: it does not export {PLUGIN_EVENTS}"))?;
    instance.get_typed_func(&mut *store, dispatch)
}
