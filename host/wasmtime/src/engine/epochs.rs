//! Interrupting a guest that computes, by the epochs of its engine.

use crate::ctx::epoch_deadline::EpochDeadline;
use crate::ctx::interrupt::Interrupted;
use crate::view::UvView;
use wasmtime::{Store, StoreContextMut, UpdateDeadline};

/// Lets a guest that is called synchronously be interrupted also while it computes: at each tick of its engine's
/// epoch its [`InterruptHandle`](crate::InterruptHandle) is looked at. To be called before the guest is
/// instantiated. Without [`Config::epoch_interruption`] it does nothing.
///
/// A deadline that is set afterwards counts until it has passed, also one that is set for a plugin, by whoever has its
/// store in his hands ([`Plugin::store`](crate::Plugin::store), [`PluginSet::store`](crate::PluginSet::store)). One that a
/// host function sets counts until the plugin's callback has returned.
pub fn interrupt_by_epochs_sync<T: UvView + 'static>(store: &mut Store<T>) {
    interrupt_by_epochs(store, || UpdateDeadline::Continue(EPOCHS));
}

/// Lets a guest that is called in a task be interrupted also while it computes, as [`interrupt_by_epochs_sync`];
/// and at each tick of the epoch other tasks have a turn.
#[cfg(feature = "async")]
pub fn interrupt_by_epochs_async<T: UvView + 'static>(store: &mut Store<T>) {
    interrupt_by_epochs(store, || UpdateDeadline::YieldCustom(EPOCHS, Box::pin(tokio::task::yield_now())));
}

/// After how many ticks of the epoch a guest that computes is looked at.
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
        if ctx.epochs == EpochDeadline::Unknown {
            ctx.epochs = EpochDeadline::Ours;
        }
        Ok(go_on())
    });
}

/// To be called before a plugin is called back: the ticks since its last call were not its own. They would be looked at as
/// soon as it begins, which costs more than to set them aside.
pub(crate) fn begin_epochs<T: UvView>(store: &mut Store<T>) {
    let ctx = store.data_mut().uv().ctx;
    match ctx.epochs {
        EpochDeadline::Unknown => {}
        EpochDeadline::Lent => ctx.epochs = EpochDeadline::Unknown,
        EpochDeadline::Ours => store.set_epoch_deadline(EPOCHS),
    }
}
