//! Many plugins on one runtime with two threads: each has a repeating timer of 100 ms, and is sent
//! a message each second. It prints one line of JSON for each sample.

use crate::program::sample::{entries, resident_kib};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use uv_handles_host::{
    AsyncSender, EpochTicker, Lateness, PluginHandle, STOP, Stopped, UvCtx, engine_config,
};
use uv_handles_tests::os::process_cpu_time;
use uv_handles_tests::plugins::{Exports, Plugins};
use uv_handles_tests::{PATIENCE, State};
use wasmtime::Result;

const EVERY_MS: u64 = 100;

struct Running {
    plugin: PluginHandle<State>,
    task: JoinHandle<Result<()>>,
    exports: Exports,
    wake_up: AsyncSender,
    sent: u64,
}

/// Runs this many plugins for this long, and reports at each interval.
pub fn run(count: u64, length: Duration, interval: Duration) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let plugins = Plugins::new(&engine_config(u32::try_from(count)?))?;
        let _ticker = EpochTicker::start(plugins.engine(), Duration::from_millis(10))?;
        let (memory_before, begin) = (resident_kib(), Instant::now());
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(start(&plugins).await?);
        }
        let started = begin.elapsed();
        eprintln!("{count} plugins started in {started:.2?}");

        let mut before = Moment::now(&all);
        let (begin, mut next_sample, mut sent) = (Instant::now(), Instant::now() + interval, 0u64);
        while begin.elapsed() < length {
            // As many as are due by now, evenly over each second.
            let due = (begin.elapsed().as_secs_f64() * count as f64) as u64;
            for number in sent..due {
                let running = &mut all[(number % count) as usize];
                running.wake_up.send_message(number.to_le_bytes())?;
                running.sent += 1;
            }
            sent = due;
            if Instant::now() >= next_sample {
                next_sample += interval;
                let now = Moment::now(&all);
                println!("{}", now.since(&before, begin, count, memory_before));
                before = now;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        end(all).await
    })
}

async fn start(plugins: &Plugins) -> Result<Running> {
    let mut uv = UvCtx::builder();
    let (wake_up, _) = (uv.async_sender("wake"), uv.async_sender(STOP));
    let (mut plugin, exports) = plugins.start(uv.build()).await?;
    exports.call_beat(plugin.store(), EVERY_MS, "wake").await?;
    exports.call_stop_after(plugin.store(), 0).await?;
    let (plugin, task) = plugin.spawn();
    Ok(Running { plugin, task, exports, wake_up, sent: 0 })
}

/// Asserts that every plugin still exists, still ticks, has had every message, and ends on request.
async fn end(all: Vec<Running>) -> Result<()> {
    let (mut fewest, mut most) = (u64::MAX, 0);
    let before: Vec<u64> = all.iter().map(|running| running.plugin.stats().timers).collect();
    for (Running { plugin, task, exports, sent, .. }, before) in all.into_iter().zip(before) {
        let deadline = Instant::now() + PATIENCE;
        while plugin.stats().timers == before {
            assert!(Instant::now() < deadline && !task.is_finished(), "a plugin does not tick any more");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (ticks, messages) =
            plugin.call(|store| Box::pin(async move { exports.call_beats(store).await })).await??;
        assert_eq!(messages, sent, "messages that were accepted and have arrived");
        (fewest, most) = (fewest.min(ticks), most.max(ticks));
        let stopped = plugin.stop(PATIENCE).await;
        assert_eq!(stopped, Stopped::ByItself);
        task.await??;
    }
    eprintln!("no plugin and no message is lost; ticks of a plugin: from {fewest} to {most}");
    Ok(())
}

/// The work done and the resources used so far.
struct Moment {
    at: Instant,
    cpu: Duration,
    lateness: [u64; Lateness::BOUNDS.len() + 1],
}

impl Moment {
    fn now(all: &[Running]) -> Moment {
        let mut lateness = [0; Lateness::BOUNDS.len() + 1];
        for running in all {
            let counts = running.plugin.stats().lateness.counts;
            lateness.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        Moment { at: Instant::now(), cpu: process_cpu_time(), lateness }
    }

    /// A sample of the time since another moment.
    fn since(&self, before: &Moment, begin: Instant, count: u64, memory_before: u64) -> String {
        let wall = self.at - before.at;
        let late: Vec<u64> =
            self.lateness.iter().zip(before.lateness).map(|(now, then)| now - then).collect();
        let ticks: u64 = late.iter().sum();
        format!(
            "{{\"seconds\":{:.3},\"ticks\":{ticks},\"median_lateness_ms\":{},\"p99_lateness_ms\":{},\
             \"cpu_percent\":{:.2},\"kib_per_plugin\":{:.2},\"descriptors\":{},\"threads\":{}}}",
            (self.at - begin).as_secs_f64(),
            percentile(&late, 0.5),
            percentile(&late, 0.99),
            (self.cpu - before.cpu).as_secs_f64() / wall.as_secs_f64() * 100.0,
            resident_kib().saturating_sub(memory_before) as f64 / count as f64,
            entries("/proc/self/fd"),
            entries("/proc/self/task"),
        )
    }
}

/// The bound below which this share of all timers were late; twice the last one for those beyond
/// all.
fn percentile(counts: &[u64], share: f64) -> u64 {
    let wanted = (counts.iter().sum::<u64>() as f64 * share).ceil() as u64;
    let mut sum = 0;
    let at = counts.iter().position(|count| {
        sum += count;
        sum >= wanted
    });
    let last = Lateness::BOUNDS[Lateness::BOUNDS.len() - 1];
    at.and_then(|at| Lateness::BOUNDS.get(at)).copied().unwrap_or(2 * last)
}
