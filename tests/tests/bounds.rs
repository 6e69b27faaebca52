//! The bounds of what a guest can make the host keep, each measured in bytes of the host's heap.
//! docs/security.md lists them.
//!
//! The guest takes as many of a kind as it gets. The host's heap then holds no more than the bound for
//! each; giving them up and taking them again adds nothing, and neither do refusals.

use std::alloc::System;
use std::time::Duration;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use uv_handles_host::{PluginId, PluginSet, UvCtx, UvCtxBuilder};
use uv_handles_tests::State;
use uv_handles_tests::greedy::{CLIENTS, Greedy, GreedyPlugins, HANDLES, KINDS, MESSAGES, mailbox};
use uv_handles_tests::plugins::SyncPlugins;
use wasmtime::Result;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The bound of a kind.
#[derive(Debug)]
struct Bound {
    kind: &'static str,
    /// The most that the host gives.
    count: u32,
    /// Bytes of the host's heap for each of them, what wasmtime keeps for the resource included.
    bytes: u32,
}

/// The table of docs/security.md, in its order. A poll handle's bytes include its share of the loops and
/// descriptors that it needs.
const BOUNDS: [Bound; 14] = [
    Bound { kind: "timer", count: HANDLES, bytes: 192 },
    Bound { kind: "due-timer", count: HANDLES, bytes: 192 },
    Bound { kind: "idle", count: HANDLES, bytes: 192 },
    Bound { kind: "prepare", count: HANDLES, bytes: 192 },
    Bound { kind: "check", count: HANDLES, bytes: 192 },
    Bound { kind: "async", count: HANDLES, bytes: 192 },
    Bound { kind: "signal", count: HANDLES, bytes: 192 },
    Bound { kind: "poll", count: HANDLES, bytes: 384 },
    Bound { kind: "closing", count: HANDLES, bytes: 192 },
    Bound { kind: "loop", count: 63, bytes: 4_096 },
    Bound { kind: "descriptor", count: CLIENTS, bytes: 512 },
    // A connection is open once at a time.
    Bound { kind: "sender", count: 1, bytes: 192 },
    // 64 of them are the message.
    Bound { kind: "message", count: MESSAGES, bytes: 128 },
    Bound { kind: "denied", count: u32::MAX, bytes: 0 },
];

/// The bytes that are not counted for each resource: tables that have grown to the next power of two, the poller.
const SLACK: usize = 32 << 10;

/// How many are taken of what the host never refuses.
const WITHOUT_LIMIT: u32 = 500;

/// The bytes that are allocated now.
fn heap() -> usize {
    let stats = HEAP.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// A set with a greedy plugin.
struct Measured {
    set: PluginSet<State>,
    id: PluginId,
    greedy: Greedy,
}

impl Measured {
    fn new(plugins: &GreedyPlugins, peer: &mut UvCtxBuilder) -> Result<Measured> {
        let (store, instance, greedy) = plugins.instance(&mailbox(peer, "peer"))?;
        let mut set = PluginSet::new()?;
        let id = set.add(store, &instance)?;
        Ok(Measured { set, id, greedy })
    }

    fn take(&mut self, kind: &'static str, count: u32) -> Result<u32> {
        let store = self.set.store(self.id).expect("it is in the set");
        let (taken,) = self.greedy.take.call(&mut *store, (kind, count))?;
        self.turns()?;
        Ok(taken)
    }

    fn churn(&mut self, kind: &'static str, count: u32) -> Result<()> {
        let store = self.set.store(self.id).expect("it is in the set");
        self.greedy.churn.call(&mut *store, (kind, count))?;
        self.turns()
    }

    fn give_up(&mut self) -> Result<()> {
        let store = self.set.store(self.id).expect("it is in the set");
        self.greedy.give_up.call(&mut *store, ())?;
        self.turns()
    }

    /// A few turns: the callbacks of what is due, and close callbacks.
    fn turns(&mut self) -> Result<()> {
        for _ in 0..3 {
            let turn = self.set.turn(Some(Duration::ZERO))?;
            assert!(turn.ended.is_empty(), "{turn:?}");
        }
        Ok(())
    }
}

/// All kinds in one test: the heap is the whole process's.
#[test]
fn each_kind_costs_at_most_its_bound() -> Result<()> {
    let receivers = SyncPlugins::new()?;
    let plugins = GreedyPlugins::new(receivers.engine())?;
    assert_eq!(BOUNDS.map(|bound| bound.kind), KINDS);
    for Bound { kind, count, bytes } in BOUNDS {
        // The mailbox belongs to a guest that never receives.
        let mut peer = UvCtx::builder();
        let mut measured = Measured::new(&plugins, &mut peer)?;
        let (mut peer, _, exports) = receivers.instance(peer.plugin().build())?;
        exports.call_listen(&mut peer, "peer")?;
        // One of them grows what all share.
        assert_eq!(measured.take(kind, 1)?, 1, "{kind}");

        let before = heap();
        let most = count.min(if count == u32::MAX { WITHOUT_LIMIT } else { u32::MAX }).saturating_mul(2);
        let taken = measured.take(kind, most)?;
        let full = heap().saturating_sub(before);
        println!("{kind}: {full} bytes for {taken}");
        assert!(taken <= count, "{kind}: {taken} of {count}");
        assert!(taken >= (count - 1).min(WITHOUT_LIMIT) / 2, "{kind}: {taken} taken");
        assert!(full <= (taken * bytes) as usize + SLACK, "{kind}: {full} bytes for {taken}");

        // Refusals, and giving up and taking again, leave the host as it is.
        for _ in 0..3 {
            measured.take(kind, 100)?;
            if kind != "message" {
                measured.give_up()?;
                measured.take(kind, most)?;
            }
        }
        let again = heap().saturating_sub(before);
        assert!(again <= full + full / 4 + SLACK, "{kind}: {full} bytes at first, {again} in the end");
        if kind != "message" {
            measured.give_up()?;
            let empty = heap();
            for _ in 0..10 {
                measured.churn(kind, 1_000)?;
            }
            let churned = heap().saturating_sub(empty);
            assert!(churned <= full + SLACK, "{kind}: {churned} bytes after making and dropping them");
        }
        drop((measured, peer));
    }
    Ok(())
}
