//! Plugins: guests that are libraries.
//!
//! The embedder calls a plugin's exports, and the host runs its loops between calls. A plugin makes
//! handles in any of its exports and returns. Its export `dispatch` of `uv:handles/plugin-events`
//! receives the events.
//!
//! There are two ways to host plugins. A [`Plugin`](one) waits and is called in a tokio task. A
//! [set](set) waits for many plugins on one thread and calls them synchronously.

mod call_error;
#[cfg(feature = "concurrent")]
mod concurrent;
mod loops;
#[cfg(feature = "async")]
mod one;
#[cfg(feature = "async")]
mod requests;
mod set;
mod stats;
#[cfg(feature = "async")]
mod task;
mod timing;
mod wake_queue;
mod warm;

pub use call_error::CallError;
#[cfg(feature = "async")]
pub use loops::Dispatched;
#[cfg(feature = "async")]
pub use one::Plugin;
pub use set::{Ended, PluginId, PluginSet, Turn};
pub use stats::{Durations, Lateness, PluginStats};
#[cfg(feature = "async")]
pub use task::{PluginGone, PluginHandle, STOP, Stopped};

use crate::bindings::PLUGIN_EVENTS;
use crate::bindings::types::Event;
use crate::ctx::epoch_deadline::EpochDeadline;
use crate::view::UvView;
use wasmtime::component::{Component, Instance, TypedFunc};
use wasmtime::error::Context;
use wasmtime::{Store, bail};

/// The export that receives events.
type Dispatch = TypedFunc<(Event,), ()>;

/// Returns whether a component is a plugin, which exports `uv:handles/plugin-events`. The component
/// need not be instantiated.
pub fn is_plugin(component: &Component) -> bool {
    let interface = component.get_export_index(None, PLUGIN_EVENTS);
    interface.is_some_and(|interface| component.get_export_index(Some(&interface), "dispatch").is_some())
}

/// Returns an error if the component is not a plugin.
pub(crate) fn check_is_plugin(component: &Component) -> wasmtime::Result<()> {
    match is_plugin(component) {
        true => Ok(()),
        false => bail!("the component is not a plugin: it does not export {PLUGIN_EVENTS}"),
    }
}

/// Marks the store's guest as a plugin before any of its code runs. The host runs its loops, and it
/// must not block.
fn mark<T: UvView>(store: &mut Store<T>, component: &Component) -> wasmtime::Result<()> {
    check_is_plugin(component)?;
    store.data_mut().uv().ctx.is_plugin = true;
    Ok(())
}

/// Returns the instance's export that receives events. The store's guest must have been a plugin
/// from its first instruction on.
fn dispatch_of<T: UvView>(store: &mut Store<T>, instance: &Instance) -> wasmtime::Result<Dispatch> {
    let ctx = store.data_mut().uv().ctx;
    if !ctx.is_plugin {
        bail!(
            "the context was not built for a plugin: use UvCtxBuilder::plugin, or instantiate the component here"
        );
    }
    // The embedder has had access to the store.
    ctx.epochs = EpochDeadline::Lent;
    let dispatch = (|| {
        let interface = instance.get_export_index(&mut *store, None, PLUGIN_EVENTS)?;
        instance.get_export_index(&mut *store, Some(&interface), "dispatch")
    })();
    let dispatch = dispatch
        .with_context(|| format!("the component is not a plugin: it does not export {PLUGIN_EVENTS}"))?;
    instance.get_typed_func(&mut *store, dispatch)
}
