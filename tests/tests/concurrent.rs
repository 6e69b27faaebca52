//! Guests with async exports: a run that is awaited lets other tasks of the instance go on.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::time::Duration;
use uv_handles_host::{UvCtx, UvCtxBuilder};
use uv_handles_tests::{PATIENCE, State, component};
use wasmtime::component::{Accessor, Component, Linker};
use wasmtime::{Config, Engine, Result, Store};
use wasmtime_wasi::WasiCtx;

mod bindings {
    #![allow(missing_docs, missing_debug_implementations, reason = "generated code")]

    wasmtime::component::bindgen!({
        path: "guest-async/wit",
        world: "guest",
        exports: { default: async | store },
    });
}

use bindings::Guest;

async fn instance(grant: impl FnOnce(&mut UvCtxBuilder)) -> Result<(Store<State>, Guest)> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config)?;
    let component = Component::from_file(&engine, component("async-guest"))?;
    let mut linker = Linker::<State>::new(&engine);
    uv_handles_host::add_to_linker_async(&mut linker)?;
    uv_handles_host::add_concurrent_to_linker(&mut linker)?;
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    let mut uv = UvCtx::builder();
    grant(&mut uv);
    let mut store = Store::new(&engine, State::new(uv.build(), WasiCtx::builder().build()));
    let guest = Guest::instantiate_async(&mut store, &component, &linker).await?;
    Ok((store, guest))
}

/// Ends a test that would hang.
async fn in_time<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, future).await.expect("it does not hang")
}

/// Waits until this many calls are in progress.
async fn until_in_progress(guest: &Guest, store: &Accessor<State>, calls: u32) -> Result<()> {
    while guest.call_in_progress(store).await? != calls {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

#[tokio::test]
async fn timers_are_called_in_order() -> Result<()> {
    let (mut store, guest) = instance(|_| ()).await?;
    let order = in_time(store.run_concurrent(async |store| guest.call_timers(store, vec![30, 10, 20]).await))
        .await??;
    assert_eq!(order, [10, 20, 30]);
    Ok(())
}

#[tokio::test]
async fn other_tasks_go_on_while_a_run_waits() -> Result<()> {
    let mut sender = None;
    let (mut store, guest) = instance(|uv| sender = Some(uv.async_sender("go"))).await?;
    let sender = sender.expect("it was granted");
    in_time(store.run_concurrent(async |store| {
        let waits = guest.call_wait_for(store, "go".to_owned(), 2);
        let others = async {
            until_in_progress(&guest, store, 1).await?;
            // Both of these begin and end while the first call waits for another event.
            assert_eq!(guest.call_timers(store, vec![2, 1]).await?, [1, 2]);
            assert_eq!(guest.call_timers(store, vec![0]).await?, [0]);
            assert_eq!(guest.call_in_progress(store).await?, 1, "the first call still waits");
            sender.send().expect("the guest listens");
            assert_eq!(guest.call_timers(store, vec![1]).await?, [1]);
            while sender.send().is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok::<_, wasmtime::Error>(())
        };
        let (waited, others) = tokio::join!(waits, others);
        others?;
        assert_eq!(waited?, 2);
        Ok(())
    }))
    .await?
}

#[tokio::test]
async fn a_wait_sees_what_another_task_changes() -> Result<()> {
    let (mut store, guest) = instance(|_| ()).await?;
    let calls = in_time(store.run_concurrent(async |store| {
        let touches = async {
            until_in_progress(&guest, store, 1).await?;
            guest.call_touch(store, 1).await
        };
        let (calls, touched) = tokio::join!(guest.call_hold(store), touches);
        touched?;
        calls
    }))
    .await??;
    assert_eq!(calls, 1);
    Ok(())
}

#[tokio::test]
async fn a_thousand_runs_wait_at_once() -> Result<()> {
    let (mut store, guest) = instance(|uv| {
        uv.limits(|limits| limits.loops = 2_000);
    })
    .await?;
    in_time(store.run_concurrent(async |store| {
        let calls = (0..1_000_u64).map(|n| guest.call_timers(store, vec![20 + n % 5]));
        for call in calls.collect::<FuturesUnordered<_>>().collect::<Vec<_>>().await {
            assert_eq!(call?.len(), 1);
        }
        Ok(())
    }))
    .await?
}

#[tokio::test]
async fn a_cancelled_wait_loses_nothing() -> Result<()> {
    let mut sender = None;
    let (mut store, guest) = instance(|uv| sender = Some(uv.async_sender("go"))).await?;
    let sender = sender.expect("it was granted");
    let lines = in_time(store.run_concurrent(async |store| {
        let sends = async {
            // The guest may still be in its first run, between the two, or in the second.
            while sender.send().is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::join!(guest.call_wait_again(store, "go".to_owned()), sends).0
    }))
    .await??;
    assert!(lines.iter().filter(|line| *line == "called").count() == 1, "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("second run: false"));
    Ok(())
}
