//! `uv:handles/concurrent`: the wait of guests with async functions.

use super::run_id;
use crate::bindings::event_loop::Run;
use crate::bindings::in_instance::concurrent::{Host, HostWithStore};
use crate::bindings::types::Error;
use crate::driver::RunError;
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
    loop {
        let mut pending = match store.with(|mut access| access.get().ctx.begin_concurrent_wait(run))? {
            Some(pending) => pending,
            None => return Ok(()),
        };
        pending.wait().await?;
    }
}
