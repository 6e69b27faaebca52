//! Plugins: libraries whose loops the embedder drives between calls, in tasks of a tokio runtime.

// Plugins have pipes and signals.
#![cfg(unix)]

use std::sync::Arc;
use std::time::Duration;
use uv_handles_host::{Lateness, Plugin, PluginHandle, UvCtx, UvCtxBuilder, VirtualClock, is_plugin};
use uv_handles_tests::os::{kill_self, raise_descriptor_limit};
use uv_handles_tests::plugins::{Plugins, config, in_time, lines, plugin, to_the_end, virtual_plugin};
use uv_handles_tests::{State, async_linker, component};
use wasmtime::component::Component;
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::WasiCtx;

#[tokio::test]
async fn what_an_export_leaves_behind_calls_back_between_calls() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    assert!(!plugin.alive());
    exports.call_tick(plugin.store(), 1_000).await?;
    assert!(plugin.alive());
    for n in 1..=3 {
        in_time(plugin.ready()).await?;
        let dispatched = plugin.dispatch().await?;
        assert_eq!((dispatched.callbacks, dispatched.alive, dispatched.stopped), (1, true, false));
        assert_eq!(exports.call_lines(plugin.store()).await?, [format!("tick {n}")]);
    }
    Ok(())
}

#[tokio::test]
async fn what_a_plugin_did_before_it_is_driven_counts_too() -> Result<()> {
    let mut uv = UvCtx::builder();
    let (mut store, instance, exports) =
        Plugins::new(&config())?.instance(uv.virtual_time(true).plugin().build()).await?;
    exports.call_tick(&mut store, 1_000).await?;
    let mut plugin = Plugin::new(store, &instance)?;
    assert!(plugin.alive());
    for n in 1..=2 {
        in_time(plugin.ready()).await?;
        plugin.dispatch().await?;
        assert_eq!(exports.call_lines(plugin.store()).await?, [format!("tick {n}")]);
    }
    exports.call_close(plugin.store()).await?;
    in_time(plugin.ready()).await?;
    assert_eq!(plugin.dispatch().await?.callbacks, 1);
    assert!(!plugin.alive());
    Ok(())
}

#[tokio::test]
async fn close_callbacks_are_due_at_once_and_then_it_is_parked() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    exports.call_tick(plugin.store(), 1_000).await?;
    exports.call_close(plugin.store()).await?;
    in_time(plugin.ready()).await?;
    let dispatched = plugin.dispatch().await?;
    assert_eq!((dispatched.callbacks, dispatched.alive), (1, false));
    assert_eq!(exports.call_lines(plugin.store()).await?, ["closed"]);
    // Parked: it waits for nothing, and can go on.
    assert!(tokio::time::timeout(Duration::from_millis(1), plugin.ready()).await.is_err());
    exports.call_tick(plugin.store(), 1_000).await?;
    in_time(plugin.ready()).await?;
    assert_eq!(plugin.dispatch().await?.callbacks, 1);
    Ok(())
}

#[tokio::test]
async fn pollables_of_wasi_call_back_between_calls() -> Result<()> {
    let (mut plugin, exports) = plugin(|_| {}).await?;
    exports.call_clock(plugin.store(), 20).await?;
    for _ in 0..2 {
        let mut events = Vec::new();
        while events.is_empty() {
            in_time(plugin.ready()).await?;
            plugin.dispatch().await?;
            // The call ends the futures of the pollables.
            events = exports.call_lines(plugin.store()).await?;
        }
        assert_eq!(events, ["clock"]);
    }
    assert!(!plugin.alive());
    Ok(())
}

#[tokio::test]
async fn a_dispatch_without_anything_due_calls_nothing() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    assert_eq!(plugin.dispatch().await?.callbacks, 0);
    exports.call_tick(plugin.store(), 1_000).await?;
    assert_eq!(plugin.dispatch().await?.callbacks, 0);
    Ok(())
}

#[tokio::test]
async fn a_plugin_can_not_run_its_loop_itself() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    assert_eq!(exports.call_run(plugin.store()).await?, "ENOTSUP");
    exports.call_tick(plugin.store(), 1).await?;
    in_time(plugin.ready()).await?;
    assert_eq!(plugin.dispatch().await?.callbacks, 1, "nothing is in progress");
    Ok(())
}

/// Neither before its start function runs nor after, whether its context is built for a plugin or
/// marked as one's by `Plugin::instantiate`.
#[tokio::test]
async fn a_plugin_blocks_its_host_neither_in_its_start_function_nor_in_an_export() -> Result<()> {
    let plugins = Plugins::new(&config())?;
    let (mut marked, exports) = plugins.start(UvCtx::builder().build()).await?;
    assert_eq!(exports.call_started(marked.store()).await?, ["ENOTSUP", "ENOTSUP"]);
    assert_eq!(exports.call_run(marked.store()).await?, "ENOTSUP");
    let (mut store, _, exports) = plugins.instance(UvCtx::builder().plugin().build()).await?;
    assert_eq!(exports.call_started(&mut store).await?, ["ENOTSUP", "ENOTSUP"]);
    assert_eq!(exports.call_run(&mut store).await?, "ENOTSUP");
    // One whose code has run as a program's is not driven.
    let (store, instance, _) = plugins.instance(UvCtx::builder().build()).await?;
    assert!(Plugin::new(store, &instance).is_err());
    Ok(())
}

#[tokio::test]
async fn a_stop_is_reported() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    exports.call_later(plugin.store(), 5, "stop").await?;
    exports.call_tick(plugin.store(), 5).await?;
    in_time(plugin.ready()).await?;
    let dispatched = plugin.dispatch().await?;
    assert!(dispatched.stopped && dispatched.alive);
    assert_eq!(exports.call_lines(plugin.store()).await?, ["tick 1"]);
    Ok(())
}

/// The close callback of the last handle is the last of the loop too.
#[tokio::test]
async fn a_callback_may_give_up_its_loop() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    exports.call_tick(plugin.store(), 5).await?;
    exports.call_later(plugin.store(), 5, "drop").await?;
    let mut callbacks = 0;
    while callbacks < 5 {
        in_time(plugin.ready()).await?;
        callbacks += plugin.dispatch().await?.callbacks;
    }
    // The timer that gave itself up, its close callback, and three ticks.
    assert_eq!(exports.call_lines(plugin.store()).await?, ["tick 1", "tick 2", "tick 3"]);
    assert!(plugin.alive());
    Ok(())
}

#[tokio::test]
async fn a_wake_up_from_another_thread_makes_it_ready() -> Result<()> {
    let mut sender = None;
    let (mut plugin, exports) = plugin(|uv| sender = Some(uv.async_sender("go"))).await?;
    exports.call_listen(plugin.store(), "go").await?;
    let sender = sender.unwrap();
    for _ in 0..100 {
        let sender = sender.clone();
        let thread = std::thread::spawn(move || sender.send());
        in_time(plugin.ready()).await?;
        assert_eq!(plugin.dispatch().await?.callbacks, 1);
        thread.join().unwrap().unwrap();
        assert_eq!(exports.call_lines(plugin.store()).await?, ["woken"]);
    }
    Ok(())
}

/// Waits may be dropped any number of times: nothing is lost, and the store stays usable.
#[tokio::test]
async fn waits_that_are_dropped_lose_nothing() -> Result<()> {
    let mut sender = None;
    let (mut plugin, exports) = plugin(|uv| sender = Some(uv.async_sender("go"))).await?;
    exports.call_listen(plugin.store(), "go").await?;
    let sender = sender.unwrap();
    let (mut sent, mut woken) = (0, 0);
    for round in 0..10_000 {
        if round % 3 == 0 {
            sender.send().unwrap();
            sent += 1;
        }
        tokio::select! {
            biased;
            ready = plugin.ready() => {
                ready?;
                woken += plugin.dispatch().await?.callbacks;
            }
            () = std::future::ready(()) => {}
        }
        if woken < sent {
            in_time(plugin.ready()).await?;
            woken += plugin.dispatch().await?.callbacks;
        }
        assert_eq!(woken, sent, "round {round}");
    }
    assert_eq!(exports.call_lines(plugin.store()).await?.len() as u64, sent);
    Ok(())
}

/// Linux lets a file be watched by 500 pollers that are watched themselves, and by 1,000 others. Each
/// plugin here has a loop that watches signals, whose poller tokio watches.
#[tokio::test]
async fn more_tasks_than_linux_nests_pollers_watch_signals() -> Result<()> {
    // Each plugin needs two descriptors for its input, and two for its loop.
    let count = ((raise_descriptor_limit() - 100) / 6).min(2_000);
    assert!(count > 510, "{count} plugins are not enough");
    let plugins = Plugins::new(&config())?;
    let mut all = Vec::new();
    for _ in 0..count {
        let (read, write) = std::io::pipe()?;
        let mut uv = UvCtx::builder();
        uv.descriptor("input", read)?.signal(libc::SIGCONT);
        let (mut plugin, exports) = plugins.start(uv.build()).await?;
        exports.call_watch(plugin.store(), libc::SIGCONT, "input").await?;
        let (handle, task) = plugin.spawn();
        all.push((handle, Arc::new(exports), task, write));
    }
    // From here on each of them waits.
    for (handle, exports, ..) in &all {
        assert!(lines(handle, exports).await.is_empty());
    }
    kill_self(libc::SIGCONT);
    for (at, (handle, exports, task, _)) in all.iter().enumerate() {
        let mut seen = lines(handle, exports).await;
        while seen.is_empty() {
            assert!(!task.is_finished(), "plugin {at} has ended");
            tokio::time::sleep(Duration::from_millis(1)).await;
            seen = lines(handle, exports).await;
        }
        assert_eq!(seen, ["signal 18"], "plugin {at}");
    }
    Ok(())
}

#[tokio::test]
async fn a_task_owns_the_plugin_and_takes_calls() -> Result<()> {
    let mut sender = None;
    let (plugin, exports) = plugin(|uv| sender = Some(uv.async_sender("go"))).await?;
    let exports = std::sync::Arc::new(exports);
    let (handle, task) = plugin.spawn();
    let listens = exports.clone();
    handle.call(|store| Box::pin(async move { listens.call_listen(store, "go").await })).await??;
    let mut all = 0;
    for _ in 0..10_000 {
        // A caller that drops its call does no harm.
        let exports = exports.clone();
        tokio::select! {
            biased;
            called = handle.call(|store| Box::pin(async move { exports.call_run(store).await })) => {
                assert_eq!(called??, "ENOTSUP");
            }
            () = tokio::task::yield_now() => {}
        }
    }
    sender.unwrap().send().unwrap();
    while all == 0 {
        all = lines(&handle, &exports).await.len();
    }
    drop(handle);
    in_time(task).await.unwrap()
}

#[tokio::test]
async fn messages_pass_from_plugin_to_plugin() -> Result<()> {
    let mut jobs = None;
    let (mut worker, worker_exports) = plugin(|uv| jobs = Some(uv.async_sender("jobs"))).await?;
    worker_exports.call_take(worker.store(), "jobs").await?;
    let jobs = jobs.unwrap();
    let (mut server, server_exports) = plugin(|uv| {
        uv.async_connection("worker", &jobs);
    })
    .await?;
    server_exports.call_pass(server.store(), "worker", b"one").await?.unwrap();
    server_exports.call_pass(server.store(), "worker", b"two").await?.unwrap();
    in_time(worker.ready()).await?;
    assert_eq!(worker.dispatch().await?.callbacks, 1);
    assert_eq!(worker_exports.call_lines(worker.store()).await?, ["took one", "took two"]);

    // The worker ends, and its next incarnation takes over the name.
    drop(worker);
    let refused = server_exports.call_pass(server.store(), "worker", b"three").await?;
    assert_eq!(refused, Err("EPIPE".into()));
    let again = |uv: &mut UvCtxBuilder| {
        uv.reuse_async_sender(&jobs);
    };
    let (mut worker, worker_exports) = plugin(again).await?;
    worker_exports.call_take(worker.store(), "jobs").await?;
    server_exports.call_pass(server.store(), "worker", b"four").await?.unwrap();
    in_time(worker.ready()).await?;
    worker.dispatch().await?;
    assert_eq!(worker_exports.call_lines(worker.store()).await?, ["took four"]);
    Ok(())
}

type Spawned = (PluginHandle<State>, tokio::task::JoinHandle<Result<()>>);

/// Five with an endless idle handle, and five with a thousand timers that are always due.
async fn ten_that_never_rest() -> Result<Vec<Spawned>> {
    let mut all = Vec::new();
    for number in 0..10 {
        let (mut plugin, exports) = plugin(|_| {}).await?;
        match number % 2 {
            0 => exports.call_spin(plugin.store()).await?,
            _ => exports.call_flood(plugin.store(), 1_000).await?,
        }
        all.push(plugin.spawn());
    }
    Ok(all)
}

/// The lateness of a timer of 10 ms beside them, on the same thread: printed, for
/// docs/embedding.md.
#[tokio::test]
async fn a_timer_beside_plugins_that_never_rest_is_called() -> Result<()> {
    let _others = ten_that_never_rest().await?;
    let (mut victim, exports) = plugin(|_| {}).await?;
    exports.call_tick(victim.store(), 10).await?;
    let (victim, _task) = victim.spawn();
    while victim.stats().timers < 100 {
        tokio::task::yield_now().await;
    }
    let lateness = victim.stats().lateness;
    println!("late by at most {:?} ms, and more: {:?}", Lateness::BOUNDS, lateness.counts);
    println!("mean {:?}, longest {:?}", lateness.total / 100, lateness.longest);
    Ok(())
}

/// On one thread, beside plugins that always have something to do: for each callback of the victim,
/// which also always has something to do, each of the others gets its share and no more.
#[tokio::test]
async fn plugins_that_never_rest_leave_the_others_their_turn() -> Result<()> {
    /// The callbacks in a row after which a plugin has to yield.
    const SHARE: u64 = 64;
    let others = ten_that_never_rest().await?;
    let (mut victim, exports) = plugin(|_| {}).await?;
    exports.call_flood(victim.store(), 1).await?;
    let (victim, _task) = victim.spawn();
    let begin: Vec<u64> = others.iter().map(|(other, _)| other.stats().callbacks).collect();
    let mut end = begin.clone();
    while victim.stats().callbacks < 1_000 {
        tokio::task::yield_now().await;
        end = others.iter().map(|(other, _)| other.stats().callbacks).collect();
    }
    let turns = victim.stats().callbacks;
    for (begin, end) in begin.into_iter().zip(end) {
        // Two more: one before the victim's first turn, and one after its last.
        assert!(end - begin <= (turns + 2) * SHARE, "{} callbacks in {turns} turns", end - begin);
    }
    for (other, task) in others {
        assert!(!task.is_finished());
        drop(other);
        in_time(task).await.unwrap()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_task_that_an_export_spawns_goes_on_between_calls() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    assert_eq!(exports.call_sleeper(plugin.store(), 1_000, false).await?, "ENOTSUP");
    assert_eq!(exports.call_lines(plugin.store()).await?, [""; 0], "nothing is polled inside the export");
    // Due at once, as an idle handle is.
    in_time(plugin.ready()).await?;
    assert!(plugin.dispatch().await?.alive);
    assert_eq!(exports.call_lines(plugin.store()).await?, ["spawned"]);
    let slept = ["slept 1", "slept 2", "slept 3"];
    assert_eq!(to_the_end(&mut plugin, &exports).await?, slept);
    // Nothing of it is left, and it works again, also for several at once.
    assert!(tokio::time::timeout(Duration::from_millis(1), plugin.ready()).await.is_err());
    exports.call_sleeper(plugin.store(), 10, false).await?;
    exports.call_sleeper(plugin.store(), 20, false).await?;
    let lines = to_the_end(&mut plugin, &exports).await?;
    assert_eq!(lines[..3], ["spawned", "spawned", "slept 1"]);
    assert_eq!(lines.len(), 8);
    Ok(())
}

#[tokio::test]
async fn a_task_of_a_plugin_is_woken_by_another_thread() -> Result<()> {
    let mut sender = None;
    let (mut plugin, exports) = plugin(|uv| sender = Some(uv.async_sender("go"))).await?;
    exports.call_wait_for(plugin.store(), "go", 1 << 40).await?;
    let sender = sender.unwrap();
    for _ in 0..100 {
        let sender = sender.clone();
        let thread = std::thread::spawn(move || sender.send());
        loop {
            in_time(plugin.ready()).await?;
            plugin.dispatch().await?;
            let lines = exports.call_lines(plugin.store()).await?;
            if !lines.is_empty() {
                break assert_eq!(lines, ["task woken"]);
            }
        }
        thread.join().unwrap().unwrap();
    }
    Ok(())
}

#[tokio::test]
async fn a_task_of_a_plugin_can_time_out() -> Result<()> {
    let virtual_time = |uv: &mut UvCtxBuilder| {
        uv.virtual_time(true).async_sender("go");
    };
    let (mut plugin, exports) = plugin(virtual_time).await?;
    exports.call_wait_for(plugin.store(), "go", 86_400_000).await?;
    assert_eq!(to_the_end(&mut plugin, &exports).await?, ["too late"]);
    Ok(())
}

#[tokio::test]
async fn a_component_that_is_no_plugin_is_refused() -> Result<()> {
    let engine = Engine::new(&config())?;
    let component = Component::from_file(&engine, component("first-timer"))?;
    assert!(!is_plugin(&component));
    let pre = async_linker(&engine)?.instantiate_pre(&component)?;
    let mut store = Store::new(&engine, State::new(UvCtx::builder().build(), WasiCtx::builder().build()));
    store.set_epoch_deadline(1);
    let error = Plugin::instantiate(store, &pre).await.unwrap_err();
    assert!(error.to_string().contains("not a plugin"), "{error:?}");
    Ok(())
}

/// Callbacks are counted, and so is the lateness of timers: the virtual clock is moved past a
/// deadline.
#[tokio::test]
async fn callbacks_and_the_lateness_of_timers_are_counted() -> Result<()> {
    let clock = VirtualClock::new();
    let virtual_time = |uv: &mut UvCtxBuilder| {
        uv.virtual_clock(&clock);
    };
    let (plugin, exports) = plugin(virtual_time).await?;
    let (plugin, task) = plugin.spawn();
    assert!(!plugin.stats().alive);
    let late = clock.clone();
    let started = plugin.call(move |store| {
        Box::pin(async move {
            exports.call_later(&mut *store, 10, "stop").await?;
            exports.call_later(&mut *store, 20, "trap").await?;
            // As if the thread that drives the plugin had been busy.
            late.advance(13);
            Ok::<_, wasmtime::Error>(())
        })
    });
    in_time(started).await.unwrap()?;
    // The second timer is waited for, and traps.
    in_time(task).await.unwrap().unwrap_err();
    let stats = plugin.stats();
    assert_eq!((stats.callbacks, stats.timers, stats.alive), (2, 2, true));
    assert_eq!(stats.lateness.longest, Duration::from_millis(3));
    assert_eq!(stats.lateness.total, Duration::from_millis(3));
    assert_eq!(stats.lateness.counts[..4], [1, 0, 0, 1]);
    Ok(())
}

/// The greatest timeout is 2^33 times as long as the longest wait of libuv.
#[tokio::test]
async fn virtual_time_jumps_to_the_farthest_deadline_at_once() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    exports.call_tick(plugin.store(), u64::MAX).await?;
    in_time(plugin.ready()).await?;
    assert_eq!(plugin.dispatch().await?.callbacks, 1);
    Ok(())
}
