//! Guests with async exports: a run that is awaited lets other tasks of the instance go on.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use uv_handles_host::{Interrupted, Plugin, UvCtx, UvCtxBuilder};
use uv_handles_tests::{PATIENCE, State, async_linker, component};
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
async fn a_run_that_never_rests_lets_other_tasks_go_on() -> Result<()> {
    let mut sender = None;
    let (mut store, guest) = instance(|uv| sender = Some(uv.async_sender("go"))).await?;
    let sender = sender.expect("it was granted");
    let (spun, timers) = in_time(store.run_concurrent(async |store| {
        // A task of the same instance, and one of the runtime.
        let others = async {
            let timers = guest.call_timers(store, vec![2, 1]).await?;
            tokio::spawn(async move { sender.send() }).await.expect("it does not panic")?;
            Ok::<_, wasmtime::Error>(timers)
        };
        tokio::join!(guest.call_spin(store, "go".to_owned()), others)
    }))
    .await?;
    assert_eq!((spun?, timers?), (true, vec![1, 2]));
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

mod plugin {
    #![allow(missing_docs, missing_debug_implementations, reason = "generated code")]

    wasmtime::component::bindgen!({
        path: "guest-async-plugin/wit",
        world: "async-plugin",
        imports: { default: async | store },
        exports: { default: async | store },
    });
}

use plugin::AsyncPlugin;

/// A plugin whose calls of `pause` are told to the test, which ends them.
async fn async_plugin(uv: &mut UvCtxBuilder) -> Result<(Plugin<State>, AsyncPlugin, Pauses)> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config)?;
    let component = Component::from_file(&engine, component("async-plugin-guest"))?;
    let mut linker = async_linker(&engine)?;
    let pauses = Pauses::default();
    let begun = pauses.clone();
    linker.root().func_wrap_concurrent("pause", move |_, (number,): (u32,)| {
        let begun = begun.clone();
        Box::pin(async move {
            begun.pause(number).await;
            Ok(())
        })
    })?;
    let store = Store::new(&engine, State::new(uv.build(), WasiCtx::builder().build()));
    let (mut plugin, instance) = Plugin::instantiate(store, &linker.instantiate_pre(&component)?).await?;
    let exports = AsyncPlugin::new(plugin.store(), &instance)?;
    Ok((plugin, exports, pauses))
}

/// The calls of `pause` in progress, each with the sender that ends it.
#[derive(Clone, Default)]
struct Pauses(Arc<Mutex<HashMap<u32, oneshot::Sender<()>>>>);

impl Pauses {
    async fn pause(&self, number: u32) {
        let (end, ended) = oneshot::channel();
        self.0.lock().unwrap().insert(number, end);
        ended.await.expect("the test ends it");
    }

    /// Waits until this pause has begun.
    async fn begun(&self, number: u32) {
        while !self.0.lock().unwrap().contains_key(&number) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn end(&self, number: u32) {
        self.0.lock().unwrap().remove(&number).expect("it has begun").send(()).expect("it waits");
    }
}

#[tokio::test]
async fn a_plugins_callbacks_are_called_while_its_exports_are_suspended() -> Result<()> {
    let (mut plugin, exports, pauses) = async_plugin(&mut UvCtx::builder()).await?;
    let ticks = in_time(plugin.run_concurrent(async |store| {
        let first = exports.call_work(store, 1);
        let second = async {
            // The loop and its timer are made while the first call is suspended.
            pauses.begun(1).await;
            exports.call_tick(store, 1).await?;
            exports.call_work(store, 2).await
        };
        let ends = async {
            for number in [1, 2] {
                pauses.begun(number).await;
            }
            // Nothing but the plugin's driver calls back.
            tokio::time::sleep(Duration::from_millis(20)).await;
            pauses.end(1);
            pauses.end(2);
        };
        let (first, second, ()) = tokio::join!(first, second, ends);
        Ok::<_, wasmtime::Error>((first?, second?))
    }))
    .await??;
    assert!(ticks.0 > 1 && ticks.1 > 1, "{ticks:?}");
    // Between calls, its loops are run as ever.
    in_time(async {
        plugin.ready().await?;
        assert!(plugin.dispatch().await?.callbacks > 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_task_performs_many_calls_of_a_plugin_at_a_time() -> Result<()> {
    let (plugin, exports, pauses) = async_plugin(&mut UvCtx::builder()).await?;
    let (handle, task) = plugin.spawn();
    let exports = Arc::new(exports);
    let work = |number: u32| {
        let (handle, exports) = (handle.clone(), exports.clone());
        tokio::spawn(async move {
            let call = handle.call_concurrent(move |store| {
                Box::pin(async move { exports.call_work(store, number).await })
            });
            call.await.expect("the plugin is there")
        })
    };
    let calls = [work(1), work(2), work(3)];
    let ticks = exports.clone();
    in_time(async {
        for number in 1..=3 {
            pauses.begun(number).await;
        }
        let tick =
            handle.call_concurrent(move |store| Box::pin(async move { ticks.call_tick(store, 1).await }));
        tick.await?
    })
    .await?;
    in_time(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        (1..=3).for_each(|number| pauses.end(number));
        for call in calls {
            assert!(call.await.expect("it does not panic")? > 1, "the timer was not called");
        }
        Ok(())
    })
    .await?;
    drop(handle);
    in_time(async { task.await.expect("it does not panic") }).await
}

#[tokio::test]
async fn a_trap_in_a_callback_ends_the_calls_of_a_plugin() -> Result<()> {
    let (mut plugin, exports, _pauses) = async_plugin(&mut UvCtx::builder()).await?;
    let ended = in_time(plugin.run_concurrent(async |store| {
        exports.call_trap_later(store, 1).await?;
        exports.call_work(store, 1).await
    }))
    .await;
    let error = ended.expect_err("a callback traps");
    assert!(format!("{error:?}").contains("unreachable"), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn an_interrupt_ends_the_calls_of_a_plugin() -> Result<()> {
    let mut uv = UvCtx::builder();
    let interrupt = uv.interrupt_handle();
    let (mut plugin, exports, pauses) = async_plugin(&mut uv).await?;
    tokio::spawn(async move {
        pauses.begun(1).await;
        interrupt.interrupt();
    });
    let ended = in_time(plugin.run_concurrent(async |store| exports.call_work(store, 1).await)).await;
    assert!(ended.expect_err("it is interrupted").is::<Interrupted>());
    Ok(())
}

/// Its callbacks are always due, and its export and the runtime's tasks have their turns.
#[tokio::test]
async fn a_plugin_that_never_rests_lets_its_exports_go_on() -> Result<()> {
    let (mut plugin, exports, pauses) = async_plugin(&mut UvCtx::builder()).await?;
    let ends = tokio::spawn(async move {
        pauses.begun(1).await;
        pauses.end(1);
    });
    in_time(plugin.run_concurrent(async |store| {
        exports.call_spin(store).await?;
        exports.call_work(store, 1).await
    }))
    .await??;
    ends.await.expect("it does not panic");
    Ok(())
}
