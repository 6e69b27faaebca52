//! Many plugins in one process, at a time and one after the other. This file's tests measure the
//! whole process, so each has a process of its own.

// Looks in /proc at what many plugins cost.
#![cfg(target_os = "linux")]

use std::fs;
use std::sync::Arc;
use std::time::Duration;
use uv_handles_host::{EpochTicker, PluginHandle, STOP, Stopped, UvCtx, engine_config};
use uv_handles_tests::os::{kill_self, raise_descriptor_limit};
use uv_handles_tests::plugins::{Plugins, in_time};
use uv_handles_tests::{PATIENCE, State, own_process};
use wasmtime::Result;

/// Runs a function of this file in a process of its own.
fn alone(name: &str, body: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    const CHILD: &str = "UV_HANDLES_ALONE";
    if std::env::var_os(CHILD).is_some() {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        return runtime.worker_threads(2).enable_all().build()?.block_on(body());
    }
    let status = own_process(name).arg("--nocapture").env(CHILD, "1").status()?;
    assert!(status.success(), "{status}");
    Ok(())
}

/// The resources that the process uses now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Uses {
    descriptors: usize,
    threads: usize,
    /// The signals that it catches, as /proc shows them.
    signals: u64,
}

fn uses() -> Uses {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
    let entries = |dir: &str| fs::read_dir(dir).unwrap().count();
    Uses {
        descriptors: entries("/proc/self/fd"),
        threads: entries("/proc/self/task"),
        signals: u64::from_str_radix(caught, 16).unwrap(),
    }
}

fn resident_kib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Each has a loop, a timer that repeats, and an async handle.
#[test]
fn ten_thousand_plugins_start_tick_and_stop() -> Result<()> {
    const PLUGINS: usize = 10_000;
    alone("ten_thousand_plugins_start_tick_and_stop", async || {
        let plugins = Plugins::new(&engine_config(PLUGINS as u32))?;
        let _ticker = EpochTicker::start(plugins.engine(), Duration::from_millis(10))?;
        let before = resident_kib();
        let mut running = Vec::new();
        for _ in 0..PLUGINS {
            let mut uv = UvCtx::builder();
            let wake_up = uv.async_sender("wake");
            let (mut plugin, exports) = plugins.start(uv.build()).await?;
            exports.call_beat(plugin.store(), 1_000, "wake").await?;
            running.push((plugin.spawn(), exports, wake_up));
        }
        println!("{:.1} KiB for each of {PLUGINS} plugins", (resident_kib() - before) / PLUGINS as f64);
        for (_, _, wake_up) in &running {
            wake_up.send_message("hello")?;
        }
        // All at the same time, so that none waits for those before it.
        let ends = running.into_iter().map(|((plugin, task), exports, _)| {
            tokio::spawn(async move {
                let exports = Arc::new(exports);
                loop {
                    let (ticks, messages) = beats(&plugin, exports.clone()).await?;
                    if ticks > 0 && messages > 0 {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                assert_eq!(plugin.stop(PATIENCE).await, Stopped::ByItself);
                task.await?
            })
        });
        for end in ends.collect::<Vec<_>>() {
            in_time(end).await??;
        }
        Ok(())
    })
}

type Exports = Arc<uv_handles_tests::plugins::Exports>;

async fn beats(plugin: &PluginHandle<State>, exports: Exports) -> Result<(u64, u64)> {
    plugin.call(|store| Box::pin(async move { exports.call_beats(store).await })).await?
}

/// Plugins that end in every way, and others in their place: nothing of them is left.
#[test]
fn a_thousand_reloads_leave_nothing_behind() -> Result<()> {
    const RELOADS: usize = 1_000;
    const WARM_UP: usize = 100;
    alone("a_thousand_reloads_leave_nothing_behind", async || {
        let plugins = Plugins::new(&engine_config(4))?;
        let _ticker = EpochTicker::start(plugins.engine(), Duration::from_millis(1))?;
        let mut first = None;
        let mut peak = 0.0;
        for round in 0..WARM_UP + RELOADS {
            if round == WARM_UP {
                first = Some(uses());
                peak = resident_kib();
            }
            let mut uv = UvCtx::builder();
            uv.signal(libc::SIGWINCH);
            // The other end stays open, so that there is nothing to read.
            let (read, _write) = std::io::pipe()?;
            uv.descriptor("pipe", read)?;
            let (wake_up, _) = (uv.async_sender("wake"), uv.async_sender(STOP));
            let (mut plugin, exports) = plugins.start(uv.build()).await?;
            exports.call_watch(plugin.store(), libc::SIGWINCH, "pipe").await?;
            exports.call_beat(plugin.store(), 1, "wake").await?;
            match round % 5 {
                0 => exports.call_later(plugin.store(), 0, "trap").await?,
                1 => exports.call_stop_after(plugin.store(), 0).await?,
                2 => exports.call_stop_after(plugin.store(), u64::MAX).await?,
                3 => {
                    exports.call_stop_after(plugin.store(), u64::MAX).await?;
                    exports.call_later(plugin.store(), 0, "forever").await?;
                }
                _ => {}
            }
            let (plugin, task) = plugin.spawn();
            wake_up.send().or_else(|error| if plugin.is_gone() { Ok(()) } else { Err(error) })?;
            match round % 5 {
                0 => assert!(in_time(task).await?.is_err()),
                1 => {
                    assert_eq!(in_time(plugin.stop(PATIENCE)).await, Stopped::ByItself);
                    in_time(task).await??;
                }
                2 | 3 => {
                    assert_eq!(in_time(plugin.stop(Duration::ZERO)).await, Stopped::Interrupted);
                    assert!(in_time(task).await?.is_err());
                }
                // Killed without a word.
                _ => {
                    task.abort();
                    assert!(in_time(task).await.unwrap_err().is_cancelled());
                }
            }
        }
        let (first, last) = (first.unwrap(), uses());
        let grown = resident_kib() / peak;
        println!("{RELOADS} reloads: {last:?}, memory {grown:.3} of what it was after {WARM_UP}");
        assert_eq!(last, first);
        assert!(grown <= 1.05, "memory has grown to {grown:.3}");
        Ok(())
    })
}

/// Linux allows at most 500 pollers that are themselves watched to watch a file, in the whole
/// process. The pollers of plugins in tasks are watched, by tokio.
#[test]
fn more_plugins_in_tasks_than_linux_nests_pollers_watch_signals() -> Result<()> {
    const PLUGINS: usize = 520;
    alone("more_plugins_in_tasks_than_linux_nests_pollers_watch_signals", async || {
        raise_descriptor_limit();
        let plugins = Plugins::new(&engine_config(PLUGINS as u32))?;
        let (mut running, mut inputs) = (Vec::new(), Vec::new());
        for _ in 0..PLUGINS {
            let mut uv = UvCtx::builder();
            uv.signal(libc::SIGCONT);
            let (read, write) = std::io::pipe()?;
            uv.descriptor("pipe", read)?;
            inputs.push(write);
            let (mut plugin, exports) = plugins.start(uv.build()).await?;
            exports.call_watch(plugin.store(), libc::SIGCONT, "pipe").await?;
            running.push(plugin.spawn());
        }
        kill_self(libc::SIGCONT);
        for (plugin, task) in &running {
            while plugin.stats().callbacks == 0 {
                assert!(!task.is_finished(), "the plugin has ended");
                tokio::task::yield_now().await;
            }
        }
        running.into_iter().for_each(|(_, task)| task.abort());
        Ok(())
    })
}
