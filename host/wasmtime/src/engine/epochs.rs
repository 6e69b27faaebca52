//! Interruption of computing guests by their engine's epochs.

use crate::ctx::epoch_deadline::EpochDeadline;
use crate::ctx::interrupt::Interrupted;
use crate::view::UvView;
use wasmtime::{AsContextMut, Store, StoreContextMut, UpdateDeadline};

/// Lets the embedder interrupt a synchronously called guest while it computes.
///
/// At each tick of the engine's epoch, the guest's [`InterruptHandle`](crate::InterruptHandle) is
/// checked. Call this before the guest is instantiated. It has no effect without
/// [`Config::epoch_interruption`](wasmtime::Config::epoch_interruption).
///
/// A deadline that the embedder sets later applies until it has passed. That includes one set for a
/// plugin through its store ([`Plugin::store`](crate::Plugin::store),
/// [`PluginSet::store`](crate::PluginSet::store)). A deadline set by a host function applies until
/// the plugin's callback has returned.
pub fn interrupt_by_epochs_sync<T: UvView + 'static>(store: &mut Store<T>) {
    interrupt_by_epochs(store, || UpdateDeadline::Continue(EPOCHS));
}

/// Lets the embedder interrupt a guest called in a task while it computes, as
/// [`interrupt_by_epochs_sync`]. The guest also yields to other tasks at each tick of the epoch.
#[cfg(feature = "async")]
pub fn interrupt_by_epochs_async<T: UvView + 'static>(store: &mut Store<T>) {
    interrupt_by_epochs(store, || UpdateDeadline::YieldCustom(EPOCHS, Box::pin(tokio::task::yield_now())));
}

/// The number of ticks after which a computing guest is checked.
const EPOCHS: u64 = 1;

fn interrupt_by_epochs<T: UvView + 'static>(
    store: &mut Store<T>,
    go_on: impl Fn() -> UpdateDeadline + Send + Sync + 'static,
) {
    store.set_epoch_deadline(EPOCHS);
    store.epoch_deadline_callback(move |mut store: StoreContextMut<'_, T>| {
        let ctx = store.data_mut().uv().ctx;
        if ctx.interrupt.is_interrupted() {
            return Err(Interrupted.into());
        }
        if let Some(watch) = &ctx.watch {
            watch.check()?;
        }
        if ctx.epochs == EpochDeadline::Unknown {
            ctx.epochs = EpochDeadline::Ours;
        }
        Ok(go_on())
    });
}

/// Resets the deadline before a plugin is called back. The ticks since its last call were not its
/// own, and a check at the start of the callback costs more than the reset.
pub(crate) fn begin_epochs<T: UvView + 'static>(mut store: impl AsContextMut<Data = T>) {
    let mut store = store.as_context_mut();
    let ctx = store.data_mut().uv().ctx;
    match ctx.epochs {
        EpochDeadline::Unknown => {}
        EpochDeadline::Lent => ctx.epochs = EpochDeadline::Unknown,
        EpochDeadline::Ours => store.set_epoch_deadline(EPOCHS),
    }
}
