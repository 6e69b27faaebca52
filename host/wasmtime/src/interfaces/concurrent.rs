//! `uv:handles/concurrent`: the wait of guests with async functions.

use super::run_id;
use crate::bindings::event_loop::Run;
use crate::bindings::in_instance::concurrent::{Host, HostWithStore};
use crate::bindings::types::Error;
use crate::driver::RunError;
use crate::driver::concurrent::yield_to_runtime;
use crate::linker::HasUv;
use crate::view::UvCtxView;
use uv_handles_core::RunId;
use wasmtime::component::{Accessor, Resource};

impl Host for UvCtxView<'_> {}

impl<T: 'static> HostWithStore<T> for HasUv {
    async fn wait(store: &Accessor<T, Self>, run: Resource<Run>) -> wasmtime::Result<Result<(), Error>> {
        let waited = wait(store, run_id(&run)).await;
        store.with(|mut access| access.get().answer(waited, |()| ()))
    }
}

/// Waits for a run. The store is borrowed before and after each suspension, never during one, so
/// that other tasks of the instance continue. Dropping the future ends only the wait.
async fn wait<T: 'static>(store: &Accessor<T, HasUv>, run: RunId) -> Result<(), RunError> {
    while let Some(mut pending) = store.with(|mut access| access.get().ctx.begin_concurrent_wait(run))? {
        pending.wait().await?;
    }
    // Tasks of one instance may wake each other without end, so a suspension of one of them does
    // not mean that other tasks of the runtime have had their turn.
    if store.with(|mut access| access.get().ctx.turn.is_over()) {
        yield_to_runtime().await;
        store.with(|mut access| access.get().ctx.turn.begin());
    }
    Ok(())
}
