//! Plugins that take as much of the host as they get, beside a victim on the same thread, in the same
//! set, and on the same worker of tokio. What they take is chosen at random: `UV_HANDLES_SEEDS=100..200`
//! makes the tests use other seeds.
//!
//! The victim's timer is due at once, always (virtual time): so it must be called in every turn that it
//! gets, and how many turns it gets is counted, not timed.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use uv_handles_host::{Plugin, PluginSet, UvCtx, UvCtxBuilder};
use uv_handles_tests::greedy::{GreedyPlugins, KINDS, mailbox};
use uv_handles_tests::os::{SIGWINCH, kill_self};
use uv_handles_tests::plugins::{Plugins, SyncPlugins, config, in_time};
use uv_handles_tests::seeds;
use wasmtime::Result;

const SEEDS: Range<u64> = 0..12;

/// The number of steps of a greedy plugin. There are turns between them.
const STEPS: usize = 12;

/// The turns after each step.
const TURNS: u64 = 3;

/// A step of a greedy plugin.
#[derive(Debug, Clone, Copy)]
enum Step {
    Take(&'static str, u32),
    Churn(&'static str, u32),
    GiveUp,
    /// The process gets the signal that it watches, this many times.
    Signals(u32),
}

/// The steps of a seed (splitmix64).
fn steps(seed: u64) -> Vec<Step> {
    let mut state = seed;
    let mut random = move |below: u64| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    };
    (0..STEPS)
        .map(|_| {
            let kind = KINDS[random(KINDS.len() as u64) as usize];
            // From a few to more than the limits.
            let count = 1 << random(14);
            match random(8) {
                0 => Step::GiveUp,
                1 => Step::Signals(count.min(200)),
                // A name of 64 KiB each time.
                2 => Step::Churn(kind, count.min(500)),
                _ => Step::Take(kind, if kind == "denied" { count.min(500) } else { count }),
            }
        })
        .collect()
}

/// The victim's context: a clock that jumps to the next timer, and a mailbox for greedy messages.
fn victim(uv: &mut UvCtxBuilder) -> &mut UvCtxBuilder {
    uv.virtual_time(true).plugin()
}

fn signals(count: u32) {
    for _ in 0..count {
        kill_self(SIGWINCH);
    }
}

/// In one set, each turn calls the victim.
#[test]
fn a_victim_in_the_same_set_is_called_in_each_turn() -> Result<()> {
    let victims = SyncPlugins::new()?;
    let greedy_plugins = GreedyPlugins::new(victims.engine())?;
    for seed in seeds(SEEDS) {
        let mut uv = UvCtx::builder();
        let peer = mailbox(victim(&mut uv), "jobs");
        let (store, instance, exports) = victims.instance(uv.build())?;
        let mut set = PluginSet::new()?;
        let id = set.add(store, &instance)?;
        exports.call_beat(set.store(id).expect("it is in the set"), 10, "jobs")?;
        let (store, instance, greedy) = greedy_plugins.instance(&peer)?;
        let greedy_id = set.add(store, &instance)?;
        set.turn(Some(Duration::ZERO))?;

        for step in steps(seed) {
            let (before, _) = exports.call_beats(set.store(id).expect("it is in the set"))?;
            let store = set.store(greedy_id).expect("it is in the set");
            match step {
                Step::Take(kind, count) => _ = greedy.take.call(store, (kind, count))?,
                Step::Churn(kind, count) => greedy.churn.call(store, (kind, count))?,
                Step::GiveUp => greedy.give_up.call(store, ())?,
                Step::Signals(count) => signals(count),
            }
            for _ in 0..TURNS {
                let turn = set.turn(Some(Duration::ZERO))?;
                assert!(turn.ended.is_empty(), "seed {seed}, {step:?}: {turn:?}");
            }
            let (after, _) = exports.call_beats(set.store(id).expect("it is in the set"))?;
            assert_eq!(after - before, TURNS, "seed {seed}, {step:?}");
        }
    }
    Ok(())
}

/// On one thread, driven one after the other.
#[tokio::test]
async fn a_victim_on_the_same_thread_is_called_in_each_turn() -> Result<()> {
    let victims = Plugins::new(&config())?;
    let greedy_plugins = GreedyPlugins::new(victims.engine())?;
    for seed in seeds(SEEDS) {
        let mut uv = UvCtx::builder();
        let peer = mailbox(victim(&mut uv), "jobs");
        let (mut plugin, exports) = victims.start(uv.build()).await?;
        exports.call_beat(plugin.store(), 10, "jobs").await?;
        let (store, instance, greedy) = greedy_plugins.async_instance(&peer).await?;
        let mut other = Plugin::new(store, &instance)?;
        plugin.dispatch().await?;

        for step in steps(seed) {
            match step {
                Step::Take(kind, count) => {
                    _ = greedy.take.call_async(other.store(), (kind, count)).await?;
                }
                Step::Churn(kind, count) => greedy.churn.call_async(other.store(), (kind, count)).await?,
                Step::GiveUp => greedy.give_up.call_async(other.store(), ()).await?,
                Step::Signals(count) => signals(count),
            }
            for _ in 0..TURNS {
                other.dispatch().await?;
                in_time(plugin.ready()).await?;
                // Its timer, or the message of the greedy plugin, which comes before time passes.
                assert!(plugin.dispatch().await?.callbacks > 0, "seed {seed}, {step:?}");
            }
        }
    }
    Ok(())
}

/// As tasks of one worker: while the greedy plugin is called again and again, a task of tokio's and the
/// victim have their turns. Each of them has at least one for so many callbacks of the greedy plugin.
#[tokio::test]
async fn a_victim_on_the_same_worker_has_its_turns() -> Result<()> {
    /// A plugin yields after 64 callbacks, and after each turn.
    const CALLBACKS_FOR_A_TURN: u64 = 100;

    let victims = Plugins::new(&config())?;
    let greedy_plugins = GreedyPlugins::new(victims.engine())?;
    for seed in seeds(SEEDS) {
        let mut uv = UvCtx::builder();
        let peer = mailbox(victim(&mut uv), "jobs");
        let (mut plugin, exports) = victims.start(uv.build()).await?;
        exports.call_beat(plugin.store(), 10, "jobs").await?;
        let (store, instance, greedy) = greedy_plugins.async_instance(&peer).await?;
        let (other, other_task) = Plugin::new(store, &instance)?.spawn();
        let (plugin, task) = plugin.spawn();
        let turns = Arc::new(AtomicU64::new(0));
        let counted = turns.clone();
        let counter = tokio::spawn(async move {
            loop {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });

        for step in steps(seed) {
            if let Step::Signals(count) = step {
                signals(count);
                continue;
            }
            let greedy = greedy.clone();
            let call = other.call(move |store| {
                Box::pin(async move {
                    match step {
                        Step::Take(kind, count) => {
                            greedy.take.call_async(store, (kind, count)).await.map(drop)
                        }
                        Step::Churn(kind, count) => greedy.churn.call_async(store, (kind, count)).await,
                        Step::GiveUp | Step::Signals(_) => greedy.give_up.call_async(store, ()).await,
                    }
                })
            });
            in_time(call).await??;
            let before = [other.stats().callbacks, plugin.stats().callbacks, turns.load(Ordering::Relaxed)];
            // The victim goes on whatever the other one does.
            in_time(async {
                while plugin.stats().callbacks < before[1] + 20 {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            let after = [other.stats().callbacks, plugin.stats().callbacks, turns.load(Ordering::Relaxed)];
            let [callbacks, beats, turns] = [0, 1, 2].map(|at| after[at] - before[at]);
            let most = CALLBACKS_FOR_A_TURN * (turns.min(beats) + 1);
            assert!(
                callbacks <= most,
                "seed {seed}, {step:?}: {callbacks} callbacks beside {beats} of the victim and {turns} turns"
            );
        }
        counter.abort();
        drop((plugin, other));
        in_time(task).await??;
        in_time(other_task).await??;
    }
    Ok(())
}
